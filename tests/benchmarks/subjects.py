"""What is measured: nothing at all (the control), the same written by hand, and genai-otel.

All export to an exporter that only counts, through a batch processor, and their metrics to one that does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from genai_otel.clients import CLIENTS

NAMES = ("nothing", "floor", "genai_otel")

# Other instrumentations are no part of the comparison; the rest of the environment is the default one.
ENVIRONMENT = {
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx,httpx2,fastapi,asgi,logging,urllib,urllib3,requests,asyncio",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    # No export by the clock: whoever measures flushes, inside what he measures.
    "OTEL_BSP_SCHEDULE_DELAY": "3600000",
}
MODES = {
    "default": {},
    "sampled out": {"OTEL_TRACES_SAMPLER": "always_off"},
    "content on": {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"},
}

ONE_CLIENT = "one client"
"""As the default, with no client traced but OpenAI's."""
OTHERS_OFF = {
    "GENAI_OTEL_CLIENTS_OFF": ",".join(client.name for client in CLIENTS if client.name != "openai")
}


class Counting(SpanExporter):
    """Counts spans, and keeps the last batch for whoever wants to look at one."""

    def __init__(self) -> None:
        self.count = 0
        self.last: Sequence[ReadableSpan] = ()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.count += len(spans)
        self.last = spans
        return SpanExportResult.SUCCESS


class TracerProvider(Protocol):
    """What we need of a provider that belongs to the SDK, whoever made it."""

    def force_flush(self, timeout_millis: int = ...) -> bool: ...


class Session:
    """A subject that is set up in this process."""

    def __init__(
        self,
        exporter: Counting,
        reader: InMemoryMetricReader,
        provider: TracerProvider | None,
        measure: Callable[[], object] = tuple,
    ) -> None:
        self.exporter = exporter
        self.reader = reader
        self.provider = provider
        self.measure = measure

    def flush(self) -> None:
        """Does in this thread what waits for later: exports the spans so far, and measures what has been read."""
        if self.provider is not None:
            self.provider.force_flush()
        self.measure()

    def series(self) -> int:
        """The number of metric points at this moment."""
        data: MetricsData | None = self.reader.get_metrics_data()
        if data is None:
            return 0
        return sum(
            len(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        )


def environment(mode: str = "default") -> dict[str, str]:
    """The environment of a measuring process: this one's without its OpenTelemetry settings, and ours."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "GENAI_OTEL_"))
    }
    return {**kept, **ENVIRONMENT, **(OTHERS_OFF if mode == ONE_CLIENT else MODES[mode])}


def set_up(name: str) -> Session:
    """Set the named subject up in this process; it patches whatever it patches."""
    return _SET_UP[name](Counting(), InMemoryMetricReader())


def _nothing(exporter: Counting, reader: InMemoryMetricReader) -> Session:
    return Session(exporter, reader, None)


def _floor(exporter: Counting, reader: InMemoryMetricReader) -> Session:
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from tests.benchmarks.floor import Floor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    Floor().patch()
    return Session(exporter, reader, provider)


def _genai_otel(exporter: Counting, reader: InMemoryMetricReader) -> Session:
    import genai_otel

    handle = genai_otel.setup(span_exporters=[exporter], metric_readers=[reader])
    built: Any = handle._built  # pyright: ignore[reportPrivateUsage] - no public way measures without collecting all else
    return Session(exporter, reader, handle.tracer_provider, built.sink.collect)


_SET_UP: dict[str, Callable[[Counting, InMemoryMetricReader], Session]] = {
    "nothing": _nothing,
    "floor": _floor,
    "genai_otel": _genai_otel,
}
