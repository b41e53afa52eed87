"""What the GPUs cost a collection of metrics, and what they cost where there are none.

The driver is the one for tests, over the real binding: what is measured is ours and the binding's, a real driver's own
time comes on top.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.gpu.nvml import FakeNvml
from tests.gpu.test_readings import WHOLE
from tests.harness.process import environment

_COLLECT = """
import ctypes, json, os, sys, time
import genai_otel
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
genai_otel.setup(metric_readers=[reader], instrument_libraries=False)
library = ctypes.CDLL("libnvidia-ml.so.1") if "FAKE_NVML_STATE" in os.environ else None

def collect():
    began, cpu = time.perf_counter_ns(), time.process_time_ns()
    data = reader.get_metrics_data()
    took, cpu = time.perf_counter_ns() - began, time.process_time_ns() - cpu
    metrics = [metric for scope in data.resource_metrics[0].scope_metrics for metric in scope.metrics]
    ours = [metric for metric in metrics if metric.name.startswith(("hw.", "genai_otel.gpu"))]
    series = sum(len(metric.data.data_points) for metric in ours)
    return took / 1e3, cpu / 1e3, series

for _ in range(20):
    collect()
    time.sleep(0.01)
before = library.fake_nvml_calls(b"") if library else 0
rounds = int(sys.argv[1])
found = [collect() for _ in range(rounds)]
calls = (library.fake_nvml_calls(b"") - before) / rounds if library else 0
wall, cpu = sorted(each[0] for each in found), sorted(each[1] for each in found)
print(json.dumps([wall[rounds // 2], wall[rounds * 99 // 100], cpu[rounds // 2], found[-1][2], calls]))
os._exit(0)
"""


class Collection(NamedTuple):
    """One collection: median and 99th percentile of its time, CPU of all threads (us), series, calls of NVML."""

    name: str
    median: float
    slow: float
    cpu: float
    series: int
    calls: float


def collections(rounds: int) -> list[Collection]:
    """Without the wish, without a driver, and with one, two and eight GPUs."""
    with tempfile.TemporaryDirectory() as folder:
        found = [
            _collected("switched off", rounds, {"GENAI_OTEL_GPU": "off"}),
            _collected("no driver", rounds, {"XDG_RUNTIME_DIR": folder}),
        ]
        for gpus in (1, 2, 8):
            state = {key.replace(".", "__"): value for key, value in WHOLE.items()}
            driver = FakeNvml(Path(folder), gpus=gpus)
            driver.set(**state)
            found.append(_collected(f"{gpus} GPUs", rounds, driver.environment(GENAI_OTEL_GPU="on")))
        return found


def _collected(name: str, rounds: int, environ: dict[str, str]) -> Collection:
    command = [sys.executable, "-c", _COLLECT, str(rounds)]
    done = subprocess.run(command, env=environment(environ), capture_output=True, text=True, check=True)
    return Collection(name, *json.loads(done.stdout))
