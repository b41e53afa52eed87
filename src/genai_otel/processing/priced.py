"""Puts the cost on spans of ours before they leave, in the exporting thread.

Spans of the SDK's class are read-only once they have ended: those of our calls get their cost just before that, and
those of other libraries when the pipeline makes a copy of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from genai_otel import fence, semconv
from genai_otel.prices.pricer import Pricer

_MEASURED = semconv.MEASURED
_SOURCE = semconv.COST_SOURCE


def cost_of(pricer: Pricer | None, attributes: Mapping[str, Any], start: Any, end: Any) -> dict[str, Any]:
    """What a span with these attributes and times, in nanoseconds, says of its cost; of a call the owner alone does."""
    if pricer is None or _MEASURED not in attributes:
        return {}
    return pricer.told(attributes, start, (end - start) / 1e9)


class PricedSpans(SpanExporter):
    """Wraps ``exporter``: every owning span of a call that it gets says what the call cost, where that is known."""

    def __init__(self, exporter: SpanExporter, pricer: Pricer) -> None:
        self._exporter = exporter
        self._pricer = pricer

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            keep: Any = getattr(span, "keep", None)  # of the engine's spans
            if keep is not None:
                try:
                    attributes: Any = span.attributes
                    if _SOURCE in attributes:  # by an exporter before this one
                        continue
                    cost = cost_of(self._pricer, attributes, span.start_time, span.end_time)
                    if cost:
                        keep(attributes | cost)
                except Exception as error:  # noqa: BLE001 - one cost less, never a span less
                    fence.report("pipeline.price", error)
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
