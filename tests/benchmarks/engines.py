"""The same measurements for models in the process itself: their workloads are the cases of `tests/engines`.

A workload is named ``engine:case``.  The model is made once, before anything is patched.
"""

from __future__ import annotations

import functools
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.benchmarks.workloads import Run, Workload
from tests.engines.engine import Engine

KNOWN = frozenset(
    path.stem for path in (Path(__file__).parents[1] / "engines" / "payloads").glob("[a-z]*.py")
)


def runs(engine: Engine) -> dict[str, int]:
    """How often the workloads that are counted run a model; how many pieces a stream has is the model's affair."""
    return {f"{engine.name}:{case.name}": case.runs for case in engine.cases if not case.stream}


def workload(client: str, name: str) -> Workload:
    """The workload of a case."""
    engine: Engine = import_module(f"tests.engines.payloads.{client}").ENGINE
    case = next(case for case in engine.cases if case.name == name)

    def make() -> Run:
        subject = _subject(client)

        def run(calls: int) -> None:
            for _ in range(calls):
                case.call(subject)

        return run

    return Workload(make, 5, 6)


@functools.cache
def _subject(client: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return import_module(f"tests.engines.payloads.{client}").ENGINE.make(Path(folder))
