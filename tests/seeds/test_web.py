"""A web service without a line of middleware: its requests, what it asks of others, which request a line is about."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import genai_otel
from genai_otel.testing import ModelServer
from tests.contract.recorded import Recorded
from tests.harness.distribution import distribution
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve


@pytest.mark.seed_rows("000-06", "002-23", "004-14")
def test_requests_are_timed_by_route_in_the_conventions_buckets(telemetry: Recorded) -> None:
    app = FastAPI()

    @app.get("/papers/{number}")
    def paper(number: int) -> int:
        return 1 // number

    client = TestClient(app, raise_server_exceptions=False)
    assert [client.get(f"/papers/{number}").status_code for number in (1, 2, 0)] == [200, 200, 500]
    found = {
        point.attributes["http.response.status_code"]: point
        for point in telemetry.metrics()["http.server.request.duration"]
    }
    assert {status: point.count for status, point in found.items()} == {200: 2, 500: 1}
    assert [point.attributes["http.route"] for point in found.values()] == ["/papers/{number}"] * 2
    assert found[200].bounds[:3] == (0.005, 0.01, 0.025)
    assert found[500].attributes["error.type"]
    traces = {span.context.trace_id for span in telemetry.spans()}
    assert {exemplar.trace_id for exemplar in found[200].exemplars} < traces


@pytest.mark.seed_rows("004-07")
def test_what_others_take_and_how_they_fail_is_told_by_peer(
    telemetry: Recorded, model_server: ModelServer
) -> None:
    with httpx.Client() as client:
        assert client.get(f"{model_server.base_url}/models").status_code == 200
        assert client.get(f"{model_server.base_url}/nothing").status_code == 404
        with pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:9/")
    port = int(model_server.base_url.rpartition(":")[2].partition("/")[0])
    found = {
        (point.attributes["server.port"], point.attributes.get("error.type")): point.count
        for point in telemetry.metrics()["http.client.request.duration"]
    }
    assert found == {(port, None): 1, (port, "404"): 1}
    # httpx' instrumentation measures what was answered; that nobody was there stands on the span alone.
    assert [span.attributes.get("error.type") for span in telemetry.spans()][-1] == "ConnectError"


APP = """
import logging, os
import genai_otel
genai_otel.setup(json_logs=True)
import httpx
from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger("shop")
log.setLevel("INFO")

@app.get("/ask")
async def ask():
    log.info("asked")
    with genai_otel.inference(provider="mine", model="m", url=os.environ["NEXT"]):
        async with httpx.AsyncClient() as client:
            await client.get(os.environ["NEXT"])
    return {}

genai_otel.instrument_app(app, request_id="X-Request-ID")
"""


@pytest.mark.process
@pytest.mark.seed_rows("000-02", "002-25", "004-24", "004-25")
@pytest.mark.parametrize(
    ("given", "kept"), [("order/7:a", True), ("x" * 129, False), ("a b\u00e9", False), ("", False)]
)
def test_a_request_has_its_callers_name_and_every_line_its_trace(
    tmp_path: Path, sink: HttpSink, model_server: ModelServer, given: str, *, kept: bool
) -> None:
    distribution(tmp_path, "named", modules={"app": APP})
    with serve(tmp_path, "app", sink, NEXT=f"{model_server.base_url}/models") as process:
        request = urllib.request.Request(f"{address(process)}/ask")
        request.add_header("x-request-id", given)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers.get_all("x-request-id") == ([given] if kept else None)
        process.signal(signal.SIGTERM)
        out = process.finish().out
    spans = sink.spans()
    assert len(spans) == 3
    assert {span.attributes.get("genai_otel.request.id") for span in spans} == {given if kept else None}
    (trace_id,) = {span.trace_id for span in spans}
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    told = {line["logger"]: line.get("trace_id") for line in lines}
    assert told["shop"] == told["uvicorn.access"] == trace_id
    assert sum(line["logger"] == "uvicorn.access" for line in lines) == 1
    baggage = model_server.requests[-1].headers.get("baggage", "")
    assert ("genai_otel.request.id" in baggage) is kept


@pytest.mark.parametrize("wrong", ["", "X Request", "a:b", "é"])
def test_a_header_that_is_none_is_one_clear_error(wrong: str) -> None:
    with pytest.raises(ValueError, match="request_id is the name of a header"):
        genai_otel.instrument_app(FastAPI(), request_id=wrong)
