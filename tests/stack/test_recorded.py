"""What rules and documents make of the library's own series, in both profiles, through the real Collector."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.alerts import world
from tests.gpu.nvml import GIB, FakeNvml
from tests.gpu.test_readings import WHOLE
from tests.harness.process import ROOT, Process, run
from tests.harness.stack import Stack, copy_config, running
from tests.stack.configs import at_once

TRAFFIC = Path(__file__).with_name("traffic.py")
PROFILES = {
    "older": "",
    "newer": "gen_ai_latest_experimental",
    "genai-otel-demo": "gen_ai_latest_experimental/dup",  # both, and the objectives of collector-config/slo
}
NAMES = {
    "older": "gen_ai_client_operation_duration_seconds_count",
    "newer": "gen_ai_client_inference_duration_seconds_count",
    "genai-otel-demo": "gen_ai_client_operation_duration_seconds_count",
}
NOT_HERE = {
    *("genai:collector_failed:rate5m", "genai:collector_overflowed:rate5m"),  # nothing fails for good
    *("genai:slo_calls:increase1d", "genai:slo_calls:increase3d"),  # look at every fifth minute
}
"""Of these promtool's tests have to be enough."""
UNMOVED = {"GenAINoData", "GenAITokensPerCallDrift"}
"""Alerts that need hours."""
_LOST = """
from concurrent.futures import ThreadPoolExecutor
import genai_otel
from genai_otel.testing import ModelServer
from openai import OpenAI

def ask(model):
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Go on"}])

genai_otel.setup()
with ModelServer() as server, genai_otel.agent("lost"):
    client = OpenAI(base_url=server.base_url, api_key="none")
    for _ in range(40):
        server.reply("Let us see.", directives="input-100000")
        ask("gpt-4o")
with ModelServer() as server, ThreadPoolExecutor(12) as threads:
    client = OpenAI(base_url=server.base_url, api_key="none", max_retries=2)
    list(map(lambda call: call.exception(), [threads.submit(ask, "error-500") for _ in range(12)]))
genai_otel.shutdown()
"""
"""An agent that goes round and round, for 10 US dollars, and a server that lets each call try three times."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Prometheus that has seen half a minute of traffic, and three GPUs that are not well."""
    folder = tmp_path_factory.mktemp("recorded")
    config = copy_config(folder)
    at_once(config)
    nvml = FakeNvml(folder)
    nvml.set(gpus=3, gpu2__util=0, **{name.replace(".", "__"): value for name, value in WHOLE.items()})
    with running(folder / "state", "otelcol", "prometheus", config=config) as stack, ExitStack() as ending:
        commands = [sys.executable, str(TRAFFIC), "30"]
        traffic = [
            ending.enter_context(Process(commands, env=_env(stack, nvml, service))) for service in PROFILES
        ]
        traffic[0].wait_for("began", timeout=60)
        _go_wrong(nvml)
        stack.prometheus.wait('hw_errors_total{error_type="uncorrected"} > 1')
        run(_LOST, env=_env(stack, nvml, "genai-otel-demo"), timeout=60).ok()
        for process in traffic:
            process.finish(timeout=120).ok()
        yield stack


def _env(stack: Stack, nvml: FakeNvml, service: str) -> dict[str, str]:
    return nvml.environment(
        OTEL_SERVICE_NAME=service,
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
        OTEL_SEMCONV_STABILITY_OPT_IN=PROFILES[service],
        OTEL_EXPORTER_OTLP_ENDPOINT=stack.otlp_http,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
    )


def _go_wrong(nvml: FakeNvml) -> None:
    """The first GPU is hot and full, and its memory fails; the second is lost; the third holds a model and idles."""
    time.sleep(3)  # so that counters have been seen before they grow
    nvml.set(
        gpu0__field270=3600 * 10**9,
        gpu0__ecc_vol_unc=2,
        gpu0__temp0=86,
        gpu0__mem_used=141 * GIB * 98 // 100,
        gpu1__fail=15,
        gpu2__mem_used=141 * GIB * 6 // 10,
    )


def test_every_rule_records_something(filled: Stack) -> None:
    recorded = {rule["record"] for rule in world.rules() if "record" in rule} - NOT_HERE

    def missing() -> set[str]:
        found = filled.prometheus.query('group by (__name__) ({__name__=~"genai:.+"})')
        return recorded - {series["metric"]["__name__"] for series in found}

    _until_none(missing)


def _until_none(missing: Callable[[], set[str]]) -> None:
    end = time.monotonic() + 30
    while missing() and time.monotonic() < end:
        time.sleep(1)
    assert missing() == set()


def test_alerts_rise_from_what_the_library_reports(filled: Stack) -> None:
    """As far as pending: some wait for an hour before they fire."""
    wanted = {name for rule in world.rules() if (name := rule.get("alert", "")).startswith("GenAI")} - UNMOVED

    def missing() -> set[str]:
        found = filled.prometheus.query("group by (alertname) (last_over_time(ALERTS[10m]))")
        return wanted - {series["metric"]["alertname"] for series in found}

    _until_none(missing)


@pytest.mark.parametrize("service", PROFILES)
def test_calls_are_counted_once_in_either_profile_and_in_both(filled: Stack, service: str) -> None:
    chat = f'{{service_name="{service}", gen_ai_operation_name="chat"}}'
    evaluated = filled.prometheus.query(f"max(timestamp(genai:calls:increase1h{chat}))")
    at = float(evaluated[0]["value"][1])  # increase() is of its moment, and so is what is recorded
    raw, recorded = (
        filled.prometheus.query(query, at=at)
        for query in (f"sum(increase({NAMES[service]}{chat}[1h]))", f"sum(genai:calls:increase1h{chat})")
    )
    assert float(recorded[0]["value"][1]) == pytest.approx(float(raw[0]["value"][1]), rel=0.02)


def test_the_queries_that_the_document_on_gpus_gives_find_what_they_are_for(filled: Stack) -> None:
    text = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8").partition("## Queries")[2]
    queries = dict(re.findall(r"^\| ([^|`]+) \| `([^`]+)` \|$", text.partition("\n## ")[0], re.MULTILINE))
    assert len(queries) == 6
    found = {question: filled.prometheus.query(query) for question, query in queries.items()}
    assert [question for question, series in found.items() if not series] == []
    gpus = {
        question: {each["metric"].get("hw_name") for each in series} for question, series in found.items()
    }
    assert gpus == {
        "a GPU is lost": {None},
        "heat slows it down": {"GPU 0"},
        "its memory is nearly full": {"GPU 0"},
        "loaded and idle": {"GPU 2"},
        "memory errors": {"GPU 0"},
        "joules per output token": {None},
    }
