"""How a span is put together again, whatever form it came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from genai_otel import semconv

CONTENT: Final[Mapping[str, str]] = {
    semconv.SYSTEM_INSTRUCTIONS: "system instructions",
    semconv.INPUT_MESSAGES: "input",
    semconv.TOOL_CALL_ARGUMENTS: "arguments",
    semconv.TOOL_CALL_RESULT: "result",
    semconv.OUTPUT_MESSAGES: "output",
}
"""What was said, in the order in which it is shown, and what that is called."""

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_UNSET: Final = Status(StatusCode.UNSET)
_OK: Final = Status(StatusCode.OK)


class Source(NamedTuple):
    """Who made a span."""

    resource: Resource
    scope: InstrumentationScope


class Ids(NamedTuple):
    """Which span it is; a ``parent`` of 0 is none."""

    trace: int
    span: int
    parent: int


class Said(NamedTuple):
    """What it says.  Times are nanoseconds since the epoch."""

    name: str
    kind: SpanKind
    start: int
    end: int
    attributes: dict[str, Any]
    events: Sequence[Event]
    code: StatusCode
    message: str | None


def made(ids: Ids, said: Said, source: Source, *, content: bool) -> ReadableSpan:
    """The span; without ``content`` it has forgotten what was said.

    What an exception says may repeat that, so its text is content here.
    """
    attributes = said.attributes
    if not content and not CONTENT.keys().isdisjoint(attributes):
        attributes = {name: value for name, value in attributes.items() if name not in CONTENT}
    message = said.message if content and said.message else None
    return ReadableSpan(
        said.name,
        SpanContext(ids.trace, ids.span, is_remote=False, trace_flags=_SAMPLED),
        SpanContext(ids.trace, ids.parent, is_remote=False, trace_flags=_SAMPLED) if ids.parent else None,
        source.resource,
        attributes,
        said.events,
        (),
        said.kind,
        None,
        Status(said.code, message)
        if said.code is StatusCode.ERROR
        else _OK
        if said.code is StatusCode.OK
        else _UNSET,
        said.start,
        said.end,
        source.scope,
    )
