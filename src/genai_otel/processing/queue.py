"""Where sampled spans wait for an exporter: the SDK's batch and simple processors, and a count of what was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter

from genai_otel import fence


class Batch(BatchSpanProcessor):
    """The SDK's batch processor, which drops the oldest span of a full queue; this one counts them."""

    def __init__(self, exporter: SpanExporter, max_queue_size: int | None = None) -> None:
        super().__init__(exporter, max_queue_size=max_queue_size)
        # The queue and its emit have no public names; without them drops are only in the SDK's own warning.
        inner: Any = getattr(self, "_batch_processor", None)
        self._waiting: Any = getattr(inner, "_queue", ())
        self._capacity: int = getattr(self._waiting, "maxlen", None) or 1 << 62
        self._put: Callable[[ReadableSpan], None] = getattr(inner, "emit", None) or super().on_end

    def emit(self, span: ReadableSpan) -> None:
        """Queue a sampled span."""
        if len(self._waiting) >= self._capacity:
            fence.dropped("spans", "queue_full")
        self._put(span)


class Immediate(SimpleSpanProcessor):
    """Exports each span as it ends; for a view that a person watches."""

    def emit(self, span: ReadableSpan) -> None:
        """Export a sampled span."""
        self.on_end(span)
