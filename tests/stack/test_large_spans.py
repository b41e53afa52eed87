"""Spans with captured prompts: Jaeger gets them, cut where its store wants it, and what is sent with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import Status, StatusCode

from tests.harness.stack import Stack, running
from tests.stack.sending import tracing

_PROMPT = "Ä prompt. " * 20_000  # 220 KB
_CUT = 60_000  # bytes


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Collector that lets content pass, and Jaeger."""
    environment = {"OTELCOL_CONTENT": "keep"}
    with running(tmp_path_factory.mktemp("large"), "otelcol", "jaeger", environment=environment) as stack:
        yield stack


def tags(told: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in told.get("tags") or told["fields"]}


def test_what_is_longer_than_jaeger_takes_is_cut_and_marked(keeping: Stack) -> None:
    with tracing(keeping.otlp_http, "large") as provider:
        tracer = provider.get_tracer("foreign")
        with tracer.start_as_current_span("long") as span:
            span.set_attribute("gen_ai.usage.input_tokens", 50_000)
            span.set_attribute("gen_ai.input.messages", _PROMPT)
            span.add_event("answered", {"gen_ai.output.messages": _PROMPT})
            span.set_status(Status(StatusCode.ERROR, _PROMPT))
            with tracer.start_as_current_span("short") as child:
                child.set_attribute("gen_ai.input.messages", "Good day!")
    trace_id = format(span.get_span_context().trace_id, "032x")

    spans = {told["operationName"]: told for told in keeping.jaeger.trace(trace_id, spans=2)}
    long, short = tags(spans["long"]), tags(spans["short"])
    event = tags(spans["long"]["logs"][0])
    assert long["gen_ai.usage.input_tokens"] == 50_000
    for text in (
        long["gen_ai.input.messages"],
        event["gen_ai.output.messages"],
        long["otel.status_description"],
    ):
        assert _CUT - 2 < len(text.encode()) <= _CUT
        assert _PROMPT.startswith(text)
    assert long["genai_otel.truncated"] is event["genai_otel.truncated"] is True
    assert short["gen_ai.input.messages"] == "Good day!"
    assert "genai_otel.truncated" not in short


def test_a_span_of_megabytes_arrives_whole(keeping: Stack) -> None:
    notes = {f"shop.note.{number}": "x" * 55_000 for number in range(120)}
    with tracing(keeping.otlp_http, "huge") as provider:
        span = provider.get_tracer("foreign").start_span("huge", attributes=notes)
        span.end()
    (told,) = keeping.jaeger.trace(format(span.get_span_context().trace_id, "032x"))
    assert tags(told).keys() >= notes.keys()
