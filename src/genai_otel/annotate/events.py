"""What a program tells without a step: events, answers that could not be parsed, and which trace it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import get_current
from opentelemetry.trace import format_trace_id, get_current_span

from genai_otel import ambient, fence, safe, semconv
from genai_otel.context_keys import SUPPRESS_KEY
from genai_otel.engine.switch import ON

if TYPE_CHECKING:
    from types import TracebackType

    from genai_otel.engine.record import Recorder

_MOST: Final = 64
_VALUE_BYTES: Final = 4096


def event(name: str, /, *, about: Any = None, **attributes: Any) -> None:
    """Record that something has happened: a log record of severity INFO with this event name, in the current trace.

    >>> genai_otel.event("meme.generated", template="drake", seconds=1.4)
    >>> genai_otel.event("meme.shared", about=ref, platform="web")

    With ``about`` it belongs to a response, now or later, in this process or another: a reference to it
    (:func:`genai_otel.response_ref`), or what else :func:`genai_otel.record_feedback` takes.  One that is damaged or
    forged is counted and refused.

    Values are made harmless and bounded, secrets are left out; it never raises, and does nothing where logs are off.
    """
    recorder = _recorder()
    if recorder is None or recorder.events is None:
        return
    with fence.contain("event"):
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance] - nobody checks it
            fence.warn(f"event() takes the name of an event first, not {type(name).__qualname__}")
            return
        from opentelemetry._logs import SeverityNumber  # the signal's API has no public name yet

        facts, context = ambient.of_call(get_current()), get_current()
        if about is not None:
            from genai_otel.quality.results import whereabouts

            found = whereabouts(about)
            if found is None:
                return
            facts, context = {**facts, **found[0]}, found[1]
        given = {key: _value(value) for key, value in list(attributes.items())[:_MOST]}
        recorder.events.emit(
            event_name=safe.label(name),
            severity_number=SeverityNumber.INFO,
            context=context,
            attributes={**facts, **given},
        )


def trace_id() -> str | None:
    """The id of the current trace in 32 hexadecimal digits, as in logs and headers; None outside of one."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def parse_failure(output_format: str, error: BaseException | None = None) -> None:
    """Count an answer that is not in the form that the program needs, such as ``"xml"``."""
    recorder = _recorder()
    if recorder is not None:
        with fence.contain("parse_failure"):
            kind = None if error is None else type(error).__qualname__
            facts = {semconv.OUTPUT_FORMAT: safe.label(output_format), semconv.ERROR_TYPE: kind}
            recorder.happened(semconv.PARSE_FAILURE, {**ambient.of_call(get_current()), **facts})


class parsing:  # noqa: N801 - used like a function
    """Counts an exception that leaves the block as a :func:`parse_failure`; it passes on as it is.

    >>> with genai_otel.parsing("json"):
    ...     plan = json.loads(answer)
    """

    __slots__ = ("_format",)

    def __init__(self, output_format: str) -> None:
        self._format = output_format

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            parse_failure(self._format, error)


def _recorder() -> Recorder | None:
    if not ON or get_current().get(SUPPRESS_KEY):
        return None
    from genai_otel.engine import record

    return record.active


def _value(value: object) -> Any:
    if type(value) is str:
        return safe.cut(value, _VALUE_BYTES)
    known = safe.attribute(value)
    return known if known is not None or value is None else safe.plain(value, budget=_VALUE_BYTES)
