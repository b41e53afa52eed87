"""What an app tells its callers: over a real uvicorn, a client that nobody traces, and what arrives at the back end."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.harness.distribution import distribution
from tests.harness.process import Process
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve

pytestmark = pytest.mark.process

APP = """
import asyncio, os, threading, time
import genai_otel
handle = genai_otel.setup(feedback_key="secret")
import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
asked = []

def database():
    asked.append("database")
    if os.path.exists(os.environ["DOWN"]):
        raise ConnectionError("password=hunter2")

async def models():
    async with httpx.AsyncClient() as client:
        await client.get("http://127.0.0.1:" + os.environ["PORT"] + "/")

def hangs():
    time.sleep(60)

@app.get("/ask")
async def ask():
    with genai_otel.inference(provider="mine", model="m") as call:
        call.response(id="r-1")
    return {"ref": genai_otel.response_ref(), "asked": len(asked), "threads": threading.active_count()}

@app.get("/stream")
async def stream():
    async def chunks():
        for _ in range(3):
            yield b"chunk"
    return StreamingResponse(chunks(), headers={"Server-Timing": "db;dur=3", "X-Trace-Id": "mine"})

@app.get("/broken")
async def broken():
    raise RuntimeError("ours")

checks = {"database": database, "models": models, **({"hangs": hangs} if "HANGS" in os.environ else {})}
def furnish():
    genai_otel.instrument_app(
        app, trace_headers=True, health="/health", ready="/ready", feedback="/feedback", checks=checks
    )
WHEN
"""


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", body: object = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


ORDERS = {
    "when it is made": "furnish()\nfurnish()",
    "while it serves": "@app.get('/furnish')\nasync def late():\n    furnish()\n    furnish()",
}


@pytest.fixture(params=ORDERS)
def app(request: pytest.FixtureRequest, tmp_path: Path, sink: HttpSink) -> Iterator[tuple[Process, str]]:
    distribution(tmp_path, "routes", modules={"app": APP.replace("WHEN", ORDERS[request.param])})
    port = sink.endpoint.rpartition(":")[2]
    with serve(tmp_path, "app", sink, DOWN=str(tmp_path / "down"), PORT=port) as process:
        base = address(process)
        if request.param == "while it serves":
            assert ask(f"{base}/furnish").status == 200
        yield process, base


def ended(process: Process) -> None:
    process.signal(signal.SIGTERM)
    process.finish()


@pytest.mark.seed_rows("002-05", "002-24")
@pytest.mark.parametrize("path", ["/ask", "/stream", "/broken", "/unknown"])
def test_each_answer_names_its_trace(app: tuple[Process, str], sink: HttpSink, path: str) -> None:
    process, base = app
    answer = ask(f"{base}{path}")
    ended(process)
    (span,) = [each for each in sink.spans() if each.kind == "SERVER" and "furnish" not in each.name]
    parent = f"00-{span.trace_id}-{span.span_id}-01"
    assert answer.headers["traceresponse"] == parent
    timings = answer.headers.get_all("server-timing")
    assert timings[-1] == f'traceparent;desc="{parent}"'
    if path == "/stream":  # what the app has set stays
        assert (timings[0], answer.headers.get_all("x-trace-id")) == ("db;dur=3", ["mine"])
        assert answer.body == b"chunk" * 3
    else:
        assert answer.headers.get_all("x-trace-id") == [span.trace_id]


@pytest.mark.seed_rows("001-41", "001-42", "001-43", "001-44", "002-27")
@pytest.mark.slow
def test_probes_ask_what_they_may_and_leave_no_trace(
    app: tuple[Process, str], sink: HttpSink, tmp_path: Path
) -> None:
    process, base = app
    alive = [ask(f"{base}/health", method) for method in ("GET", "HEAD")]
    assert [answer.status for answer in alive] == [200, 200]
    assert (alive[0].json["status"], alive[1].body) == ("ok", b"")
    assert alive[0].json["time"].endswith("Z")
    assert ask(f"{base}/health", "POST").status == 405
    assert ask(f"{base}/ask").json["asked"] == 0
    ready = [ask(f"{base}/ready") for _ in range(3)]
    assert [answer.status for answer in ready] == [200] * 3
    assert ready[0].json["checks"] == {"database": "ok", "models": "ok"}
    assert (ready[0].json["status"], ready[0].json["telemetry"]) == ("ready", "on")
    assert ask(f"{base}/ask").json["asked"] == 1  # one answer serves many probes
    (tmp_path / "down").touch()
    time.sleep(5.1)
    down = ask(f"{base}/ready")
    assert (down.status, down.json["status"]) == (503, "unready")
    assert down.json["checks"] == {"database": "ConnectionError", "models": "ok"}
    assert b"hunter2" not in down.body
    ended(process)
    names = [span.name for span in sink.spans()]
    assert not [name for name in names if "health" in name or "ready" in name or name == "GET"]
    routes = {point.attributes.get("http.route") for point in sink.latest("http.server.request.duration")}
    assert routes <= {"/ask", "/furnish"}
    up = {
        point.attributes["genai_otel.dependency.name"]: point.value
        for point in sink.latest("genai_otel.dependency.up")
    }
    assert up == {"database": 0, "models": 1}


@pytest.mark.seed_rows("002-10", "003-32")
def test_feedback_arrives_at_its_span(app: tuple[Process, str], sink: HttpSink) -> None:
    process, base = app
    ref = ask(f"{base}/ask").json["ref"]
    sent = [
        ask(f"{base}/feedback", "POST", body).status
        for body in (
            {"ref": ref, "value": 5},
            {"ref": ref[:-4] + "0000", "value": 5},
            {"ref": ref, "value": 99},
            b"no json",
            b"[" * 100_000,
            [1],
        )
    ]
    assert sent == [204, 403, 400, 400, 413, 400]
    assert ask(f"{base}/feedback").status == 405
    ended(process)
    (call,) = [span for span in sink.spans() if span.scope == "genai_otel" and "chat" in span.name]
    (log,) = [log for log in sink.logs() if "evaluation" in str(log.attributes)]
    assert (log.trace_id, log.span_id) == (call.trace_id, call.span_id)
    sent_to = [span for span in sink.spans() if span.name == "POST /feedback"]
    assert {span.attributes["http.route"] for span in sent_to} == {"/feedback"}
    assert len(sent_to) == 6


@pytest.mark.seed_rows("001-41", "001-42")
@pytest.mark.slow
def test_a_check_that_hangs_is_a_timeout_and_gets_no_company(tmp_path: Path, sink: HttpSink) -> None:
    distribution(tmp_path, "routes", modules={"app": APP.replace("WHEN", "furnish()")})
    port = sink.endpoint.rpartition(":")[2]
    with serve(tmp_path, "app", sink, DOWN=str(tmp_path / "down"), PORT=port, HANGS="1") as process:
        base = address(process)
        before = ask(f"{base}/ask").json["threads"]
        for _ in range(2):
            answer = ask(f"{base}/ready")
            assert (answer.status, answer.json["checks"]["hangs"]) == (503, "timeout")
            time.sleep(5.1)
        assert ask(f"{base}/ask").json["threads"] <= before + 1
        begun = time.monotonic()
        ended(process)
        assert time.monotonic() - begun < 5


def test_a_path_without_a_slash_is_one_clear_error() -> None:
    from fastapi import FastAPI

    from genai_otel.web import instrument_app

    with pytest.raises(ValueError, match="'health' does not"):
        instrument_app(FastAPI(), health="health")
    with pytest.raises(ValueError, match="checks are asked by the route that ready names"):
        instrument_app(FastAPI(), checks={"database": bool})
