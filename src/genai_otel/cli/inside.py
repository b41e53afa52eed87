"""The telemetry of the process that asks: what was built, what own providers still lack, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from genai_otel import fence
from genai_otel.cli.finding import Finding

if TYPE_CHECKING:
    from genai_otel.runtime.handle import Handle

_AREA = "this process"
_VIEWS = (
    'MeterProvider(views=[View(instrument_name="gen_ai.*", meter_name="genai_otel"), '
    'View(instrument_name="gen_ai.*", aggregation=DropAggregation())])'
)


def handle(current: Handle) -> Iterator[Finding]:
    """Exporters and problems, and what to add where the program has providers of its own."""
    for exporter in current.exporters:
        yield Finding(_AREA, "ok", exporter)
    for problem in current.problems:
        yield Finding(_AREA, "problem", problem)
    if current.tracer_provider is not None and current.tracer_provider not in current.owned:
        yield from _tracing(current.tracer_provider)
    if current.meter_provider is not None and current.meter_provider not in current.owned:
        yield Finding(
            _AREA,
            "note",
            "metrics go to the program's own MeterProvider; other instrumentations may count the same calls in it",
            f"keep our counts only: {_VIEWS}",
        )


def trouble() -> Iterator[Finding]:
    """Errors of ours and telemetry lost."""
    for component, count in fence.errors().items():
        text = f"internal errors in {component}: {count}"
        yield Finding(
            "inside",
            "problem",
            text,
            "please report them, with the line in the log",
            {"component": component},
        )
    for (signal, reason), count in fence.drops().items():
        yield Finding(
            "inside", "note", f"{signal} lost, {reason}: {count}", facts={"signal": signal, "reason": reason}
        )


def _tracing(provider: Any) -> Iterator[Finding]:
    if not _is_ours(getattr(provider, "sampler", None)):
        yield Finding(
            _AREA,
            "note",
            "spans go to the program's own TracerProvider; the metrics of other libraries' spans follow its sampling",
            "TracerProvider(sampler=genai_otel.sampler(your_sampler)) counts them all",
        )
    bare = [type(exporter).__name__ for exporter in _exporters(provider) if not _is_ours(exporter)]
    if bare:
        yield Finding(
            _AREA,
            "note",
            f"{', '.join(bare)} of the program exports without our content policy and secret scrubbing",
            "wrap it: genai_otel.pipeline(your_exporter)",
        )


def _exporters(provider: Any) -> Iterator[Any]:
    """The exporters of an SDK provider; it has no public way to ask for its processors."""
    for processor in getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ()):
        exporter = getattr(processor, "span_exporter", None)
        if exporter is not None:
            yield exporter


def _is_ours(thing: object) -> bool:
    return type(thing).__module__.startswith("genai_otel.")
