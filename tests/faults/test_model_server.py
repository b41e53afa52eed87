"""A small model server over a real uvicorn, whose clients read to the end, go away or never get to the model."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve

pytestmark = pytest.mark.process

SERVER = """
import asyncio, json, os
import genai_otel
PROVIDER
genai_otel.setup()
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()
slots = asyncio.Semaphore(1)

async def engine(prompt, served):
    async with slots:
        served.started()
        for number in range(len(prompt)):
            await asyncio.sleep(0.02)
            if prompt == "die" and number == 1:
                raise MemoryError("no room")
            yield f"data: {number}\\n\\n"

def generate(request, body):
    with genai_otel.serve(model="tiny", provider="mine", headers=request.headers, queued=True) as served:
        served.response(input_tokens=len(body["prompt"]))
        return served.stream(engine(body["prompt"], served), lambda _: served.token())

async def inside(request, body):
    with genai_otel.serve(model="tiny", provider="mine", headers=request.headers, queued=True) as served:
        async for piece in engine(body["prompt"], served):
            served.token()
            yield piece

@app.post("/returned")
async def returned(request: Request):
    return StreamingResponse(generate(request, await request.json()), media_type="text/event-stream")

@app.post("/generated")
async def generated(request: Request):
    return StreamingResponse(inside(request, await request.json()), media_type="text/event-stream")
"""

OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))
"""


def talk(base: str, path: str, prompt: str, *, until: bytes | None = None) -> socket.socket:
    """Ask, and read until ``until`` has come, or to the end."""
    body = f'{{"prompt": "{prompt}"}}'.encode()
    host, _, port = base.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    seen = b""
    while until is None or until not in seen:
        part = connection.recv(65_536)
        if not part:
            break
        seen += part
    return connection


@pytest.mark.seed_rows("003-01", "003-02", "003-14")
@pytest.mark.parametrize("path", ["/returned", "/generated"])
@pytest.mark.parametrize("sampling", ["1.0", "0.0", "the user's"])
def test_every_request_is_counted_with_how_it_ended(
    path: str, sampling: str, tmp_path: Path, sink: HttpSink
) -> None:
    provider = OWN_PROVIDER if sampling == "the user's" else ""
    distribution(tmp_path, "serving", modules={"server": SERVER.replace("PROVIDER", provider)})
    ratio = "1.0" if sampling == "the user's" else sampling
    env = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    with serve(tmp_path, "server", sink, **env) as server:
        base = address(server)
        talk(base, path, "a" * 5).close()
        talk(base, path, "die").close()
        busy = talk(base, path, "b" * 500, until=b"data: 2")
        waiting = talk(
            base, path, "c" * 5, until=b"\r\n\r\n"
        )  # the head of an answer that waits for its slot
        waiting.close()
        busy.close()
        talk(base, path, "d" * 5).close()
        server.signal(signal.SIGTERM)
        server.finish()
    counts = {
        point.attributes.get("error.type"): point.count
        for point in sink.latest("gen_ai.server.request.duration")
    }
    assert counts == {None: 2, "MemoryError": 1, "cancelled": 2}
    (first,) = sink.latest("gen_ai.server.time_to_first_token")
    (each,) = sink.latest("gen_ai.server.time_per_output_token")
    assert (first.count, each.count) == (2, 2)
    assert 0.015 < each.sum / 2 < 0.2
    (queue,) = sink.latest("genai_otel.server.queue.time")
    assert queue.count == 4  # one never got to the model
    active = sink.latest("genai_otel.server.active_requests")
    assert sum(point.value for point in active) == 0
    assert not [name for name in sink.metrics() if name.startswith("gen_ai.client")]
    served = [span for span in sink.spans() if span.scope == "genai_otel"]
    if sampling != "1.0":
        assert served == []
        return
    told = sorted(
        (
            span.attributes["genai_otel.outcome"],
            span.attributes.get("gen_ai.usage.output_tokens", 0) >= 3,
            span.status == "ERROR",
        )
        for span in served
    )
    assert told == [
        ("cancelled", False, False),
        ("cancelled", True, False),
        ("completed", True, False),
        ("completed", True, False),
        ("failed", False, True),
    ]
    assert {span.kind for span in served} == {"SERVER"}


UPSTREAM = """
import sys
import genai_otel
genai_otel.setup()
import httpx
with genai_otel.inference(provider="mine", model="tiny", url=sys.argv[1]) as call:
    with httpx.stream("POST", sys.argv[1] + "/returned", json={"prompt": "abc"}) as answer:
        for _ in call.stream(answer.iter_lines()):
            pass
    call.response(output_tokens=3)
"""


def test_a_call_and_its_request_are_one_trace_and_one_count(tmp_path: Path, sink: HttpSink) -> None:
    distribution(tmp_path, "serving", modules={"server": SERVER.replace("PROVIDER", "")})
    with serve(tmp_path, "server", sink) as server:
        run(UPSTREAM, arguments=[address(server)], env=sink.environment()).ok()
        server.signal(signal.SIGTERM)
        server.finish()
    kinds = {span.kind: span for span in sink.spans() if span.scope == "genai_otel"}
    assert kinds["SERVER"].trace_id == kinds["CLIENT"].trace_id
    assert "genai_otel.measured" not in kinds["SERVER"].attributes
    (tokens,) = sink.latest("gen_ai.client.token.usage")
    assert (tokens.count, tokens.sum) == (1, 3)
