"""A driver for tests: a real shared object, built from `fake_nvml.c`, that the real binding loads.

Its state is a text file, read again whenever it changes, so that a test can change it under a running process:

    fake = FakeNvml(folder, gpus=2, util=87)
    with Process.script(script, env=fake.environment()) as process:
        fake.set(gpu1__fail=15)

A double underscore stands for a dot: `gpu1__fail` is `gpu1.fail`, of the second GPU alone.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake_nvml.c")
NAME = "libnvidia-ml.so.1"
GIB = 2**30

STATE: dict[str, object] = {
    "gpus": 1,
    "util": 87,
    "memutil": 41,
    "mem_total": 141 * GIB,
    "mem_used": 120 * GIB,
    "mem_reserved": GIB // 2,
    "power_mw": 523_400,
    "power_limit_mw": 700_000,
    "energy_mj": 98_765_432_100,
    "temp0": 61,
    "field82": 74,
}


@functools.cache
def built(source: Path, name: str, without: tuple[str, ...] = ()) -> Path:
    """The folder of a shared object that is built from a C file, as old as one ``without`` some functions.

    Skips the test where there is no compiler for it.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip(f"needs a C compiler, which builds the {name} of the tests")
    folder = Path(tempfile.mkdtemp(prefix="genai-otel-gpu-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = ["-shared", "-fPIC", f"-Wl,-soname,{name}", *(f"-D{each}=missing_{each}" for each in without)]
    subprocess.run([compiler, *options, "-o", str(folder / name), str(source), "-lpthread"], check=True)
    return folder


class FakeNvml:
    """The state of a host with such a driver."""

    def __init__(self, folder: Path, *, without: tuple[str, ...] = (), **state: object) -> None:
        self.folder = folder
        self.library = built(SOURCE, NAME, without)
        self._file = folder / "nvml.state"
        self._state: dict[str, object] = dict(STATE)
        self.set(**state)

    def set(self, **state: object) -> None:
        """Change keys; None takes one away."""
        self._state |= {key.replace("__", "."): value for key, value in state.items()}
        lines = [f"{key}={value}\n" for key, value in self._state.items() if value is not None]
        new = self._file.with_suffix(".new")
        new.write_text("".join(lines), encoding="utf-8")
        new.replace(self._file)

    def environment(self, **more: str) -> dict[str, str]:
        """Variables for a process that is to find this driver."""
        path = os.pathsep.join(filter(None, (str(self.library), os.environ.get("LD_LIBRARY_PATH"))))
        return {
            "LD_LIBRARY_PATH": path,
            "FAKE_NVML_STATE": str(self._file),
            "XDG_RUNTIME_DIR": str(self.folder),
            "GENAI_OTEL_GPU_MIN_INTERVAL": "0",
            **more,
        }
