"""Metrics for scraping: what OTLP says, in text that parses, whatever is in it; a taken port disables only itself."""

from __future__ import annotations

import socket

import pytest

from tests.harness.process import Process, run
from tests.harness.scrape import scraped
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

CALLS = """
import sys
import genai_otel
handle = genai_otel.setup()
from tests.harness.spans import model_span
for number in range(3):
    model_span(gen_ai__usage__output_tokens=5)
model_span(model="half \\ud83d")
model_span(model="line\\nbreak \\"quoted\\" back\\\\slash")
model_span(gen_ai__usage__input_tokens=2**70)
print("port", handle.exporters, flush=True)
sys.stdin.read()
"""


def test_a_scrape_says_what_otlp_says_and_survives_every_value() -> None:
    script = CALLS.replace("sys.stdin.read()", "import time; time.sleep(30)")
    env = {"OTEL_METRICS_EXPORTER": "prometheus,otlp", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}
    settings = {"OTEL_METRIC_EXPORT_INTERVAL": "200", "OTEL_TRACES_EXPORTER": "otlp"}
    with HttpSink() as sink, Process.script(script, env={**sink.environment(), **env, **settings}) as process:
        line = process.wait_for("Prometheus on localhost:")
        port = int(line.split("Prometheus on localhost:")[1].split("'")[0])
        scraped(port)
        families = scraped(port)  # what breaks one scrape breaks all of them
        durations = {
            sample.labels["gen_ai_request_model"]: sample.value
            for sample in families["gen_ai_client_operation_duration_seconds"]
            if sample.name.endswith("_count")
        }
        assert durations == {
            "gpt-4o-mini": 4,
            "half ?": 1,
            'line\nbreak "quoted" back\\slash': 1,
        }
        tokens = {
            (sample.labels["gen_ai_token_type"], sample.labels["gen_ai_request_model"]): sample.value
            for sample in families["gen_ai_client_token_usage"]
            if sample.name.endswith("_sum")
        }
        assert tokens["input", "gpt-4o-mini"] == 9  # 2**70 is no number of tokens
        assert tokens["output", "gpt-4o-mini"] == 15
        assert families["genai_otel_info"][0].value == 1
        assert families["target_info"][0].labels["telemetry_distro_name"] == "genai-otel"
        sink.wait_for(lambda sink: len(sink.latest("gen_ai.client.operation.duration")) == 3)
        assert {
            point.attributes["gen_ai.request.model"]: point.count
            for point in sink.latest("gen_ai.client.operation.duration")
        } == durations
        assert any(point.exemplars for point in sink.points("gen_ai.client.operation.duration"))
        assert "Traceback" not in process.err


def test_a_taken_port_disables_only_itself_and_says_so() -> None:
    with socket.socket() as taken, HttpSink() as sink:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = {
            **sink.environment(),
            "OTEL_METRICS_EXPORTER": "prometheus,otlp",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
        }
        done = run(CALLS, env=env).ok()
        assert len(sink.spans()) == 6
        assert sink.metrics() >= {"gen_ai.client.operation.duration"}
    (line,) = [line for line in done.err.splitlines() if "no known cost" not in line]
    assert line.startswith(f"genai-otel: metrics are not served on 127.0.0.1:{port}")
    assert "another process has the port" in line


@pytest.mark.seed_rows("000-07", "003-11", "004-15")
def test_two_workers_on_one_port_and_a_bad_one() -> None:
    first = CALLS.replace("sys.stdin.read()", "import time; time.sleep(30)")
    env = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}
    with Process.script(first, env=env) as process:
        line = process.wait_for("Prometheus on localhost:")
        port = line.split("Prometheus on localhost:")[1].split("'")[0]
        second = run(CALLS, env={**env, "OTEL_EXPORTER_PROMETHEUS_PORT": port}).ok()
        assert second.err.count("genai-otel:") == 1
        assert f"localhost:{port}" in second.err
        assert scraped(int(port))["genai_otel_info"]
    bad = run(CALLS, env={**env, "OTEL_EXPORTER_PROMETHEUS_PORT": "http"}).ok()
    assert "OTEL_EXPORTER_PROMETHEUS_PORT is 'http'; allowed is a number from 0 to 65535" in bad.err


def test_a_forked_child_leaves_the_port_to_its_parent() -> None:
    script = """
    import os, socket, sys, time, warnings
    warnings.filterwarnings("ignore", "This process.*is multi-threaded", DeprecationWarning)
    import genai_otel
    port = int(genai_otel.setup().exporters[0].rpartition(":")[2])
    if os.fork():
        os._exit(0)  # the parent is gone, and the child lives on
    for _ in range(100):
        time.sleep(0.05)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                print("free", flush=True)
                os._exit(0)
    os._exit(1)
    """
    env = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}
    with Process.script(script, env=env) as process:
        process.wait_for("free")
