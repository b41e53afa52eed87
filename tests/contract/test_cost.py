"""What calls cost: on their spans, in the metrics, and not at all where nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource

from genai_otel.testing import ModelServer
from tests.contract.warm import Warm
from tests.harness.process import run
from tests.harness.sink import HttpSink, Sink

pytestmark = pytest.mark.process

COST = "genai_otel.client.cost"
AMOUNT = "genai_otel.cost.amount"

CALLS = """
import json, os
from tests.contract.payloads.openai import PAYLOAD
import genai_otel
SETUP
client = PAYLOAD.make(os.environ["MODELS"], False)
chat, embeddings = PAYLOAD.cases[0], next(case for case in PAYLOAD.cases if case.path == "embeddings.create")
def calls():
    chat.call(client, "gpt-4o-mini+input-1000000+output-500000+cached-200000")
    list(chat.stream(client, "gpt-4o-mini", stream_options={"include_usage": True}))
    chat.call(client, "nobody-knows")
    try:
        chat.call(client, "gpt-4o-mini+error-500")
    except Exception:
        pass
    next(iter(chat.stream(client, "gpt-4o")))
    embeddings.call(client, "text-embedding-3-small")
calls()
"""
# 1,000,000 input tokens, of which 200,000 were cached, at 0.15 and 0.075 $ per million; 500,000 of output at 0.6 $.
LARGE = 0.12 + 0.015 + 0.3
# 12 input tokens, of which 4 were cached, 7 output tokens.
SMALL = (8 * 0.15 + 4 * 0.075 + 7 * 0.6) / 1e6
EMBEDDED = 12 * 0.02 / 1e6


def script(setup: str = "genai_otel.setup()") -> str:
    return CALLS.replace("SETUP", setup)


def by(sink: Sink, label: str) -> dict[Any, float]:
    found: dict[Any, float] = {}
    for point in sink.latest(COST):
        found[point.attributes[label]] = found.get(point.attributes[label], 0) + point.value
    return found


def costs(sink: Sink) -> list[float]:
    return sorted(span.attributes[AMOUNT] for span in sink.spans() if AMOUNT in span.attributes)


@pytest.mark.seed_rows("000-30", "002-04", "003-34")
@pytest.mark.parametrize("ratio", ["1", "0"])
def test_cost_on_spans_and_in_metrics_at_any_ratio(
    warm: Warm, model_server: ModelServer, sink: HttpSink, ratio: str
) -> None:
    env = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    done = warm.run(script(), {"MODELS": model_server.base_url, **sink.environment(), **env})
    parts = by(sink, "genai_otel.cost.component")
    assert sum(parts.values()) == pytest.approx(LARGE + SMALL + EMBEDDED, rel=1e-12)
    assert parts["cache_read"] == pytest.approx(0.015 + 4 * 0.075 / 1e6)
    assert parts.keys() == {"input", "cache_read", "output"}
    for point in sink.latest(COST):
        assert point.attributes.keys() == {
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.response.model",
            "genai_otel.cost.component",
            "genai_otel.cost.source",
        }
    unpriced = {
        (point.attributes["gen_ai.request.model"], point.attributes["error.type"]): point.value
        for point in sink.latest(f"{COST}.unpriced")
    }
    assert unpriced == {("nobody-knows", "unknown_model"): 1, ("gpt-4o", "no_usage"): 1}
    assert costs(sink) == ([] if ratio == "0" else pytest.approx([EMBEDDED, SMALL, LARGE], rel=1e-12))
    assert done.out.count("have no known cost") == 2
    for span in sink.spans():
        if AMOUNT in span.attributes:
            assert span.attributes["genai_otel.cost.currency"] == "USD"
            assert span.attributes["genai_otel.cost.source"] == "local"
            assert span.attributes["genai_otel.cost.price_date"] >= "2026-11-10"


OWN = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
traces, meters = TracerProvider(), MeterProvider([reader])
traces.add_span_processor(SimpleSpanProcessor(exporter))
genai_otel.setup(tracer_provider=traces, meter_provider=meters)
"""
WATCHED = """
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
handle = genai_otel.setup(metric_readers=[reader], console="off")
handle.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
"""
SAID = """
genai_otel.flush()
spans = [dict(span.attributes) for span in exporter.get_finished_spans()]
points = [(point.value, dict(point.attributes)) for resource in reader.get_metrics_data().resource_metrics
          for scope in resource.scope_metrics for metric in scope.metrics
          if metric.name == "genai_otel.client.cost" for point in metric.data.data_points]
print(json.dumps([spans, points]))
"""


@pytest.mark.parametrize("setup", [OWN, WATCHED], ids=["own providers", "own processor"])
def test_spans_of_the_sdks_class_have_their_cost_when_they_end(
    warm: Warm, model_server: ModelServer, setup: str
) -> None:
    done = warm.run(script(setup) + SAID, {"MODELS": model_server.base_url})
    ((spans, points),) = done.said
    assert sorted(span[AMOUNT] for span in spans if AMOUNT in span) == pytest.approx(
        [EMBEDDED, SMALL, LARGE], rel=1e-12
    )
    assert sum(value for value, _ in points) == pytest.approx(LARGE + SMALL + EMBEDDED, rel=1e-12)


PRICES = """genai_otel.setup(prices={
    "alias": {"gpt-4o-mini*": "mine"},
    "openai": {"mine": {"input": 1, "output": 2}, "text-*": {"request": 0.5}},
})"""


@pytest.mark.seed_rows("003-09")
def test_own_prices_and_aliases(warm: Warm, model_server: ModelServer, sink: HttpSink) -> None:
    env = {"GENAI_OTEL_COST_ATTRIBUTES": "operation.cost"}
    warm.run(script(PRICES), {"MODELS": model_server.base_url, **sink.environment(), **env})
    assert by(sink, "genai_otel.cost.source") == {"custom": pytest.approx(2 + 26e-6 + 0.5)}
    assert costs(sink) == pytest.approx([26e-6, 0.5, 2])
    for span in sink.spans():
        assert span.attributes.get("operation.cost") == span.attributes.get(AMOUNT)
    (age,) = sink.latest("genai_otel.prices.age")
    assert age.value > 86_400
    assert age.attributes == {"genai_otel.cost.source": "local"}


FOREIGN = """
import genai_otel
from opentelemetry import trace
from opentelemetry.trace import SpanKind
genai_otel.setup()
tracer = trace.get_tracer("somebody")
USED = {"gen_ai.usage.input_tokens": 1000000, "gen_ai.usage.output_tokens": 1000000}
with tracer.start_as_current_span("invoke_agent a", attributes={"gen_ai.operation.name": "invoke_agent",
                                  "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini", **USED}):
    with tracer.start_as_current_span("ChatOpenAI", attributes={"openinference.span.kind": "LLM"}) as span:
        span.set_attributes({"llm.provider": "openai", "llm.model_name": "gpt-4o-mini",
                             "llm.token_count.prompt": 1000000, "llm.token_count.completion": 1000000})
        with tracer.start_as_current_span("inner", attributes={"gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini", **USED}):
            pass
with tracer.start_as_current_span("serve", kind=SpanKind.SERVER, attributes={"gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini", **USED}):
    pass
"""


def test_of_spans_of_others_the_owner_alone_costs_something(sink: HttpSink) -> None:
    run(FOREIGN, env=sink.environment()).ok()
    assert {span.name: span.attributes.get(AMOUNT) for span in sink.spans()} == {
        "inner": None,
        "ChatOpenAI": pytest.approx(0.75),
        "invoke_agent a": None,
        "serve": None,
    }
    assert sum(by(sink, "genai_otel.cost.source").values()) == pytest.approx(0.75)


@pytest.mark.skipif(
    "service.instance.id" not in Resource.create().attributes,
    reason="this SDK gives processes no id of their own: their series cannot be told apart",
)
def test_a_forked_child_counts_its_own(warm: Warm, model_server: ModelServer, sink: HttpSink) -> None:
    forked = """
chat.call(client, "gpt-4o-mini")
pid = os.fork()
client = client if pid else PAYLOAD.make(os.environ["MODELS"], False)  # connections are not for two
chat.call(client, "gpt-4o-mini")
genai_otel.shutdown()
if not pid:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    warm.run(script().replace("\ncalls()\n", forked), {"MODELS": model_server.base_url, **sink.environment()})
    assert costs(sink) == pytest.approx([SMALL] * 3)
    assert sum(by(sink, "genai_otel.cost.source").values()) == pytest.approx(3 * SMALL)


def test_a_warning_per_model_and_not_for_ever(sink: HttpSink) -> None:
    many = """
    import genai_otel
    from opentelemetry import trace
    genai_otel.setup()
    for number in range(2000):
        with trace.get_tracer("somebody").start_as_current_span("chat", attributes={
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                "gen_ai.request.model": f"made-up-{number}", "gen_ai.usage.input_tokens": 1}):
            pass
    """
    done = run(many, env=sink.environment()).ok()
    assert done.err.count("have no known cost") == 256
    assert sum(point.value for point in sink.latest(f"{COST}.unpriced")) == 2000
