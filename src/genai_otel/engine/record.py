"""Where a call becomes a span.  The span's class is chosen here and nowhere else.

With a provider of our own that is our own class.  With a provider of the user's, or a processor of his that wants to
see spans start, it is the SDK's: the facts are set on it, so that his exporters see them, and the pipeline gets the
same record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from opentelemetry.context import Context, set_value
from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)

from genai_otel import ambient, fence, safe, semconv
from genai_otel.context_keys import DESTINATION_KEY
from genai_otel.engine import switch
from genai_otel.engine.span import CallSpan, SpanMaker

if TYPE_CHECKING:
    from opentelemetry._logs import Logger

    from genai_otel.engine.call import Call


_ERROR_TYPE = semconv.ERROR_TYPE


@dataclass(frozen=True)
class ContentPolicy:
    """Where content goes when the user switched it on, and how many bytes one value may have."""

    on_span: bool
    on_event: bool
    value_bytes: int


class Unrecorded(NamedTuple):
    """What is known of a span that starts and is not recorded."""

    context: SpanContext
    parent: SpanContext | None
    attributes: Mapping[str, Any]
    start_time: int


class Steps(Protocol):
    """What the pipeline does with a call."""

    watched: bool
    """Whether a processor of the program's looks at spans that start."""

    @property
    def began(self) -> Callable[[CallSpan | Unrecorded], None]:
        """Note a span of our class that starts; the SDK tells of its own, if it records them."""
        ...

    def stepped(self, span: CallSpan | Unrecorded) -> None:
        """Note the span of a step of the program's own that starts."""

    @property
    def serving(self) -> Steps:
        """The same for requests that this process serves."""
        ...

    def around(self, call: Call) -> None:
        """Note that a call that has just started is a session with calls inside it."""

    def happened(self, what: str, attributes: Mapping[str, Any]) -> None:
        """Measure one thing that has happened and has no span."""

    def ending(self, call: Call) -> None:
        """Decide who owns the call, and measure it."""

    @property
    def cost(self) -> Callable[[Any], Mapping[str, Any]]:
        """What a span of the SDK's class says of the cost, by what was read of its call."""
        ...

    def ended(self, call: Call, attributes: Mapping[str, Any]) -> None:
        """Hand the span of a call, of our class and with these attributes, on to the exporters."""


class Recorder:
    """Starts and ends the spans of our calls.

    ``maker`` makes spans of our own class; None where the provider is not ours.  ``stream_usage`` asks vendors for the
    usage of streams where the program does not.
    """

    def __init__(
        self,
        tracer: Tracer,
        steps: Steps,
        *,
        maker: SpanMaker | None = None,
        content: ContentPolicy | None = None,
        events: Logger | None = None,
        stream_usage: bool = False,
    ) -> None:
        self.start: Callable[[Call, Context], Span] = self._start
        """Start the span of a call with what samplers decide by."""
        self._start_span = tracer.start_span
        self._steps = steps
        self._maker = maker
        self.content = content
        self.events = events
        self.stream_usage = stream_usage

    @cached_property
    def serving(self) -> Recorder:
        """The same for requests that this process serves: each is measured as one, and owns nothing inside it."""
        twin = copy(self)
        twin._steps = self._steps.serving  # noqa: SLF001 - it is of this class
        return twin

    def look_around(self) -> None:
        """From now on, look at what the program said of the context of a call; nobody has said anything before."""
        self.start = self._start_within

    def _start_within(self, call: Call, context: Context) -> Span:
        call.attributes.update(ambient.of_call(context))
        return self._start(call, context)

    def _start(self, call: Call, context: Context) -> Span:
        origin = call.origin
        if self._maker is not None and not self._steps.watched:
            span = self._maker.start(origin, context, call.start_time)
            span.facts = call.attributes
            self._steps.began(span)
            return span
        # By the destination the pipeline knows a span of ours when it starts.
        context = set_value(DESTINATION_KEY, origin.address or "", context)
        span = self._start_span(
            origin.name, context, SpanKind.CLIENT, origin.attributes, start_time=call.start_time
        )
        if not span.is_recording():
            self._unrecorded(call, span, context, self._steps.began)
        return span

    def start_step(self, step: Call, context: Context) -> Span:
        """Start the span of a step of the program's own, which is no call of a client and inside none."""
        origin = step.origin
        step.attributes.update(ambient.told(context))
        if self._maker is not None and not self._steps.watched:
            made = self._maker.start(origin, context, step.start_time)
            made.set_kind(origin.kind)
            made.facts = step.attributes
            self._steps.stepped(made)
            return made
        span = self._start_span(
            origin.name, context, origin.kind, step.attributes, start_time=step.start_time
        )
        if not span.is_recording():
            self._unrecorded(step, span, context, self._steps.stepped)
        return span

    @staticmethod
    def _unrecorded(call: Call, span: Span, context: Context, note: Callable[[Unrecorded], None]) -> None:
        """A sampler of the user's drops the span, and the SDK tells nobody of it; it is measured all the same."""
        parent = get_current_span(context).get_span_context()
        own = span.get_span_context()
        if own.is_valid:
            note(Unrecorded(own, parent if parent.is_valid else None, call.attributes, call.start_time))

    def happened(self, what: str, attributes: Mapping[str, Any]) -> None:
        """Measure one thing that has happened and has no span."""
        self._steps.happened(what, attributes)

    def around(self, call: Call) -> None:
        """The call that has just started is a session: it is not measured, and the calls inside it are."""
        self._steps.around(call)

    def end(self, call: Call) -> None:
        """End the span of a call that has its outcome."""
        attributes = call.attributes
        if call.content is not None:
            self._write_content(call)
        self._steps.ending(call)
        span = call.span
        if _ERROR_TYPE in attributes:
            span.set_status(Status(StatusCode.ERROR, self._description(call)))
        if isinstance(span, CallSpan):
            self._steps.ended(call, span.stop(call.end_time))
        elif span.is_recording():
            safe.clean(attributes)
            attributes.update(self._steps.cost(call.reading))
            span.set_attributes(attributes)
            span.end(call.end_time)

    def _description(self, call: Call) -> str:
        # The text of an exception can hold what was sent, so it is content; str() of it would run code of others.
        said = call.error.args[0] if call.error is not None and call.error.args else None
        if self.content is not None and self.content.on_span and type(said) is str:
            return safe.label(said)
        return str(call.attributes[semconv.ERROR_TYPE])

    def _write_content(self, call: Call) -> None:
        policy, content = self.content, call.content
        if policy is None or content is None:
            return
        with fence.contain("engine.content"):
            read = call.endpoint.content
            if call.said is not None and read is not None and read.final is not None:
                content.update(read.final(call.said))
            if policy.on_span:
                for name, value in content.items():
                    call.attributes[name] = self._text(value, policy.value_bytes)
            if policy.on_event and content and self.events is not None:
                self._emit(self.events, call, content, policy)

    @staticmethod
    def _text(value: Any, most: int) -> str:
        return safe.cut(value, most) if type(value) is str else safe.json_text(value, value_bytes=most)

    @staticmethod
    def _emit(events: Logger, call: Call, content: dict[str, Any], policy: ContentPolicy) -> None:
        from opentelemetry._logs import SeverityNumber

        facts = call.attributes.copy()
        safe.clean(facts)
        body = {name: safe.plain(value, budget=policy.value_bytes) for name, value in content.items()}
        events.emit(
            event_name=semconv.EVENT_STEP_DETAILS if call.is_step else semconv.EVENT_OPERATION_DETAILS,
            timestamp=call.end_time,
            severity_number=SeverityNumber.DEBUG,
            context=call.context,
            attributes={**facts, **body},
        )


active: Recorder | None = None


def connect(recorder: Recorder | None) -> None:
    """Send the calls of all clients to ``recorder``; None leaves every call untouched."""
    global active  # noqa: PLW0603 - the one switch between the patched clients and the providers
    active = recorder
    switch.ON[:] = [] if recorder is None else [recorder]
    if recorder is not None:
        ambient.when_used(recorder.look_around)
