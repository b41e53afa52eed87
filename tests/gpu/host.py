"""A host whose GPU can be put to work: the machine's own with `make test-gpu`, else one with the drivers for tests."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.gpu.nvml import GIB, FakeNvml, built
from tests.harness.process import ROOT, environment, run

_LOOK = """
from genai_otel.gpu.machine import Machine
from genai_otel.gpu.scope import Scope
from genai_otel.gpu.table import METRICS
machine = Machine(METRICS, Scope({}))
print("GPUs", len(machine.read().get("hw.energy", ())), machine.unavailable)
"""


@contextlib.contextmanager
def working(gib: float, environ: dict[str, str]) -> Generator[None]:
    """A process that has this much memory of the first GPU and fills it again and again."""
    command = [sys.executable, "-m", "tests.gpu.cuda_load", str(gib)]
    with subprocess.Popen(
        command, env=environment(environ), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as load:
        assert load.stdout is not None
        for expected in ("allocated\n", "working\n"):
            assert load.stdout.readline() == expected, f"no load: exit code {load.wait(10)}"
        yield
        load.communicate("end\n", timeout=30)
        assert load.returncode == 0


class RealHost:
    """This machine."""

    def __init__(self) -> None:
        said = run(_LOOK).ok().out
        if "GPUs 0" in said:
            pytest.fail(f"this needs an NVIDIA GPU that counts its energy: {said}")

    def environment(self) -> dict[str, str]:
        return {"GENAI_OTEL_GPU_MIN_INTERVAL": "0", "GENAI_OTEL_GPU": "on"}

    @contextlib.contextmanager
    def working(self, gib: float) -> Generator[None]:
        with working(gib, {}):
            yield


class FakeHost:
    """A GPU that draws 100 W, and 600 W when it works."""

    def __init__(self, folder: Path) -> None:
        self._nvml = FakeNvml(folder, util=0, mem_used=GIB, power_mw=100_000)
        self._cuda = built(Path(__file__).with_name("fake_cuda.c"), "libcuda.so.1")
        self._joules, self._watts, self._memory = 1000.0, 100, GIB
        self._ended = threading.Event()

    def environment(self) -> dict[str, str]:
        return self._nvml.environment(GENAI_OTEL_GPU="on")

    @contextlib.contextmanager
    def working(self, gib: float) -> Generator[None]:
        with working(gib, {"LD_LIBRARY_PATH": str(self._cuda)}):
            self._watts, self._memory = 600, self._memory + int(gib * GIB)
            yield
            self._watts, self._memory = 100, self._memory - int(gib * GIB)

    def __enter__(self) -> FakeHost:
        self._clock = threading.Thread(target=self._go_on)
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._clock.join()

    def _go_on(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(0.02):
            now = time.monotonic()
            self._joules += self._watts * (now - last)
            last = now
            busy = self._watts > 100
            self._nvml.set(
                energy_mj=int(self._joules * 1000),
                power_mw=self._watts * 1000,
                util=100 if busy else 0,
                mem_used=self._memory,
            )
