"""Is it alive, is it ready, do its models answer: asked by anybody, at nobody's cost."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import genai_otel
from genai_otel.testing import ModelServer
from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve

APP = """
import os
import genai_otel
genai_otel.setup()
import openai
from fastapi import FastAPI

app = FastAPI()
here = openai.AsyncOpenAI(base_url=os.environ["MODELS"], api_key="k", max_retries=0)
gone = openai.OpenAI(base_url=os.environ["MODELS"], api_key="k", max_retries=0)
PING = [{"role": "user", "content": "ping"}]

async def answers():
    await here.chat.completions.create(model="gpt-4o-mini", messages=PING, max_tokens=1)

def fails():
    gone.chat.completions.create(model="gpt-4o+error-500", messages=PING, max_tokens=1)

genai_otel.probe_models({"gpt-4o-mini": answers, "gpt-4o": fails}, every=1.0)
genai_otel.instrument_app(app, health="/health", ready="/ready")
"""


def ask(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.process
@pytest.mark.seed_rows("001-41", "001-43", "001-44", "001-45", "001-47", "002-27")
def test_models_are_probed_behind_and_told_by_the_route(
    tmp_path: Path, sink: HttpSink, model_server: ModelServer
) -> None:
    distribution(tmp_path, "healthy", modules={"app": APP})
    resource = {"OTEL_RESOURCE_ATTRIBUTES": "service.version=1.2.3"}
    with serve(tmp_path, "app", sink, MODELS=model_server.base_url, **resource) as process:
        base, end = address(process), time.monotonic() + 20
        while len(ask(f"{base}/ready")[1].get("models", ())) < 2 and time.monotonic() < end:
            time.sleep(0.1)
        before = len(model_server.requests)
        answers = [ask(f"{base}/ready") for _ in range(50)]
        assert (
            len(model_server.requests) - before <= 4
        )  # the probes' own: whoever asks the route asks no model
        process.signal(signal.SIGTERM)
        process.finish()
    status, said = answers[-1]
    assert status == 200  # a vendor that is down makes no instance of ours unready
    assert said["models"] == {"gpt-4o-mini": "ok", "gpt-4o": "InternalServerError"}
    assert (said["version"], said["status"]) == ("1.2.3", "ready")
    probes = sink.latest("genai_otel.model.probe")
    assert {each.attributes["gen_ai.request.model"]: each.value for each in probes} == {
        "gpt-4o-mini": 1,
        "gpt-4o": 0,
    }
    calls = [span for span in sink.spans() if span.scope == "genai_otel"]
    assert calls and all("probe" in str(span.attributes["genai_otel.tags"]) for span in calls)
    assert not [span for span in sink.spans() if span.kind == "SERVER"]
    assert sum(each.value for each in sink.latest("genai_otel.client.cost")) > 0  # a probe is paid for, too


ROUNDS = """
import threading, time
import genai_otel
from genai_otel.testing import telemetry

recorded = telemetry()
asked = []
genai_otel.probe_models({"old": lambda: asked.append("old")}, every=0.05)
time.sleep(0.2)
genai_otel.probe_models({"new": lambda: False, "slow": lambda: time.sleep(60)}, every=0.05, seconds=0.1)
time.sleep(0.5)
many = asked.count("old")
time.sleep(0.2)
points = recorded.metrics()["genai_otel.model.probe"]
print(many > 1, asked.count("old") == many, {p.attributes["gen_ai.request.model"]: p.value for p in points})
print(sum(thread.name == "genai_otel-check" for thread in threading.enumerate()))
genai_otel.shutdown()
time.sleep(0.3)
print([thread.name for thread in threading.enumerate() if thread.name == "genai_otel-probes"])
"""


@pytest.mark.process
@pytest.mark.seed_rows("001-47")
def test_the_last_set_of_probes_holds_and_the_end_of_telemetry_is_theirs() -> None:
    said = run(ROUNDS).ok().out.splitlines()
    assert said == ["True True {'new': 0, 'slow': 0}", "1", "[]"]


@pytest.mark.parametrize("wrong", [{"every": 0}, {"every": -1.0}, {"seconds": 0}, {"every": float("nan")}])
def test_a_wrong_time_is_one_clear_error(wrong: Any) -> None:
    with pytest.raises(ValueError, match="every so many seconds, above 0"):
        genai_otel.probe_models({"m": bool}, **wrong)
