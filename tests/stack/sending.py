"""Spans, metrics and log records of made-up services, sent as their SDKs would."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

Attributes = Mapping[str, Any]


@contextmanager
def tracing(endpoint: str, service: str, resource: Attributes | None = None) -> Generator[TracerProvider]:
    """A service without genai-otel; what it traced has been sent when the block ends."""
    provider = TracerProvider(resource=_named(service, resource), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=30)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100_000))
    yield provider
    assert provider.force_flush(60_000)
    provider.shutdown()


@contextmanager
def logging_to(endpoint: str, service: str, resource: Attributes | None = None) -> Generator[LoggerProvider]:
    """The same for log records."""
    provider = LoggerProvider(resource=_named(service, resource), shutdown_on_exit=False)
    exporter = OTLPLogExporter(f"{endpoint}/v1/logs", timeout=30)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=100_000))
    yield provider
    assert provider.force_flush(60_000)
    provider.shutdown()


@contextmanager
def metering(endpoint: str, service: str, resource: Attributes | None = None) -> Generator[MeterProvider]:
    """The same for metrics."""
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics", timeout=30), 600_000)
    provider = MeterProvider([reader], resource=_named(service, resource), shutdown_on_exit=False)
    yield provider
    provider.shutdown()


def _named(service: str, resource: Attributes | None) -> Resource:
    return Resource({"service.name": service, **(resource or {})})


def chat(provider: TracerProvider, *, scope: str = "foreign", **attributes: Any) -> None:
    """One span of a call, in the conventions' names; ``__`` in a keyword stands for a dot."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", **named}
    provider.get_tracer(scope).start_span("chat", attributes=said).end()


def texts(values: Sequence[object]) -> str:
    """All of it, to look for what must not be there."""
    return "\n".join(map(repr, values))
