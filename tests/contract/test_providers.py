"""The program's own providers are used, never replaced and never shut down."""

from __future__ import annotations

import pytest

from genai_otel.testing import ModelServer
from tests.contract.warm import Warm
from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

SCRIPT = """
import json, os
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
import genai_otel
from tests.contract import oracle
from tests.contract.payloads.openai import PAYLOAD

exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
mine = TracerProvider(sampler=ALWAYS_OFF if os.environ.get("OFF") else ALWAYS_ON)
mine.add_span_processor(SimpleSpanProcessor(genai_otel.pipeline(exporter) if os.environ.get("WRAP") else exporter))
meters = MeterProvider([reader])
if os.environ.get("PASSED"):
    handle = genai_otel.setup(tracer_provider=mine, meter_provider=meters)
else:
    trace.set_tracer_provider(mine)
    metrics.set_meter_provider(meters)
    handle = genai_otel.setup()
    assert trace.get_tracer_provider() is mine and metrics.get_meter_provider() is meters
assert handle.tracer_provider is mine and handle.meter_provider is meters
assert genai_otel.setup() is handle

client = PAYLOAD.make(os.environ["MODELS"], False)
chat = PAYLOAD.cases[0]

def calls():
    with mine.get_tracer("program").start_as_current_span("request"):
        chat.call(client, PAYLOAD.model)
        list(chat.stream(client, PAYLOAD.model))
        try:
            chat.call(client, PAYLOAD.model + "+error-500")
        except Exception:
            pass

calls()
assert genai_otel.flush() and genai_otel.shutdown()
calls()
trace_spans = exporter.get_finished_spans()
print(json.dumps([[span.name, dict(span.attributes or {}), span.status.status_code.name] for span in trace_spans
                  if (span.instrumentation_scope or 0).name == "genai_otel"]))
print(json.dumps(sorted({(span.instrumentation_scope or 0).name for span in trace_spans})))
points = {}
data = reader.get_metrics_data()
for scope in data.resource_metrics[0].scope_metrics if data else ():
    for metric in scope.metrics:
        if metric.name == "gen_ai.client.operation.duration":
            for point in metric.data.data_points:
                points[str(point.attributes.get("error.type"))] = point.count
print(json.dumps(points))
"""


@pytest.mark.parametrize("passed", ["", "1"])
def test_the_programs_own_providers(warm: Warm, model_server: ModelServer, passed: str) -> None:
    env = {"MODELS": model_server.base_url, "OTEL_SEMCONV_STABILITY_OPT_IN": "http", "PASSED": passed}
    spans, scopes, points = warm.run(SCRIPT, env).said
    assert len(spans) == 6  # those after our shutdown too: the provider is still his
    for name, attributes, _ in spans:
        assert name.startswith("chat gpt-4o-mini")
        assert attributes["genai_otel.outcome"] in ("completed", "failed")
        assert attributes["genai_otel.measured"] is True
    assert [status for *_, status in spans] == ["UNSET", "UNSET", "ERROR"] * 2
    assert spans[0][1]["gen_ai.usage.input_tokens"] == 12
    assert "program" in scopes
    assert points == {"None": 4, "InternalServerError": 2}


def test_metrics_are_exact_where_the_programs_sampler_drops(warm: Warm, model_server: ModelServer) -> None:
    spans, scopes, points = warm.run(SCRIPT, {"MODELS": model_server.base_url, "OFF": "1"}).said
    assert (spans, scopes) == ([], [])
    assert points == {"None": 4, "InternalServerError": 2}


ENDINGS = """
import atexit, gc, os, sys
import genai_otel
from tests.contract.payloads.openai import PAYLOAD

genai_otel.setup()
client = PAYLOAD.make(os.environ["MODELS"], False)
chat = PAYLOAD.cases[0]

alive = chat.stream(client, PAYLOAD.model + "+chunks-3")      # in a global, read in part
next(alive)
never_read = chat.stream(client, PAYLOAD.model + "+chunks-4")
cycle = [chat.stream(client, PAYLOAD.model + "+chunks-5")]
cycle.append(cycle)
del cycle
gc.disable()
held = chat.stream(client, PAYLOAD.model + "+chunks-6")
generator = (chunk for chunk in held)
next(generator)
raw = chat.stream(client, PAYLOAD.model + "+chunks-7", via="with_raw_response")
manager = chat.help(client, PAYLOAD.model + "+chunks-8")
entered = manager.__enter__()
next(entered)
chat.call(client, PAYLOAD.model)
atexit.register(lambda: chat.call(client, PAYLOAD.model + "+chunks-9"))  # runs before our own end
"""
ASYNC_ENDINGS = """
import asyncio, os
import genai_otel
from tests.contract.payloads.openai import PAYLOAD

genai_otel.setup()
chat = PAYLOAD.cases[0]
kept = []

async def main():
    client = PAYLOAD.make(os.environ["MODELS"], True)
    for number in (3, 4):
        stream = await chat.stream(client, f"{PAYLOAD.model}+chunks-{number}")
        await anext(stream)
        kept.append(stream)
    kept.append(client)
    task = asyncio.create_task(chat.call(client, PAYLOAD.model + "+hang"))
    await asyncio.sleep(0.1)  # asyncio.run cancels it

asyncio.run(main())
"""


def test_streams_alive_at_the_end_of_the_process_yield_their_span(
    warm: Warm, model_server: ModelServer
) -> None:
    with HttpSink() as sink:
        env = {"MODELS": model_server.base_url, **sink.environment()}
        warm.run(ENDINGS, env)
        spans = [span for span in sink.spans() if span.scope == "genai_otel"]
        outcomes = sorted(
            (span.attributes["gen_ai.request.model"].partition("+")[2], span.attributes["genai_otel.outcome"])
            for span in spans
        )
        assert outcomes == [
            ("", "completed"),
            *((f"chunks-{number}", "abandoned") for number in (3, 4, 5, 6, 7, 8)),
            ("chunks-9", "completed"),
        ]
        assert sum(point.count for point in sink.latest("gen_ai.client.operation.duration")) == 8

        sink.clear()
        warm.run(ASYNC_ENDINGS, env)
        spans = [span for span in sink.spans() if span.scope == "genai_otel"]
        outcomes = sorted(span.attributes["genai_otel.outcome"] for span in spans)
        assert outcomes.pop(outcomes.index("cancelled"))
        # asyncio.run() closes the generators that are left, ours or the client's first.
        assert len(outcomes) == 2
        assert set(outcomes) <= {"abandoned", "closed"}
        assert sum(point.count for point in sink.latest("gen_ai.client.operation.duration")) == 3


EVENT_LOOPS = """
import os
import trio
import genai_otel
from tests.contract.payloads.openai import PAYLOAD

genai_otel.setup()
chat = PAYLOAD.cases[0]

async def main():
    client = PAYLOAD.make(os.environ["MODELS"], True)
    await chat.call(client, PAYLOAD.model)
    async for chunk in await chat.stream(client, PAYLOAD.model):
        pass
    async with await chat.stream(client, PAYLOAD.model) as stream:
        async for chunk in stream:
            break
    with trio.move_on_after(0.1) as scope:
        await chat.call(client, PAYLOAD.model + "+hang")
    assert scope.cancelled_caught
    await client.close()

trio.run(main)
"""


def test_trio(warm: Warm, model_server: ModelServer) -> None:
    pytest.importorskip("trio")
    with HttpSink() as sink:
        warm.run(EVENT_LOOPS, {"MODELS": model_server.base_url, **sink.environment()})
        spans = [span for span in sink.spans() if span.scope == "genai_otel"]
        assert [span.attributes["genai_otel.outcome"] for span in spans] == [
            "completed",
            "completed",
            "closed",
            "cancelled",
        ]


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import os
import gevent
import genai_otel
from opentelemetry import trace

handle = genai_otel.setup()
from tests.contract.payloads.openai import PAYLOAD
client = PAYLOAD.make(os.environ["MODELS"], False)
chat = PAYLOAD.cases[0]
tracer = trace.get_tracer("program")

def work(number):
    with tracer.start_as_current_span(f"request {number}"):
        chat.call(client, f"{PAYLOAD.model}+slow-first-{number}0ms")
        list(chat.stream(client, f"{PAYLOAD.model}+slow-chunk-{number}ms"))
        assert trace.get_current_span().name == f"request {number}"

gevent.joinall([gevent.spawn(work, number) for number in range(1, 6)], raise_error=True)
assert handle.flush()
"""


def test_gevent(model_server: ModelServer) -> None:
    pytest.importorskip("gevent")
    with HttpSink() as sink:
        run(GREENLETS, env={"MODELS": model_server.base_url, **sink.environment()}).ok()
        spans = sink.spans()
    requests = {span.span_id: span.name for span in spans if span.scope == "program"}
    ours = [span for span in spans if span.scope == "genai_otel"]
    assert len(ours) == 10
    for span in ours:
        number = span.name.rpartition("-")[2].strip("ms")[0]
        assert requests[span.parent_id] == f"request {number}"
