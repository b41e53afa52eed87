"""A call through the real LiteLLM proxy to a model server that traces itself, all of them traced: one count."""

from __future__ import annotations

import importlib.util
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from genai_otel.testing import ModelServer
from tests.faults.test_across_services import CALLER, MODEL_SERVER
from tests.harness.distribution import distribution
from tests.harness.process import ROOT, Process, run
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,  # the proxy takes half a minute to start
    pytest.mark.skipif(
        importlib.util.find_spec("litellm_proxy_extras") is None,
        reason="needs litellm[proxy], which has an environment of its own: requirements/litellm-proxy.txt",
    ),
]

CONFIG = """
general_settings: {dangerously_permit_weak_or_unset_master_key: true}
model_list:
  - model_name: m
    litellm_params: {model: hosted_vllm/m, api_base: os.environ/MODELS, api_key: inner}
"""
PROXY = """
import sys
import genai_otel
genai_otel.setup()
from litellm.proxy.proxy_cli import run_server
run_server(sys.argv[1:], standalone_mode=False)
"""


def free_port() -> int:
    """A port that is free now; asked for any, the proxy does not say which one it took."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def proxy(folder: Path, sink: HttpSink, models: str, port: int, sampling: Mapping[str, str]) -> Process:
    (folder / "config.yaml").write_text(CONFIG)
    command = [
        sys.executable,
        "-c",
        PROXY,
        "--config",
        "config.yaml",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    env = {"PYTHONPATH": str(ROOT / "src"), "MODELS": models, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    env |= {**sink.environment(), **sampling, "OTEL_SERVICE_NAME": "proxy"}
    return Process(command, env=env, cwd=folder)


@pytest.mark.parametrize("sampler", ["parentbased_always_on", "always_off"])
def test_a_call_through_the_litellm_proxy_is_counted_once(
    sampler: str, tmp_path: Path, sink: HttpSink, model_server: ModelServer
) -> None:
    sampling = {"OTEL_TRACES_SAMPLER": sampler}
    distribution(tmp_path, "served", modules={"engine": MODEL_SERVER})
    with (
        serve(tmp_path, "engine", sink, MODELS=model_server.base_url, **sampling) as engine,
        proxy(tmp_path, sink, f"{address(engine)}/v1", port := free_port(), sampling) as gateway,
    ):
        gateway.wait_for("startup complete", timeout=90)
        env = {**sink.environment(), **sampling, "OTEL_SERVICE_NAME": "caller"}
        run(CALLER, arguments=[f"http://127.0.0.1:{port}/v1"], env=env).ok()
        for server in (gateway, engine):
            server.signal(signal.SIGTERM)
            server.finish()
    calls = [span for span in sink.spans() if span.attributes.get("gen_ai.operation.name") == "chat"]
    if sampler == "always_off":
        assert calls == []
    else:
        # The proxy's transport (aiohttp) has no instrumentation here: the model server's span is in another trace.
        assert len({span.trace_id for span in calls if span.kind == "CLIENT"}) == 1
        assert sum(span.attributes.get("genai_otel.measured", False) for span in calls) == 1
    tokens = {
        point.attributes["gen_ai.token.type"]: point for point in sink.points("gen_ai.client.token.usage")
    }
    assert {kind: (point.count, point.sum) for kind, point in tokens.items()} == {
        "input": (1, 12),
        "output": (1, 7),
    }
    assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
    # The model server's own span, and its names alone: the proxy is a client of its, and no server of models.
    (served,) = sink.points("gen_ai.server.request.duration")
    assert (served.count, served.attributes["gen_ai.provider.name"]) == (1, "vllm")
    assert (served.attributes["gen_ai.operation.name"], "error.type" in served.attributes) == ("chat", False)
    assert 0 < served.sum < 60
