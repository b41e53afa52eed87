"""A call that goes through a gateway to a model server, all of them traced: one count in the whole system."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from genai_otel.testing import ModelServer
from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve

pytestmark = pytest.mark.process

GATEWAY = """
import os
import genai_otel
genai_otel.setup()
from fastapi import FastAPI, Request
from openai import AsyncOpenAI

app = FastAPI()
models = AsyncOpenAI(base_url=os.environ["MODELS"], api_key="inner")

@app.post("/v1/chat/completions")
async def chat(request: Request):
    answer = await models.chat.completions.create(**await request.json())
    return answer.model_dump()
"""

# As vLLM's own tracing does (`tests/golden/spans/vllm.json`): a SERVER span that is made when the answer is whole,
# without attributes at first, under the trace that came with the request.
MODEL_SERVER = """
import os, time
import genai_otel
genai_otel.setup()
import httpx
from fastapi import FastAPI, Request
from opentelemetry import propagate, trace

app = FastAPI()
tracer = trace.get_tracer("vllm.tracing.otel")

@app.post("/v1/chat/completions")
async def chat(request: Request):
    arrival = time.time_ns()
    async with httpx.AsyncClient() as client:
        answer = await client.post(os.environ["MODELS"] + "/chat/completions", content=await request.body())
    told = answer.json()
    span = tracer.start_span(
        "llm_request", propagate.extract(request.headers), trace.SpanKind.SERVER, start_time=arrival
    )
    span.set_attribute("gen_ai.request.id", told["id"])
    span.set_attribute("gen_ai.usage.prompt_tokens", told["usage"]["prompt_tokens"])
    span.set_attribute("gen_ai.usage.completion_tokens", told["usage"]["completion_tokens"])
    span.set_attribute("gen_ai.latency.e2e", (time.time_ns() - arrival) / 1e9)
    span.end()
    return told
"""

CALLER = """
import sys
import genai_otel
genai_otel.setup()
from openai import OpenAI
with OpenAI(base_url=sys.argv[1], api_key="k") as client:
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
"""


@pytest.mark.parametrize("ratio", ["1.0", "0.0"])
def test_a_call_through_a_gateway_is_counted_once(
    ratio: str, tmp_path: Path, sink: HttpSink, model_server: ModelServer
) -> None:
    distribution(tmp_path, "served", modules={"gateway": GATEWAY, "engine": MODEL_SERVER})
    sampling = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    with (
        serve(tmp_path, "engine", sink, MODELS=model_server.base_url) as engine,
        serve(tmp_path, "gateway", sink, MODELS=f"{address(engine)}/v1") as gateway,
    ):
        env = {**sink.environment(), "OTEL_SERVICE_NAME": "caller", **sampling}
        run(CALLER, arguments=[f"{address(gateway)}/v1"], env=env).ok()
        for server in (gateway, engine):
            server.signal(signal.SIGTERM)
            server.finish()
    if ratio == "1.0":
        calls = [span for span in sink.spans() if span.attributes.get("gen_ai.operation.name") == "chat"]
        assert len({span.trace_id for span in calls}) == 1
        assert sorted(
            span.attributes.get("genai_otel.owner", True) for span in calls if span.kind == "CLIENT"
        ) == [
            False,
            True,
        ]
        assert sum(span.attributes.get("genai_otel.measured", False) for span in calls) == 1
    tokens = {
        point.attributes["gen_ai.token.type"]: point for point in sink.points("gen_ai.client.token.usage")
    }
    assert {kind: (point.count, point.sum) for kind, point in tokens.items()} == {
        "input": (1, 12),
        "output": (1, 7),
    }
    assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
    (served,) = sink.points("gen_ai.server.request.duration")
    assert (served.count, served.attributes["gen_ai.provider.name"]) == (1, "vllm")
