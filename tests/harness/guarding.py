"""Spans of the SDK's, and how they leave through the guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span

from genai_otel.guard import Guard

KEY = "sk-proj-0123456789abcdef"
CANARY = "canary-of-what-was-said"


class Kept(SpanExporter):
    """Keeps what it gets, batch by batch."""

    def __init__(self, result: SpanExportResult = SpanExportResult.SUCCESS) -> None:
        self.batches: list[Sequence[ReadableSpan]] = []
        self.result = result

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.batches.append(spans)
        return self.result

    @property
    def spans(self) -> list[ReadableSpan]:
        return [span for batch in self.batches for span in batch]


def ended(*writes: Callable[[Span], None], name: str = "chat gpt-4o", **provided: Any) -> list[ReadableSpan]:
    """Spans of the SDK's, each written by one function."""
    links = provided.pop("links", ())
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, **provided)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for write in writes:
        span = provider.get_tracer("test").start_span(name, links=links)
        write(span)
        span.end()
    return list(memory.get_finished_spans())


def has(**attributes: Any) -> Callable[[Span], None]:
    return lambda span: span.set_attributes(
        {name.replace("__", "."): value for name, value in attributes.items()}
    )


def guarded(spans: list[ReadableSpan], **options: Any) -> list[ReadableSpan]:
    """The spans as they leave; twice, because the second time the guard knows them."""
    exporter = Kept()
    guard = Guard(exporter, **options)
    assert guard.export(spans) is SpanExportResult.SUCCESS
    first = exporter.spans
    exporter.batches.clear()
    guard.export(spans)
    for span in (*first, *exporter.spans):
        encode_spans([span]).SerializeToString()  # whatever leaves can be sent
    assert [span.to_json() for span in exporter.spans] == [span.to_json() for span in first]
    return exporter.spans


def exported(spans: list[ReadableSpan]) -> bytes:
    return encode_spans(spans).SerializeToString()


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})
