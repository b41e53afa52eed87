"""Work that noise cannot touch: bytecodes and Python calls that a subject adds to one call of the client.

``python -m tests.benchmarks.count SUBJECT [WORKLOAD ...]`` prints JSON.  A process of its own, because the
trace function sees everything that runs in its thread.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

import opentelemetry

import genai_otel
from tests.benchmarks import clients, patches, subjects
from tests.benchmarks.workloads import WORKLOADS, Run

BATCH = 32
"""Calls whose spans are exported, and measured, together; what that costs by itself is shared by them."""

CLIENTS = ("openai", "httpx", "httpx2")


OWN: Final = (str(Path(genai_otel.__file__).parent), *opentelemetry.__path__)
"""Where the code lives that runs because of us."""


class Work(NamedTuple):
    """Per call: Python functions called, bytecodes in the calling thread, bytecodes with all that comes later.

    ``own`` are those of the calling thread in :data:`OWN` alone: what tasks of a client's do meanwhile is none of them.
    """

    calls: float
    bytecodes: float
    exported: float
    own: float

    def minus(self, other: Work) -> Work:
        return Work(*(round(mine - theirs, 1) for mine, theirs in zip(self, other, strict=True)))


class Tally:
    """Counts the bytecodes and Python calls of this thread while :meth:`run` runs."""

    def __init__(self) -> None:
        self.calls = 0
        self.bytecodes = 0
        self.own = 0
        self._thread = threading.get_ident()

    def run(self, run: Run, calls: int) -> None:
        if sys.version_info >= (3, 12):
            self._monitored(run, calls)
        else:
            self._traced(run, calls)

    def _traced(self, run: Run, calls: int) -> None:
        def opened(frame: FrameType, event: str, _argument: object) -> Any:
            self.calls += event == "call"
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return own_step if frame.f_code.co_filename.startswith(OWN) else step

        def step(_frame: FrameType, event: str, _argument: object) -> Any:
            self.bytecodes += event == "opcode"
            return step

        def own_step(_frame: FrameType, event: str, _argument: object) -> Any:
            self.bytecodes += event == "opcode"
            self.own += event == "opcode"
            return own_step

        sys.settrace(opened)
        try:
            run(calls)
        finally:
            sys.settrace(None)

    def _monitored(self, run: Run, calls: int) -> None:
        """From 3.12 on; the trace function of 3.12.0 and 3.12.1 loses and repeats bytecodes."""
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - types for 3.10 have no such attribute
        events = monitoring.events

        def opened(*_: object) -> None:
            self.calls += threading.get_ident() == self._thread

        def step(code: CodeType, _: int) -> None:
            here = threading.get_ident() == self._thread
            self.bytecodes += here
            self.own += here and code.co_filename.startswith(OWN)

        tool = monitoring.PROFILER_ID
        monitoring.use_tool_id(tool, __name__)
        try:
            for event, callback in (
                (events.PY_START, opened),
                (events.PY_RESUME, opened),
                (events.PY_THROW, opened),
                (events.INSTRUCTION, step),
            ):
                monitoring.register_callback(tool, event, callback)
            monitoring.set_events(
                tool, events.PY_START | events.PY_RESUME | events.PY_THROW | events.INSTRUCTION
            )
            run(calls)
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)


def measure(run: Run, session: subjects.Session, calls: int, batch: int = BATCH) -> Work:
    """Two passes, the smaller count of each: a cache that was filled in the first is no cost of a call.

    ``batch`` spans are exported together, none where the export is not counted.
    """
    run(6)
    session.flush()
    passes: list[Work] = []
    for _ in range(2):
        gc.collect()
        call, export = Tally(), Tally()
        call.run(run, calls)
        session.flush()
        if batch:
            run(batch)
            export.run(lambda _batch: session.flush(), batch)
        bytecodes = call.bytecodes / calls
        exported = bytecodes + export.bytecodes / (batch or 1)
        passes.append(Work(call.calls / calls, bytecodes, exported, call.own / calls))
    return Work(*(min(pair) for pair in zip(*passes, strict=True)))


def added(subject: str, names: Sequence[str]) -> dict[str, Work]:
    """For each workload what the subject adds: with it, less without it, in the same process."""
    for name in names:
        clients.workload(name).make()(1)
    before = patches.snapshot(*CLIENTS, *clients.packages(names))
    session = subjects.set_up(subject)
    for name in names:  # the classes of streams may be patched when the first of them comes
        clients.workload(name).make()(1)
    changed = patches.difference(before)
    gc.disable()  # a collection in the middle of a pass would be counted
    work: dict[str, Work] = {}
    for name in names:
        calls = 1 if "stream" in name else 4
        measured: list[Work] = []
        for on in (False, True):
            patches.switch(changed, on=on)
            batch = 0 if ":" in name else BATCH  # the export is the same for all clients
            measured.append(measure(clients.workload(name).make(), session, calls, batch))
        work[name] = measured[1].minus(measured[0])
    return work


def count(
    subject: str, names: Sequence[str], mode: str = "default", *, python: str = sys.executable
) -> dict[str, Work]:
    """:func:`added`, in a process of its own, of the interpreter ``python``."""
    done = subprocess.run(
        [python, "-m", __name__, subject, *names],
        env=subjects.environment(mode),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(f"counting {subject} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {name: Work(*values) for name, values in json.loads(done.stdout.splitlines()[-1]).items()}


def per_chunk(work: dict[str, Work], suffix: str = "", prefix: str = "") -> Work:
    """What one more chunk of a stream costs: 60 chunks less 20, by 40.  ``suffix`` is "_async" for the other kind."""
    long, short = work[f"{prefix}stream60{suffix}"], work[f"{prefix}stream20{suffix}"]
    return Work(*(round((a - b) / 40, 1) for a, b in zip(long, short, strict=True)))


if __name__ == "__main__":
    print(json.dumps(added(sys.argv[1], sys.argv[2:] or list(WORKLOADS))))
