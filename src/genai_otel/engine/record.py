"""Where a call becomes a span.  The span's class is chosen here and nowhere else.

With a provider of our own the SDK's span is started with the identity attributes only and the remaining facts are
handed to the pipeline, which exports them in the span's public copy: cleaning every attribute a second time would
double the cost of a call.  With a provider of the user's the facts are set on his span, so that his exporters see
them, and the pipeline gets the same record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from genai_otel import fence, safe, semconv

if TYPE_CHECKING:
    from opentelemetry._logs import Logger

    from genai_otel.engine.call import Call


@dataclass(frozen=True)
class ContentPolicy:
    """Where content goes when the user switched it on, and how many bytes one value may have."""

    on_span: bool
    on_event: bool
    value_bytes: int


class Recorder:
    """Starts and ends the spans of our calls.

    ``ending`` is the pipeline's first look at a call: it decides who owns it and measures it.  ``handed`` is the
    pipeline's table, by span id, of calls whose facts it exports itself; None when the provider is the user's.
    ``stream_usage`` asks vendors for the usage of streams where the program does not.
    """

    def __init__(
        self,
        tracer: Tracer,
        *,
        ending: Callable[[Call], None],
        handed: dict[int, Call] | None,
        content: ContentPolicy | None = None,
        events: Logger | None = None,
        stream_usage: bool = False,
    ) -> None:
        self._start_span = tracer.start_span
        self._ending = ending
        self._handed = handed
        self.content = content
        self._events = events
        self.stream_usage = stream_usage

    def start(self, call: Call, context: Context) -> None:
        """Start the span of a call with what samplers decide by."""
        origin = call.origin
        span = self._start_span(
            origin.name, context, SpanKind.CLIENT, origin.attributes, start_time=call.start_time
        )
        call.span = span
        call.span_context = span.get_span_context()
        call.span_id = call.span_context.span_id

    def end(self, call: Call) -> None:
        """End the span of a call that has its outcome."""
        attributes = call.attributes
        if call.content is not None:
            self._write_content(call)
        self._ending(call)
        span = call.span
        if span.is_recording():
            if semconv.ERROR_TYPE in attributes:
                span.set_status(Status(StatusCode.ERROR, self._description(call)))
            if self._handed is None:
                safe.clean(attributes)
                span.set_attributes(attributes)
            else:
                self._handed[call.span_id] = call
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
                    call.attributes[name] = safe.json_text(value, value_bytes=policy.value_bytes)
            if policy.on_event and content and self._events is not None:
                self._emit(self._events, call, content, policy)

    @staticmethod
    def _emit(events: Logger, call: Call, content: dict[str, Any], policy: ContentPolicy) -> None:
        from opentelemetry._logs import SeverityNumber

        facts = call.attributes.copy()
        safe.clean(facts)
        body = {name: safe.plain(value, budget=policy.value_bytes) for name, value in content.items()}
        events.emit(
            event_name=semconv.EVENT_OPERATION_DETAILS,
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
