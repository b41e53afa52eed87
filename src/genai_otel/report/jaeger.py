"""Traces out of a running Jaeger, by the HTTP API of its own pages (``/api/services``, ``/api/traces``).

Its tags have lost lists, which are JSON there, and what OpenTelemetry says beside attributes: kind, status and scope.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, StatusCode

from genai_otel import semconv
from genai_otel.report.asking import ask
from genai_otel.report.otlp import Malformed, why
from genai_otel.report.problem import Problem
from genai_otel.report.report import SERVICE_NAME, Window
from genai_otel.report.sources import Reading
from genai_otel.report.spans import Ids, Said, Source, made

TRACES: Final = "data"

Json = dict[str, Any]

_LIMIT: Final = 1_000  # traces in one answer
_SHORTEST: Final = 1_000_000  # microseconds; a period that is not divided any more
_KIND: Final = "span.kind"
_CODE: Final = "otel.status_code"
_MESSAGE: Final = "otel.status_description"
_SCOPES: Final = ("otel.scope.name", "otel.library.name")
_ITSELF: Final = "jaeger"  # how Jaeger's own services are called


def traces(
    base: str, window: Window, reading: Reading, *, content: bool, limit: int = _LIMIT
) -> Iterator[list[ReadableSpan]]:
    """Every trace of the period once.  A period with more traces than fit into an answer is asked for in halves.

    :raises Problem: Jaeger cannot be reached, or answers something else.
    """
    start, end = round(window.since * 1e6), round(window.until * 1e6)
    services = [window.service] if window.service else _services(base)
    reading.names.append(base)
    reading.total = len(services) * (end - start)
    seen: set[str] = set()
    for service in services:
        waiting = [(start, end)]
        while waiting:
            begin, stop = waiting.pop()
            found = _list(base, "/api/traces", service=service, start=begin, end=stop, limit=limit)
            reading.lines += 1
            if len(found) >= limit and stop - begin > _SHORTEST:
                middle = (begin + stop) // 2
                waiting += [(middle, stop), (begin, middle)]
                continue
            reading.done += stop - begin
            for trace in found:
                try:
                    if (trace_id := str(trace["traceID"])) not in seen:
                        seen.add(trace_id)
                        yield list(_spans(trace, content=content))
                except Malformed as error:
                    reading.refuse(base, len(seen), str(error))
                except (TypeError, LookupError) as error:
                    reading.refuse(base, len(seen), f"no trace of Jaeger's{why(error)}")


def spans(document: Mapping[str, Any], *, content: bool) -> Iterator[ReadableSpan]:
    """The spans of an answer that was saved as a file.

    :raises Malformed: it is none.
    """
    found: list[Json] = document[TRACES] or []
    for trace in found:
        yield from _spans(trace, content=content)


def _services(base: str) -> list[str]:
    found = map(str, _list(base, "/api/services"))
    services = [name for name in found if not name.startswith(_ITSELF)]
    if not services:
        raise Problem(f"{base} knows no services")
    return services


def _list(base: str, path: str, **parameters: str | int) -> list[Any]:
    found: object = ask(base, path, **parameters).get(TRACES)
    if not isinstance(found, (list, type(None))):
        raise Problem(f"{base} answered {path} with something else than a list")
    return cast("list[Any]", found or [])


def _spans(trace: Json, *, content: bool) -> Iterator[ReadableSpan]:
    try:
        processes: Json = trace.get("processes") or {}
        resources = {key: _resource(process) for key, process in processes.items()}
        for span in trace["spans"]:
            yield _span(span, resources, content=content)
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError) as error:
        raise Malformed(f"no trace of Jaeger's{why(error)}") from error


def _resource(process: Mapping[str, Any]) -> Resource:
    return Resource({**_values(process.get("tags") or ()), SERVICE_NAME: process.get("serviceName") or ""})


def _span(span: Mapping[str, Any], resources: Mapping[str, Resource], *, content: bool) -> ReadableSpan:
    tags = _values(span.get("tags") or ())
    start = int(span.get("startTime") or 0) * 1_000
    kind = str(tags.pop(_KIND, "internal")).upper()
    code = str(tags.pop(_CODE, "ERROR" if tags.get("error") is True else "UNSET")).upper()
    message = tags.pop(_MESSAGE, None)
    scope = next((str(found) for name in _SCOPES if (found := tags.pop(name, None))), "")
    said = Said(
        str(span.get("operationName") or ""),
        SpanKind[kind] if kind in SpanKind.__members__ else SpanKind.INTERNAL,
        start,
        start + int(span.get("duration") or 0) * 1_000,
        tags,
        [_event(log) for log in span.get("logs") or ()],
        StatusCode[code] if code in StatusCode.__members__ else StatusCode.UNSET,
        message if isinstance(message, str) else None,
    )
    ids = Ids(int(span["traceID"], 16), int(span["spanID"], 16), _parent(span))
    resource = resources.get(str(span.get("processID"))) or Resource({})
    return made(ids, said, Source(resource, InstrumentationScope(scope)), content=content)


def _parent(span: Mapping[str, Any]) -> int:
    """The span that this one is a child of; older clients say it by ``FOLLOWS_FROM`` alone."""
    inside = [each for each in span.get("references") or () if each.get("traceID") == span["traceID"]]
    inside.sort(key=lambda each: each.get("refType") != "CHILD_OF")
    return int(inside[0]["spanID"], 16) if inside else 0


def _event(log: Mapping[str, Any]) -> Event:
    fields = _values(log.get("fields") or ())
    name = str(fields.pop("event", ""))
    return Event(name, fields, timestamp=int(log.get("timestamp") or 0) * 1_000)


def _values(tags: Any) -> dict[str, Any]:
    return {tag["key"]: _value(tag["key"], tag.get("type"), tag.get("value")) for tag in tags}


def _value(key: str, kind: object, value: Any) -> Any:
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value)
    if key == semconv.RESPONSE_FINISH_REASONS and isinstance(value, str) and value.startswith("["):
        return tuple(json.loads(value))
    return value


_READERS: Final[Mapping[object, Callable[[Any], Any]]] = {"int64": int, "float64": float}
