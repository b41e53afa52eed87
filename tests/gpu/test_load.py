"""A GPU that works is seen to work: `make test-gpu` runs this on a real one, the suite on the drivers for tests."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.gpu.host import FakeHost, RealHost
from tests.gpu.nvml import GIB
from tests.gpu.test_whole import PROMETHEUS, SERVE, port_of, scraped_until
from tests.harness.process import Process

pytestmark = pytest.mark.process

REAL = bool(os.environ.get("REAL_GPU"))
SECONDS = 10.0 if REAL else 2.0
ALLOCATED = 4.0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[RealHost | FakeHost]:
    """The machine's own GPU, which must be there, or one of the tests'."""
    if REAL:
        yield RealHost()
    else:
        with FakeHost(tmp_path) as fake:
            yield fake


class Sample(NamedTuple):
    """What a scrape said of the first GPU, how long it took, and when it was."""

    at: float
    took: float
    joules: float
    watts: float
    memory: float
    busy: float


def samples(port: int, seconds: float) -> list[Sample]:
    found: list[Sample] = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        families = scraped_until(port, "hw_power_watts")
        now = time.monotonic()
        first = {
            name: next(sample.value for sample in families[name] if sample.labels["hw_name"] == "GPU 0")
            for name in (
                "hw_energy_joules",
                "hw_power_watts",
                "hw_gpu_memory_usage_bytes",
                "hw_gpu_utilization",
            )
        }
        found.append(Sample((began + now) / 2, now - began, *first.values()))
        time.sleep(0.05)
    return found


@pytest.mark.slow
def test_energy_is_the_integral_of_power_and_memory_and_utilization_follow_the_work(
    host: RealHost | FakeHost,
) -> None:
    with Process.script(SERVE, env={**PROMETHEUS, **host.environment()}) as process:
        port = port_of(process)
        before = samples(port, 1)[-1]
        with host.working(ALLOCATED):
            time.sleep(1.5)  # until means over a second know of it
            found = samples(port, SECONDS)
        used = found[-1].joules - found[0].joules
        integral = sum((b.at - a.at) * (a.watts + b.watts) / 2 for a, b in itertools.pairwise(found))
        assert used == pytest.approx(integral, rel=0.05)
        allocated = found[-1].memory - before.memory
        assert ALLOCATED * GIB <= allocated <= (ALLOCATED + 2) * GIB  # with what a context needs
        assert statistics.median(sample.busy for sample in found) > 0.5
        assert before.busy < 0.5
        cost = statistics.median(sample.took for sample in found)
        print(f"a scrape takes {cost * 1000:.1f} ms; {used:.0f} J used, {integral:.0f} J by the power")
        assert cost < 0.5


def test_reading_a_gpu_makes_no_cuda_context(host: RealHost | FakeHost) -> None:
    script = SERVE.replace(
        "time.sleep(60)",
        """
while True:
    time.sleep(0.1)
    with open("/proc/self/maps") as maps:
        loaded = maps.read()
    print("cuda" if "libcuda.so" in loaded else "nvml" if "libnvidia-ml" in loaded else "nothing", flush=True)
""",
    )
    with Process.script(script, env={**PROMETHEUS, **host.environment()}) as process:
        scraped_until(port_of(process), "hw_power_watts")
        process.wait_for("nvml")
        assert "cuda" not in process.out.replace("exporters", "")
