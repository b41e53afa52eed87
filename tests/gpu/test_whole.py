"""The whole program with a driver: setup(), and what a scrape and an export say of the GPUs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gpu.nvml import GIB, FakeNvml
from tests.harness.process import Process
from tests.harness.scrape import scraped
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

SERVE = """
import time
import genai_otel
print("exporters", genai_otel.setup().exporters, flush=True)
time.sleep(60)
"""
PROMETHEUS = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}
STRICT = ("python", "-W", "error")


def port_of(process: Process) -> int:
    return int(
        process.wait_for("Prometheus on localhost:").split("Prometheus on localhost:")[1].split("'")[0]
    )


def values(families: dict[str, list[Any]], family: str, *labels: str) -> dict[Any, float]:
    """(GPU, further labels) to value."""
    return {
        (sample.labels["hw_name"], *(sample.labels[label] for label in labels)): sample.value
        for sample in families.get(family, ())
    }


def test_a_scrape_and_an_export_say_what_the_driver_says(nvml: FakeNvml) -> None:
    nvml.set(gpus=2, gpu1__util=3)
    settings = {
        **PROMETHEUS,
        "OTEL_METRICS_EXPORTER": "prometheus,otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
    }
    with (
        HttpSink() as sink,
        Process.script(SERVE, env={**sink.environment(), **nvml.environment(**settings)}) as process,
    ):
        port = port_of(process)
        scraped(port)  # the first one may be over before the library is loaded
        families = scraped(port)
        assert values(families, "hw_gpu_utilization", "hw_gpu_task") == {
            ("GPU 0", "general"): 0.87,
            ("GPU 1", "general"): 0.03,
            ("GPU 0", "memory_access"): 0.41,
            ("GPU 1", "memory_access"): 0.41,
        }
        assert values(families, "hw_gpu_memory_usage_bytes")[("GPU 0",)] == 120 * GIB
        assert values(families, "hw_power_watts")[("GPU 0",)] == 523.4
        print(*sorted(families), sep="\n")
        sink.wait_for(lambda sink: len(sink.latest("hw.energy")) == 2)
        print(process.err)
