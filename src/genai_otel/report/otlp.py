"""Spans and evaluations out of OTLP's JSON, as the Collector's file exporter and protobuf's own printer write it.

They differ in ids (hexadecimal or base64), enumerations (numbers or names) and the case of field names.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, StatusCode

from genai_otel.quality import names
from genai_otel.report.evaluations import Evaluation, evaluation
from genai_otel.report.spans import Ids, Said, Source, made

SPANS: Final = "resourceSpans"
LOGS: Final = "resourceLogs"
METRICS: Final = "resourceMetrics"

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


class Malformed(ValueError):
    """A document in none of the forms that are read."""


def spans(document: Mapping[str, Any], *, content: bool = False) -> Iterator[ReadableSpan]:
    """The spans of an export request; without ``content`` those that say what was said have forgotten it.

    :raises Malformed: it is none.
    """
    try:
        for group in document[SPANS]:
            made_by: Mapping[str, Any] = group.get("resource") or {}
            resource = Resource(values(made_by.get("attributes") or ()))
            for scoped in group.get("scopeSpans") or ():
                scope: Mapping[str, Any] = scoped.get("scope") or {}
                library = InstrumentationScope(str(scope.get("name") or ""), scope.get("version"))
                source = Source(resource, library)
                for span in scoped.get("spans") or ():
                    yield _span(span, source, content=content)
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError) as error:
        raise Malformed(f"no OTLP{why(error)}") from error


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
                    if name == names.EVENT:
                        trace_id = identity(record.get("traceId") or "")
                        time = int(record.get("timeUnixNano") or 0)
                        yield evaluation(attributes, trace_id, time)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise Malformed(f"no OTLP{why(error)}") from error


def why(error: Exception) -> str:
    """The reason without any value of the document, which may be something that was said."""
    return f": it lacks {error}" if isinstance(error, KeyError) else f": {type(error).__name__}"


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


def _span(span: Mapping[str, Any], source: Source, *, content: bool) -> ReadableSpan:
    ids = Ids(identity(span["traceId"]), identity(span["spanId"]), identity(span.get("parentSpanId") or ""))
    kind: int | str = span.get("kind", 0)
    status: Mapping[str, Any] = span.get("status") or {}
    said = Said(
        str(span.get("name") or ""),
        _KIND_NAMES.get(kind, SpanKind.INTERNAL) if isinstance(kind, str) else _KINDS[kind],
        int(span.get("startTimeUnixNano") or 0),
        int(span.get("endTimeUnixNano") or 0),
        values(span.get("attributes") or ()),
        [_event(event) for event in span.get("events") or ()],
        _CODES.get(status.get("code", 0), StatusCode.UNSET),
        status.get("message"),
    )
    return made(ids, said, source, content=content)


def _event(event: Mapping[str, Any]) -> Event:
    time = int(event.get("timeUnixNano") or 0)
    return Event(str(event.get("name") or ""), values(event.get("attributes") or ()), timestamp=time)


def identity(text: str) -> int:
    """An id in hexadecimal digits, or in base64, which has four characters for three bytes."""
    if len(text) in (12, 24):
        return int.from_bytes(base64.b64decode(text), "big")
    return int(text, 16) if text else 0


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)
