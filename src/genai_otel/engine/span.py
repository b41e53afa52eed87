"""The span of a call of ours where the provider is ours, too: the trace API on plain values.

The SDK's span cleans, copies and locks attribute by attribute, which was half the cost of a call.  Here the facts of
the call are the span's attributes, and the span that ends is itself what exporters read.  Ids, sampling, resource and
limits are the provider's (docs/decisions/017).
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from genai_otel import safe
from genai_otel.context_keys import SPAN_KEY

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Sampler
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from genai_otel.engine.origin import Origin

_SAMPLED: Final = TraceFlags.SAMPLED
_RANDOM: Final[int] = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)  # newer than the oldest API that we support
_FLAGS: Final = {number: TraceFlags(number) for number in (0, _SAMPLED, _RANDOM, _SAMPLED | _RANDOM)}
_CLIENT: Final = SpanKind.CLIENT


class CallSpan(ReadableSpan, Span):
    """The span of one call.  ``facts`` are the call's own attributes, ``added`` what others set while it was current.

    It reads like the SDK's, live and ended.  The engine ends it and nobody else: for a program that has it from
    ``get_current_span()`` the call is still going on.
    """

    facts: Mapping[str, Any]
    reading: Any = None
    """What was read of it, while its cost is not among its attributes."""
    added: dict[str, Any] | None = None
    plain = True
    """It has no events, no links and no description of its status."""
    # As in the SDK's, without a step in Python.
    parent: Any = property(attrgetter("_parent"))
    context: Any = property(attrgetter("_context"))
    # What most spans never get stands on the class.
    _kind = _CLIENT
    _end_time: int | None = None
    _status: Status = Status(StatusCode.UNSET)
    _attributes: Any = None  # those that it ended with
    _events: Any = ()
    _links: Any = ()
    _instrumentation_info = None
    _context: SpanContext

    def __init__(  # the SDK's own, which is not called, sets one by one what stands above
        self, maker: SpanMaker, name: str, context: SpanContext, parent: SpanContext | None, start_time: int
    ) -> None:
        self.maker = maker
        self._name = name
        self._context = context
        self._parent = parent
        self._start_time = start_time

    # --- what anybody may read ----------------------------------------------------------------------

    def get_span_context(self) -> SpanContext:
        return self._context

    def is_recording(self) -> bool:
        return self._end_time is None

    @property
    def attributes(self) -> Mapping[str, Any]:
        if self._attributes is None:
            return self.facts if self.added is None else {**self.added, **self.facts}
        return MappingProxyType(self._attributes)

    @property
    def resource(self) -> Resource:
        return self.maker.provider.resource

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        return self.maker.scope

    def set_kind(self, kind: SpanKind) -> None:
        """It is the span of no client, but of a step of the program's own."""
        self._kind = kind

    # --- its end, which only the engine and the pipeline bring about --------------------------------

    def stop(self, end_time: int) -> Mapping[str, Any]:
        """The call is over; nobody may add to its span from now on.  All its attributes."""
        self._end_time = end_time
        self._attributes = held = self.facts if self.added is None else {**self.added, **self.facts}
        return held

    def keep(self, attributes: Mapping[str, Any]) -> None:
        """What exporters read as the attributes, where it is not all that there are."""
        self._attributes = attributes

    # --- what the program and its libraries may add while the span is current -----------------------

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def set_attribute(self, key: str, value: Any) -> None:
        known = safe.attribute(value)
        if known is None or not key or self._end_time is not None:
            return
        if self.added is None:
            self.added = {}
        self.added[key] = known

    def add_event(
        self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None
    ) -> None:
        limits = self.maker.limits
        bounded = _bounded(limits.max_event_attributes, attributes, limits)
        self._events = self._kept(self._events, Event(name, bounded, timestamp), limits.max_events)

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        limits = self.maker.limits
        bounded = _bounded(limits.max_link_attributes, attributes, limits)
        self._links = self._kept(self._links, Link(context, bounded), limits.max_links)

    def _kept(self, before: Any, new: Any, most: int | None) -> Any:
        from opentelemetry.sdk import util

        if self._end_time is not None:
            return before
        self.plain = False
        bounded: Any = util.BoundedList  # generic in newer versions only
        kept = before or bounded(most)
        kept.append(new)
        return kept

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        kind = type(exception)
        builtin = kind.__module__ == "builtins"
        facts = {
            "exception.type": kind.__qualname__ if builtin else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(exception),
            "exception.stacktrace": "".join(
                traceback.format_exception(kind, exception, exception.__traceback__)
            ),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**facts, **(attributes or {})}, timestamp)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        given = status if isinstance(status, Status) else Status(status, description)
        final = self._end_time is not None or self._status.status_code is StatusCode.OK
        if not final and given.status_code is not StatusCode.UNSET:
            self._status = given
            self.plain = self.plain and not given.description

    def update_name(self, name: str) -> None:
        if self._end_time is None:
            self._name = name

    def end(self, end_time: int | None = None) -> None:
        """Does nothing: see the class."""


def _bounded(most: int | None, attributes: Mapping[str, Any] | None, limits: SpanLimits) -> Any:
    return BoundedAttributes(most, attributes, immutable=True, max_value_len=limits.max_attribute_length)


class Provider(Protocol):
    """What a span takes from the TracerProvider."""

    id_generator: IdGenerator

    @property
    def resource(self) -> Resource: ...


class SpanMaker:
    """Starts spans as a tracer of ``provider`` would, with what ``sampler``, the program's own, decides."""

    def __init__(
        self, provider: Provider, sampler: Sampler, limits: SpanLimits, scope: InstrumentationScope
    ) -> None:
        ids = provider.id_generator
        self.provider = provider
        self.limits = limits
        self.scope = scope
        self._should_sample = sampler.should_sample
        self._as_parent = sampler is DEFAULT_ON
        self._trace_id = ids.generate_trace_id
        self._span_id = ids.generate_span_id
        is_random = getattr(ids, "is_trace_id_random", None)
        sampled = _SAMPLED if self._as_parent else 0  # the default: its answer is known without asking
        self._first = sampled | (_RANDOM if is_random is not None and is_random() else 0)
        self._inherited = sampled | _RANDOM

    def start(self, origin: Origin, parent_context: Context, start_time: int) -> CallSpan:
        """Start the span of a call from ``origin``; one that is not sampled is measured and not exported."""
        above: Span | None = parent_context.get(SPAN_KEY)  # type: ignore[assignment] # only spans are put there
        parent = None if above is None else above.get_span_context()
        if parent is None or not parent.is_valid:
            parent = state = None
            trace_id, flags = self._trace_id(), self._first
        else:
            trace_id, flags = parent.trace_id, parent.trace_flags & self._inherited
            state = parent.trace_state
        if self._as_parent:
            context = SpanContext(trace_id, self._span_id(), False, _FLAGS[flags], state)
            return CallSpan(self, origin.name, context, parent, start_time)
        decided: Any = self._should_sample(
            parent_context, trace_id, origin.name, origin.kind, origin.attributes, ()
        )
        if decided.decision.is_sampled():
            flags |= _SAMPLED
        context = SpanContext(trace_id, self._span_id(), False, _FLAGS[flags], decided.trace_state)
        span = CallSpan(self, origin.name, context, parent, start_time)
        if decided.attributes and decided.attributes != origin.attributes:
            span.set_attributes(decided.attributes)  # a sampler may add some of its own
        return span
