"""Metrics in Prometheus: the same names and labels whoever measured a call, and the way from a number to its trace."""

from __future__ import annotations

import time
from typing import Any, Final

from tests.harness.process import run
from tests.harness.stack import Stack
from tests.stack.sending import chat, tracing

_OURS: Final = """
from openai import OpenAI
import genai_otel
from genai_otel.testing import ModelServer

handle = genai_otel.setup(service_name="measured-in-the-process")
with ModelServer() as model:
    client = OpenAI(base_url=model.base_url, api_key="none", max_retries=0)
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Good day!"}])
handle.shutdown()
"""
_FOREIGN: Final[dict[str, Any]] = {
    "gen_ai__request__model": "gpt-4o",
    "gen_ai__response__model": "gpt-4o-2024-07-18",
    "gen_ai__usage__input_tokens": 12,
    "gen_ai__usage__output_tokens": 7,
    "server__address": "127.0.0.1",
    "server__port": 8080,
}
_INSTANCE: Final = {"instance", "service_instance_id"}
"""Labels of a process: what the Collector measures is of a service, whichever process made the call."""


def test_a_call_has_the_same_series_whoever_measured_it(stack: Stack) -> None:
    run(_OURS, env={"OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http}, timeout=60).ok()
    with tracing(stack.otlp_http, "measured-in-the-collector") as provider:
        chat(provider, **_FOREIGN)
    ours, foreign = (_series(stack, f"measured-in-the-{where}") for where in ("process", "collector"))
    assert foreign == ours
    assert {dict(series)["__name__"] for series in foreign} == {
        f"gen_ai_client_{metric}_{part}"
        for metric in ("operation_duration_seconds", "token_usage")
        for part in ("bucket", "count", "sum")
    }


def _series(stack: Stack, service: str) -> set[tuple[tuple[str, str], ...]]:
    """Names and labels, but those of the process and its service."""
    ours = f'{{service_name="{service}",__name__=~"gen_ai_client_.*"}}'
    stack.prometheus.wait(f'gen_ai_client_token_usage_count{{service_name="{service}"}}')
    apart = {"job", "service_name", "server_port", *_INSTANCE}
    return {
        tuple(sorted((name, value) for name, value in series["metric"].items() if name not in apart))
        for series in stack.prometheus.query(ours)
    }


def test_a_number_points_to_a_trace(stack: Stack) -> None:
    run(
        _OURS.replace("in-the-process", "with-exemplars"),
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http},
    ).ok()
    series = 'gen_ai_client_operation_duration_seconds_bucket{service_name="measured-with-exemplars"}'
    found: list[dict[str, Any]] = stack.prometheus.until(lambda: _exemplars(stack, series))
    (span,) = {exemplar["labels"]["trace_id"] for each in found for exemplar in each["exemplars"]}
    assert "chat gpt-4o" in {each["operationName"] for each in stack.jaeger.trace(span)}


def _exemplars(stack: Stack, series: str) -> Any:
    now = time.time()
    return stack.prometheus.get("/api/v1/query_exemplars", query=series, start=now - 3600, end=now + 60)[
        "data"
    ]
