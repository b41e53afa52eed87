"""Spans and evaluations out of OTLP's JSON, as the Collector's file exporter and protobuf's own printer write it.

They differ in ids (hexadecimal or base64), enumerations (numbers or names) and the case of field names.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from genai_otel import semconv
from genai_otel.report import names

SPANS: Final = "resourceSpans"
LOGS: Final = "resourceLogs"

_KINDS: Final = (
    SpanKind.INTERNAL,
    SpanKind.INTERNAL,
    SpanKind.SERVER,
    SpanKind.CLIENT,
    SpanKind.PRODUCER,
    SpanKind.CONSUMER,
)
_KIND_NAMES: Final = {f"SPAN_KIND_{kind.name}": kind for kind in SpanKind}
_CODES: Final = {1: StatusCode.OK, 2: StatusCode.ERROR, "STATUS_CODE_OK": StatusCode.OK}
_CODES.update({"STATUS_CODE_ERROR": StatusCode.ERROR})
_UNSET: Final = Status(StatusCode.UNSET)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_CONTENT: Final = frozenset(
    {
        semconv.SYSTEM_INSTRUCTIONS,
        semconv.INPUT_MESSAGES,
        semconv.OUTPUT_MESSAGES,
        semconv.TOOL_CALL_ARGUMENTS,
        semconv.TOOL_CALL_RESULT,
    }
)


class Evaluation(NamedTuple):
    """One result of an evaluation or a rating; what it does not say is None."""

    name: str
    score: float | None
    label: str | None
    error: str | None


class Malformed(ValueError):
    """A document that is none of OTLP's."""


def spans(document: Mapping[str, Any], *, content: bool = False) -> Iterator[ReadableSpan]:
    """The spans of an export request; without ``content`` those that say what was said have forgotten it.

    :raises Malformed: it is none.
    """
    try:
        for group in document[SPANS]:
            resource = _resource(group.get("resource") or {})
            for scoped in group.get("scopeSpans") or ():
                scope = _scope(scoped.get("scope") or {})
                for span in scoped.get("spans") or ():
                    yield _span(span, resource, scope, content=content)
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError) as error:
        raise Malformed(f"no OTLP: {type(error).__name__}: {error}") from error


def evaluations(document: Mapping[str, Any]) -> Iterator[Evaluation]:
    """The evaluation results among the log records of an export request.

    :raises Malformed: it is none.
    """
    try:
        for group in document[LOGS]:
            for scoped in group.get("scopeLogs") or ():
                for record in scoped.get("logRecords") or ():
                    attributes = values(record.get("attributes") or ())
                    name = record.get("eventName") or attributes.get("event.name")
                    if name == names.EVALUATION_RESULT:
                        yield evaluation(attributes)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise Malformed(f"no OTLP: {type(error).__name__}: {error}") from error


def evaluation(attributes: Mapping[str, Any]) -> Evaluation:
    """What the attributes of an evaluation's event say."""
    score = attributes.get(names.EVALUATION_SCORE)
    label, error = attributes.get(names.EVALUATION_LABEL), attributes.get(semconv.ERROR_TYPE)
    return Evaluation(
        str(attributes.get(names.EVALUATION_NAME, "unnamed")),
        float(score) if isinstance(score, (int, float)) else None,
        label if isinstance(label, str) else None,
        error if isinstance(error, str) else None,
    )


def camel(value: Any) -> Any:
    """The same with field names in the case that OTLP prescribes; protobuf's printer can keep its own."""
    if isinstance(value, list):
        return [camel(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_camel(key): camel(each) for key, each in cast("dict[str, Any]", value).items()}
    return value


def values(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Attributes as plain values."""
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.get("value")
        if value:
            ((kind, plain),) = value.items()
            # The two that nearly all are need no call.
            found[pair["key"]] = plain if kind == "stringValue" else _plain(kind, plain)
    return found


def _plain(kind: str, value: Any) -> Any:
    if kind == "intValue":
        return int(value)
    if kind == "doubleValue":
        return float(value)
    if kind == "arrayValue":
        inside = (next(iter(each.items())) for each in value.get("values") or () if each)
        return tuple(_plain(each, plain) for each, plain in inside)
    if kind == "kvlistValue":
        return values(value.get("values") or ())
    return value


def _span(
    span: Mapping[str, Any], resource: Resource, scope: InstrumentationScope, *, content: bool
) -> ReadableSpan:
    trace_id = identity(span["traceId"])
    parent = identity(span.get("parentSpanId") or "")
    attributes = values(span.get("attributes") or ())
    if not content and not _CONTENT.isdisjoint(attributes):
        attributes = {name: value for name, value in attributes.items() if name not in _CONTENT}
    kind: int | str = span.get("kind", 0)
    return ReadableSpan(
        str(span.get("name") or ""),
        SpanContext(trace_id, identity(span["spanId"]), is_remote=False, trace_flags=_SAMPLED),
        SpanContext(trace_id, parent, is_remote=False, trace_flags=_SAMPLED) if parent else None,
        resource,
        attributes,
        [_event(event) for event in span.get("events") or ()],
        (),
        _KIND_NAMES.get(kind, SpanKind.INTERNAL) if isinstance(kind, str) else _KINDS[kind],
        None,
        _status(span.get("status") or {}, content=content),
        int(span.get("startTimeUnixNano") or 0),
        int(span.get("endTimeUnixNano") or 0),
        scope,
    )


def _event(event: Mapping[str, Any]) -> Event:
    time = int(event.get("timeUnixNano") or 0)
    return Event(str(event.get("name") or ""), values(event.get("attributes") or ()), timestamp=time)


def _status(status: Mapping[str, Any], *, content: bool) -> Status:
    """What an exception says may repeat what was said, so its text is content here."""
    code = _CODES.get(status.get("code", 0))
    if code is None:
        return _UNSET
    message = status.get("message") if content else None
    return Status(code, message if code is StatusCode.ERROR else None)


def _resource(resource: Mapping[str, Any]) -> Resource:
    return Resource(values(resource.get("attributes") or ()))


def _scope(scope: Mapping[str, Any]) -> InstrumentationScope:
    return InstrumentationScope(str(scope.get("name") or ""), scope.get("version"))


def identity(text: str) -> int:
    """An id in hexadecimal digits, or in base64, which has four characters for three bytes."""
    if len(text) in (12, 24):
        return int.from_bytes(base64.b64decode(text), "big")
    return int(text, 16) if text else 0


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)
