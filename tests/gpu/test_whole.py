"""The whole program with a driver: what scrapes and exports say of GPUs while it works, hangs or loses one."""

from __future__ import annotations

import re
import signal
import sys
import time
from typing import Any

import pytest

from genai_otel.gpu.table import METRICS
from tests.gpu.nvml import GIB, FakeNvml
from tests.gpu.test_readings import ALL, GPU_0, WHOLE
from tests.harness.process import ROOT, Process, run
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
STRICT = (sys.executable, "-W", "error")

# As the Prometheus exporter writes them; the parser takes `_total` away.
FAMILIES = {
    "hw.gpu.utilization": "hw_gpu_utilization",
    "hw.gpu.memory.usage": "hw_gpu_memory_usage_bytes",
    "hw.gpu.memory.limit": "hw_gpu_memory_limit_bytes",
    "hw.gpu.memory.utilization": "hw_gpu_memory_utilization",
    "genai_otel.gpu.memory.reserved": "genai_otel_gpu_memory_reserved_bytes",
    "hw.energy": "hw_energy_joules",
    "hw.power": "hw_power_watts",
    "genai_otel.gpu.power.limit": "genai_otel_gpu_power_limit_watts",
    "hw.temperature": "hw_temperature_celsius",
    "hw.temperature.limit": "hw_temperature_limit_celsius",
    "hw.errors": "hw_errors",
    "hw.gpu.io": "hw_gpu_io_bytes",
    "genai_otel.gpu.clock.frequency": "genai_otel_gpu_clock_frequency_hertz",
    "genai_otel.gpu.clock.throttled": "genai_otel_gpu_clock_throttled",
    "genai_otel.gpu.clock.throttled.time": "genai_otel_gpu_clock_throttled_time_seconds",
    "genai_otel.gpu.process.memory.usage": "genai_otel_gpu_process_memory_usage_bytes",
    "hw.status": "hw_status",
    "genai_otel.gpu.process.utilization": "genai_otel_gpu_process_utilization",
    "genai_otel.gpu.sm.utilization": "genai_otel_gpu_sm_utilization",
    "genai_otel.gpu.sm.occupancy": "genai_otel_gpu_sm_occupancy",
    "genai_otel.gpu.tensor.utilization": "genai_otel_gpu_tensor_utilization",
    "genai_otel.gpu.memory.bandwidth.utilization": "genai_otel_gpu_memory_bandwidth_utilization",
    "genai_otel.gpu.nvlink.io": "genai_otel_gpu_nvlink_io_bytes",
    "hw.fan.speed_ratio": "hw_fan_speed_ratio",
}
KINDS = {"counter": "sum", "up_down_counter": "sum", "gauge": "gauge"}


def serve(nvml: FakeNvml, **environ: str) -> Process:
    return Process.script(SERVE, env=nvml.environment(**PROMETHEUS, **environ), launcher=STRICT)


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


def scraped_until(port: int, family: str) -> dict[str, list[Any]]:
    """A scrape with this family in it: the library may be loaded a little later than the first one wants it."""
    end = time.monotonic() + 10
    while family not in (families := scraped(port)):
        assert time.monotonic() < end, f"{family} did not come: {sorted(families)}"
        time.sleep(0.1)
    return families


def test_every_metric_is_on_the_prometheus_page_and_in_otlp(nvml: FakeNvml) -> None:
    nvml.set(**{key.replace(".", "__"): value for key, value in WHOLE.items()})
    both = {"OTEL_METRICS_EXPORTER": "prometheus,otlp", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
    with HttpSink() as sink:
        environ = {**nvml.environment(**PROMETHEUS, **ALL), **sink.environment(), **both}
        with Process.script(SERVE, env=environ, launcher=STRICT) as process:
            families = scraped_until(port_of(process), "genai_otel_gpu_tensor_utilization")
            assert FAMILIES.keys() == {metric.name for metric in METRICS}
            assert set(FAMILIES.values()) <= families.keys()
            assert values(families, "hw_power_watts") == {("GPU 0",): 523.4}
            assert values(families, "hw_gpu_memory_usage_bytes") == {("GPU 0",): 120 * GIB}
            energy = families["hw_energy_joules"][0]
            assert (energy.name, energy.value) == ("hw_energy_joules_total", 98_765_432.1)
            assert "genai_otel_gpu_scrape_duration_seconds" in families
            assert "genai_otel_gpu_scrape_failures" not in families  # there was none
            sink.wait_for(lambda sink: sink.latest("genai_otel.gpu.tensor.utilization"))
            for metric in METRICS:
                points = sink.latest(metric.name)
                assert {(point.unit, point.kind) for point in points} == {(metric.unit, KINDS[metric.kind])}
                assert {point.scope for point in points} == {"genai_otel"}
                assert {point.attributes["hw.id"] for point in points} == {GPU_0}
        assert process.err == ""


@pytest.mark.seed_rows("003-10")
def test_a_lost_gpu_leaves_the_page_while_the_other_stays_and_comes_back(nvml: FakeNvml) -> None:
    nvml.set(gpus=2)
    with serve(nvml) as process:
        port = port_of(process)
        both = scraped_until(port, "hw_power_watts")
        assert values(both, "hw_power_watts").keys() == {("GPU 0",), ("GPU 1",)}
        nvml.set(gpu1__fail=15)
        lost = scraped(port)
        assert values(lost, "hw_power_watts").keys() == {("GPU 0",)}
        assert values(lost, "hw_status", "hw_state")["GPU 1", "failed"] == 1
        (failures,) = lost["genai_otel_gpu_scrape_failures"]
        assert failures.labels["error_type"] == "NVMLError_GpuIsLost"
        nvml.set(gpu1__fail=0)
        assert values(scraped(port), "hw_power_watts").keys() == {("GPU 0",), ("GPU 1",)}


@pytest.mark.seed_rows("003-10")
def test_a_driver_that_hangs_costs_its_own_readings_and_nothing_else(nvml: FakeNvml) -> None:
    script = SERVE.replace(
        "time.sleep(60)",
        """
import threading
while True:
    time.sleep(0.2)
    print("threads", sum(each.name == "genai_otel-gpu" for each in threading.enumerate()), flush=True)
""",
    )
    environ = nvml.environment(**PROMETHEUS, GENAI_OTEL_GPU_BUDGET_MS="200")
    with Process.script(script, env=environ, launcher=STRICT) as process:
        port = port_of(process)
        scraped_until(port, "hw_power_watts")
        nvml.set(delay_us__nvmlDeviceGetPowerUsage=3_000_000)
        for expected in (1, 2, 3):
            began = time.monotonic()
            families = scraped(port)
            assert "hw_power_watts" not in families
            assert "genai_otel_info" in families
            (failures,) = families["genai_otel_gpu_scrape_failures"]
            assert (failures.labels["error_type"], failures.value) == ("timeout", expected)
            assert time.monotonic() - began < 1
        nvml.set(delay_us__nvmlDeviceGetPowerUsage=None)
        scraped_until(port, "hw_power_watts")
        assert "threads 1" in process.out
        assert "threads 2" not in process.out


def test_two_readers_get_one_snapshot_and_the_end_is_one_shutdown(nvml: FakeNvml) -> None:
    script = """
    import ctypes, time
    import genai_otel
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    readers = [InMemoryMetricReader(), InMemoryMetricReader()]
    handle = genai_otel.setup(metric_readers=readers)
    library = ctypes.CDLL("libnvidia-ml.so.1")
    assert library.fake_nvml_calls(b"") == 0  # nothing is read before somebody collects

    def power(reader):
        data = reader.get_metrics_data()
        points = [
            point.value
            for metric in data.resource_metrics[0].scope_metrics[0].metrics if metric.name == "hw.power"
            for point in metric.data.data_points
        ]
        return points

    while not power(readers[0]):
        time.sleep(0.05)
    time.sleep(1.1)
    before = library.fake_nvml_calls(b"nvmlDeviceGetUtilizationRates")
    assert power(readers[0]) == power(readers[1]) == [523.4]
    assert library.fake_nvml_calls(b"nvmlDeviceGetUtilizationRates") == before + 1
    assert (library.fake_nvml_calls(b"nvmlInitWithFlags"), library.fake_nvml_refs()) == (1, 1)
    assert library.fake_nvml_calls(b"nvmlShutdown") == 0
    assert handle.shutdown(5)
    assert (library.fake_nvml_calls(b"nvmlShutdown"), library.fake_nvml_refs()) == (1, 0)
    """
    environ = nvml.environment(GENAI_OTEL_GPU_MIN_INTERVAL="1")
    run(script, env=environ, launcher=STRICT).ok()


def test_the_last_export_of_a_short_program_has_its_energy(nvml: FakeNvml) -> None:
    script = "import genai_otel; genai_otel.setup(); genai_otel.flush()"
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **nvml.environment()}, launcher=STRICT).ok()
        assert [point.value for point in sink.latest("hw.energy")] == [98_765_432.1]


def test_a_programs_own_meter_provider_gets_the_gpus_too(nvml: FakeNvml) -> None:
    script = """
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    import genai_otel, ctypes, time
    handle = genai_otel.setup()
    names = set()
    while "hw.power" not in names:
        scopes = reader.get_metrics_data().resource_metrics[0].scope_metrics
        names = {metric.name for scope in scopes for metric in scope.metrics}
    handle.shutdown(5)
    assert ctypes.CDLL("libnvidia-ml.so.1").fake_nvml_refs() == 0
    """
    run(script, env=nvml.environment(), launcher=STRICT).ok()


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_without_gpus_or_without_the_wish_there_is_no_word_and_no_series(nvml: FakeNvml, mode: str) -> None:
    environ = {**PROMETHEUS, "GENAI_OTEL_GPU": mode}
    if mode == "off":
        environ = nvml.environment(**environ)
    script = "import logging; logging.basicConfig(level='INFO')\n" + SERVE
    with Process.script(script, env=environ, launcher=STRICT) as process:
        port = port_of(process)
        for _ in range(3):
            assert not [name for name in scraped(port) if name.startswith("hw_") or "gpu" in name]
            time.sleep(0.2)
        assert process.err == ""


def test_a_program_that_ends_by_ctrl_c_ends_as_it_would_without_gpus(nvml: FakeNvml) -> None:
    script = """
    import genai_otel, os, signal, time
    genai_otel.setup()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
    """
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), **nvml.environment()})
        assert done.code == -signal.SIGINT
        assert sink.latest("hw.energy")


def test_the_queries_of_the_documents_and_of_the_rules_ask_for_metrics_that_there_are() -> None:
    """tests/stack runs them; this finds a renamed metric before."""
    text = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8").partition("## Queries")[2]
    folder = ROOT / "collector-config" / "prometheus" / "rules"
    rules = {name: (folder / f"{name}.yml").read_text(encoding="utf-8") for name in ("gpu", "calls")}
    recorded = set(re.findall(r"record: (\S+)", "\n".join(rules.values())))
    asked = set(re.findall(r"\bgenai:\w+:\w+", text))
    assert len(asked) >= 5
    assert asked <= recorded
    labels = {label.replace(".", "_") for metric in METRICS for row in metric.rows for label in row.labels}
    read = set(re.findall(r"\b((?:hw|genai_otel_gpu)_\w+)(?=[{\[)])", rules["gpu"])) - labels
    assert len(read) >= 6
    families = {name for family in FAMILIES.values() for name in (family, f"{family}_total")}
    assert {name.removesuffix("_ratio") for name in read} <= families
