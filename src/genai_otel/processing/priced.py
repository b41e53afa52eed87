"""Puts the cost on spans of ours before they leave, in the exporting thread.

Spans of the SDK's class are read-only once they have ended: those of our calls get their cost just before that, and
those of other libraries when the pipeline makes a copy of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from genai_otel import fence
from genai_otel.prices.pricer import Pricer
from genai_otel.processing.costs import price
from genai_otel.processing.measure import Reading


def cost_of(pricer: Pricer | None, reading: Reading | None) -> Mapping[str, Any]:
    """What a span that was read says of its cost; of a call the owner alone does, and nobody reads another one."""
    return {} if pricer is None or reading is None else pricer.told(price(reading))


class PricedSpans(SpanExporter):
    """Wraps ``exporter``: every owning span of a call that it gets says what the call cost, where that is known."""

    def __init__(self, exporter: SpanExporter, pricer: Pricer) -> None:
        self._exporter = exporter
        self._pricer = pricer

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            reading: Any = getattr(span, "reading", None)  # of the engine's spans
            if reading is not None:
                try:
                    ours: Any = span
                    ours.keep({**ours.attributes, **cost_of(self._pricer, reading)})
                    ours.reading = None  # an exporter after this one finds the cost
                except Exception as error:  # noqa: BLE001 - one cost less, never a span less
                    fence.report("pipeline.price", error)
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
