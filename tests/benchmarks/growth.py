"""Whether anything stays behind: memory, objects, open calls and series over very many calls and dropped streams.

``python -m tests.benchmarks.growth CALLS STREAMS`` is the measuring process; it prints a line per tenth.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from typing import NamedTuple

import psutil

from tests.benchmarks import subjects
from tests.benchmarks.workloads import WORKLOADS, Run, abandoned

OBJECTS_TOLERATED = 200
"""Caches of the interpreter and the client fill up late; a leak is at least one object per call."""


class Sample(NamedTuple):
    """The process after ``calls`` calls, collected and flushed; ``resident`` in kB."""

    calls: int
    resident: int
    objects: int
    open: int
    series: int


class Growth(NamedTuple):
    """What came in the last three quarters of ``calls``; ``held`` is bytes kept per call, by tracemalloc."""

    what: str
    calls: int
    resident: int
    objects: int
    open: int
    series: int
    held: float

    @property
    def none(self) -> bool:
        return self.objects <= OBJECTS_TOLERATED and self.open == 0 and self.series == 0


def sample(session: subjects.Session, calls: int) -> Sample:
    from genai_otel.engine import call

    session.flush()
    gc.collect()
    call.drain()
    session.flush()
    resident = psutil.Process().memory_info().rss // 1024
    return Sample(calls, resident, len(gc.get_objects()), len(call.open_calls()), session.series())


def grow(what: str, run: Run, session: subjects.Session, calls: int) -> Growth:
    step = max(calls // 20, 1)
    samples: list[Sample] = []
    run(min(1000, calls))
    for done in range(step, calls + 1, step):
        for _ in range(0, step, 500):  # the batch processor holds 2,048 spans and drops the rest
            run(min(500, step))
            session.flush()
        samples.append(sample(session, done))
        if len(samples) % 2 == 0:
            print(
                f"  {what}: {done:,} of {calls:,}, {samples[-1].resident:,} kB, "
                f"{samples[-1].objects:,} objects, {samples[-1].open} open, {samples[-1].series} series",
                file=sys.stderr,
                flush=True,
            )
    first, last = samples[len(samples) // 4], samples[-1]
    return Growth(
        what,
        calls,
        last.resident - first.resident,
        last.objects - first.objects,
        last.open,
        last.series - first.series,
        held(run, session, min(1000, calls)),
    )


def held(run: Run, session: subjects.Session, calls: int) -> float:
    """Bytes that are still allocated per call, after everything was flushed and collected."""
    tracemalloc.start()
    try:
        run(calls)  # what is allocated once, again under tracemalloc's eyes
        sample(session, 0)
        before = tracemalloc.get_traced_memory()[0]
        run(calls)
        sample(session, 0)
        return (tracemalloc.get_traced_memory()[0] - before) / calls
    finally:
        tracemalloc.stop()


def measure(calls: int, streams: int) -> list[Growth]:
    session = subjects.set_up("genai_otel")
    return [
        grow("calls", WORKLOADS["chat"].make(), session, calls),
        grow("dropped streams", abandoned(), session, streams),
    ]


def growth(calls: int, streams: int) -> list[Growth]:
    """:func:`measure` in a process of its own; its progress goes to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(calls), str(streams)],
        env=subjects.environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Growth(*values) for values in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
