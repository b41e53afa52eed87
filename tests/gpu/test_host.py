"""Several processes of one host: one of them reads the GPUs, and a child that is forked at any moment does not hang."""

from __future__ import annotations

import os

import pytest

from tests.gpu.nvml import FakeNvml
from tests.gpu.passes import passes
from tests.gpu.test_whole import STRICT, port_of, scraped_until, serve, values
from tests.harness.process import Process, run
from tests.harness.scrape import scraped

pytestmark = pytest.mark.process


def test_one_process_of_a_host_reads_and_another_follows_when_it_dies(nvml: FakeNvml) -> None:
    with serve(nvml) as first:
        scraped_until(port_of(first), "hw_power_watts")
        with serve(nvml) as second:
            port = port_of(second)
            for _ in range(3):
                assert "hw_power_watts" not in scraped(port)
            with serve(nvml, GENAI_OTEL_GPU="on") as third:  # it was told to, in any case
                scraped_until(port_of(third), "hw_power_watts")
            first.kill()
            scraped_until(port, "hw_power_watts")


def test_processes_with_gpus_of_their_own_all_read_them(nvml: FakeNvml) -> None:
    nvml.set(gpus=2)
    uuids = [f"GPU-00000000-0000-4000-8000-00000000000{number}" for number in range(2)]
    with (
        serve(nvml, CUDA_VISIBLE_DEVICES=uuids[0]) as first,
        serve(nvml, CUDA_VISIBLE_DEVICES=uuids[1]) as second,
    ):
        for number, process in enumerate((first, second)):
            families = scraped_until(port_of(process), "hw_power_watts")
            assert values(families, "hw_power_watts").keys() == {(f"GPU {number}",)}


def test_where_no_lock_can_be_had_every_process_reads(nvml: FakeNvml) -> None:
    taken = nvml.folder / "genai-otel"
    taken.write_text("a file where a folder should be")
    (alone,) = passes(nvml, GENAI_OTEL_GPU="auto")
    assert alone.value("hw.power") == 523.4


def test_the_lock_is_given_up_at_the_end_of_telemetry(nvml: FakeNvml) -> None:
    script = """
    import time, genai_otel
    genai_otel.setup()
    genai_otel.flush()
    genai_otel.shutdown()
    print("ended", flush=True)
    time.sleep(60)
    """
    environ = nvml.environment(OTEL_METRICS_EXPORTER="console", OTEL_TRACES_EXPORTER="none")
    with Process.script(script, env=environ) as first:
        first.wait_for("ended", timeout=30)
        assert "hw.power" in first.out
        (alone,) = passes(nvml, GENAI_OTEL_GPU="auto")
        assert alone.value("hw.power") == 523.4


FORKING = """
import os, sys, threading, time, warnings
warnings.filterwarnings("ignore", "This process.*is multi-threaded", DeprecationWarning)
import genai_otel
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
genai_otel.setup(metric_readers=[reader])

def names():
    data = reader.get_metrics_data()
    return {metric.name for one in data.resource_metrics for scope in one.scope_metrics for metric in scope.metrics}

def until(wanted, seconds=5):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if wanted in names():
            return True
    return False

assert until("hw.power")
"""


@pytest.mark.seed_rows("003-10")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_children_that_are_forked_under_load_read_for_themselves(nvml: FakeNvml) -> None:
    script = (
        FORKING
        + """
import ctypes
library = ctypes.CDLL("libnvidia-ml.so.1")
ended = threading.Event()

def collect():
    while not ended.is_set():
        names()

collecting = threading.Thread(target=collect)
collecting.start()
for _ in range(20):
    child = os.fork()
    if not child:
        assert until("hw.power")
        assert library.fake_nvml_refs() == 1  # what the parent had open was shut down first
        os._exit(0)
    end = time.monotonic() + 10
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        assert time.monotonic() < end, "a child hangs"
        time.sleep(0.01)
ended.set()
collecting.join()
assert until("hw.power")
"""
    )
    nvml.set(delay_us=1000)  # most of the time somebody is inside the driver
    run(script, env=nvml.environment(GENAI_OTEL_GPU="on"), timeout=120).ok()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_leaves_the_gpus_to_its_parent_until_that_ends(nvml: FakeNvml) -> None:
    script = (
        FORKING
        + """
from genai_otel.cli import main
main(["doctor", "--json"])  # looks at the lock, and leaves it
if not os.fork():
    parent = os.getppid()
    while os.getppid() == parent:
        assert "hw.power" not in names() or os.getppid() != parent
        time.sleep(0.05)
    assert until("hw.power")
    print("taken over", flush=True)
    os._exit(0)
time.sleep(0.5)
assert "hw.power" in names()
os._exit(0)
"""
    )
    with Process.script(script, env=nvml.environment()) as process:
        process.wait_for("taken over")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_the_driver_hangs_is_not_held_up_and_its_child_leaves_the_driver_alone(
    nvml: FakeNvml,
) -> None:
    script = (
        FORKING
        + """
print("ready", flush=True)
while "hw.power" in names():
    time.sleep(0.05)
began = time.monotonic()
child = os.fork()
if not child:
    assert "hw.power" not in names()
    assert "genai_otel.info" in names()
    os._exit(0)
assert time.monotonic() - began < 1
end = time.monotonic() + 10
while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
    assert time.monotonic() < end, "the child hangs"
    time.sleep(0.01)
assert ended[1] == 0
print("done", flush=True)
os._exit(0)  # the driver hangs still
"""
    )
    environ = nvml.environment(GENAI_OTEL_GPU="on", GENAI_OTEL_GPU_BUDGET_MS="200")
    with Process.script(script, env=environ, launcher=STRICT) as process:
        process.wait_for("ready")
        nvml.set(delay_us__nvmlDeviceGetPowerUsage=20_000_000)
        process.wait_for("done")


def test_under_gevent_a_driver_that_hangs_stops_no_greenlet(nvml: FakeNvml) -> None:
    script = """
    import gevent.monkey
    gevent.monkey.patch_all()
    import time
    import gevent, genai_otel
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    reader = InMemoryMetricReader()
    genai_otel.setup(metric_readers=[reader])

    def names():
        data = reader.get_metrics_data()
        return {metric.name for one in data.resource_metrics for scope in one.scope_metrics for metric in scope.metrics}

    while "hw.power" not in names():
        time.sleep(0.05)
    print("ready", flush=True)
    longest, last = 0, time.monotonic()

    def tick():
        global longest, last
        while True:
            gevent.sleep(0.01)
            now = time.monotonic()
            longest, last = max(longest, now - last), now

    gevent.spawn(tick)
    while "hw.power" in names():
        time.sleep(0.05)
    names()
    assert longest < 1, longest
    print("done", longest, flush=True)
    time.sleep(60)
    """
    environ = nvml.environment(GENAI_OTEL_GPU_BUDGET_MS="200")
    with Process.script(script, env=environ) as process:
        process.wait_for("ready")
        nvml.set(delay_us__nvmlDeviceGetPowerUsage=10_000_000)
        process.wait_for("done")
