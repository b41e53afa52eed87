"""Passes over the GPUs of a fake driver, one after the other, in a process of their own: `python -m tests.gpu.passes`.

The argument is a list of steps as JSON: each changes keys of the driver, may wait or call the binding itself, and then
reads all GPUs once.  What each pass gave is printed as JSON.
"""

from __future__ import annotations

import ctypes
import functools
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genai_otel.config import Config
from genai_otel.gpu.machine import machine
from genai_otel.gpu.observe import chosen
from tests.gpu.nvml import NAME, FakeNvml
from tests.harness.process import Process

Step = Mapping[str, object]
"""Keys of the driver with their values.

`sleep` are seconds, `pass` lets minutes pass on our clock, `call` is a function of the binding.
"""


@dataclass(frozen=True)
class Pass:
    """What one pass gave: values by (metric, GPU, further labels), failures so far, calls of NVML that it made."""

    points: list[tuple[str, float, dict[str, str]]]
    failures: dict[str, int]
    calls: int
    logs: list[tuple[str, str]]
    refs: int

    def values(self, metric: str, *labels: str) -> dict[Any, float]:
        """`hw.id`, or the labels that are named, to value."""
        keys = labels or ("hw.id",)
        found = {
            tuple(each.get(key) for key in keys): value for name, value, each in self.points if name == metric
        }
        return found if len(keys) > 1 else {key: value for (key,), value in found.items()}

    def value(self, metric: str) -> float | None:
        """The only value of a metric, or None."""
        found = [value for name, value, _ in self.points if name == metric]
        assert len(found) <= 1, found
        return found[0] if found else None

    def labels(self, metric: str) -> list[dict[str, str]]:
        return [labels for name, _, labels in self.points if name == metric]

    @property
    def metrics(self) -> set[str]:
        return {name for name, _, _ in self.points}


def passes(nvml: FakeNvml | None, *steps: Step, **environ: str) -> list[Pass]:
    """Make the steps, at least one, with a driver or without; warnings of Python are errors."""
    command = (sys.executable, "-W", "error", "-m", "tests.gpu.passes", json.dumps(steps or [{}]))
    env = {"GENAI_OTEL_GPU": "on", **environ}
    with Process(command, env=nvml.environment(**env) if nvml else env) as process:
        lines = process.finish().ok().out.splitlines()
    return [Pass(**json.loads(line)) for line in lines]


class _Logs(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelname, record.getMessage()))


def main(steps: Sequence[Step]) -> None:
    logs = _Logs()
    logging.getLogger("genai_otel").addHandler(logs)
    logging.getLogger("genai_otel").setLevel(logging.DEBUG)
    config = Config.load({}, os.environ)
    gpus = machine(config, os.environ, chosen(config))
    library: Any = None
    if "FAKE_NVML_STATE" in os.environ:
        library = ctypes.CDLL(NAME)
        library.nvmlShutdown()  # an error, but it has read its state by then, and the steps change that
    for step in steps:
        _prepare(library, step)
        before = library.fake_nvml_calls(b"") if library else 0
        points = gpus.read()
        made = {
            "points": [
                (name, point.value, dict(point.attributes or {})) for name in points for point in points[name]
            ],
            "failures": gpus.failures,
            "calls": library.fake_nvml_calls(b"") - before if library else 0,
            "logs": logs.said,
            "refs": library.fake_nvml_refs() if library else 0,
        }
        print(json.dumps(made))
    gpus.close()


def _later(now: Callable[[], float]) -> float:
    return now() + 600


def _prepare(library: Any, step: Step) -> None:
    for key, value in step.items():
        if key == "sleep":
            time.sleep(float(str(value)))
        elif key == "pass":
            time.monotonic = functools.partial(_later, time.monotonic)
        elif key == "call":
            import pynvml  # what the first pass has loaded

            getattr(pynvml, str(value))()
        else:
            library.fake_nvml_set(key.encode(), str(value).encode())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
