"""For a program that makes its own TracerProvider: our steps around its sampler and its exporters.

``setup()`` uses such a provider as it is and never replaces it.  With these two the program lets us see GenAI spans
that its sampler drops, and lets us change what its exporters send.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler

from genai_otel.config import Config
from genai_otel.guard import Guard
from genai_otel.processing.processor import apply_changes
from genai_otel.processing.sampler import MeasuringSampler
from genai_otel.runtime import current

if TYPE_CHECKING:
    from genai_otel.processing.processor import Pipeline


def sampler(root: Sampler) -> Sampler:
    """``root``'s decisions, and every GenAI span recorded for the metrics though ``root`` drops it.

    Processors that export skip such spans, because they are not sampled.
    """
    return MeasuringSampler(root)


def pipeline(exporter: SpanExporter) -> SpanExporter:
    """``exporter`` behind our last look: dialects translated, secrets and content out, budgets kept."""
    return _Wrapped(exporter)


class _Wrapped(SpanExporter):
    """Built before or after ``setup()``, so it asks for the settings when it exports for the first time."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._guard: Guard | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        handle = current()
        steps: Pipeline | None = None if handle is None else handle.pipeline
        return self._guarded().export(
            [span if steps is None else apply_changes(steps, span) for span in spans]
        )

    def _guarded(self) -> Guard:
        if self._guard is None:
            handle = current()
            config = handle.config if handle is not None else Config.load({}, os.environ, lenient=True)
            self._guard = Guard(
                self._exporter,
                content_on_spans=config.content_on_spans,
                span_bytes=config.span_bytes,
                batch_bytes=config.batch_bytes,
            )
        return self._guard

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
