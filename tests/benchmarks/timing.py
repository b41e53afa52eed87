"""CPU time that a subject adds to a call, measured in turns of ABBA blocks.

Each subject is one process, in which the client's classes are switched between patched (A) and original (B); the
driver goes round over subjects and workloads in random order.  The figure is the median of A/B - 1 over
neighbouring blocks, times one reference cost of the unpatched call, so that a slow minute of the machine hits
both alike.  What waits for later (spans for their export, readings for their measuring) is done at the end of a turn,
whose calls share its cost; a turn makes as many calls as an export finds that comes every five seconds, at some twenty
calls a second.  ``python -m tests.benchmarks.timing SUBJECT`` is the measuring process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from typing import NamedTuple, TextIO

from tests.benchmarks import clients, patches, subjects
from tests.benchmarks.count import CLIENTS
from tests.benchmarks.workloads import Run


class Block(NamedTuple):
    """CPU microseconds per call: of the calling thread, and of the process."""

    thread: float
    process: float


class Turn(NamedTuple):
    """(patched, original) blocks in ABBA order, and the CPU microseconds per patched call of what came later."""

    pairs: list[tuple[Block, Block]]
    later: float


class Cost(NamedTuple):
    """Microseconds added per call, with half the width of the quartiles over the turns; ``reference`` unpatched.

    ``thread`` is the calling thread's, ``process`` that of all threads with what comes later.
    """

    thread: float
    process: float
    spread: float
    reference: float


class Bench:
    """The measuring process: one subject, one client per workload and state of the patches."""

    def __init__(self, subject: str, names: Sequence[str]) -> None:
        for name in names:
            clients.workload(name).make()(1)
        before = patches.snapshot(*CLIENTS, *clients.packages(names))
        self.session = subjects.set_up(subject)
        self.patches = patches.difference(before)
        self.runs: dict[tuple[str, bool], Run] = {}
        gc.collect()
        gc.freeze()

    def block(self, name: str, *, on: bool, calls: int) -> Block:
        patches.switch(self.patches, on=on)
        run = self.runs.get((name, on)) or self.runs.setdefault((name, on), clients.workload(name).make())
        run(calls)  # untimed: caches and specialised bytecode come back after the switch
        thread, process = time.thread_time_ns(), time.process_time_ns()
        run(calls)
        thread, process = time.thread_time_ns() - thread, time.process_time_ns() - process
        return Block(thread / calls / 1e3, process / calls / 1e3)

    def turn(self, name: str) -> Turn:
        workload = clients.workload(name)
        pairs: list[tuple[Block, Block]] = []
        self.session.flush()
        for number in range(workload.pairs):
            order = (True, False) if number % 2 == 0 else (False, True)
            blocks = {on: self.block(name, on=on, calls=workload.block) for on in order}
            pairs.append((blocks[True], blocks[False]))
        later = time.process_time_ns()
        self.session.flush()
        later = time.process_time_ns() - later
        return Turn(pairs, later / (2 * workload.pairs * workload.block) / 1e3)


class Worker:
    """The driver's end of a measuring process."""

    def __init__(self, subject: str, workloads: Sequence[str], mode: str, python: str) -> None:
        self.process = subprocess.Popen(
            [python, "-m", __name__, subject, *workloads],
            env=subjects.environment(mode),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turn(self, name: str) -> Turn:
        commands, answers = self.process.stdin, self.process.stdout
        assert commands is not None
        assert answers is not None
        commands.write(name + "\n")
        commands.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"a measuring process ended with {self.process.wait()}")
        pairs, later = json.loads(line)
        return Turn([(Block(*a), Block(*b)) for a, b in pairs], later)

    def end(self) -> None:
        self.process.communicate()


@contextlib.contextmanager
def workers(
    names: Sequence[str], workloads: Sequence[str], mode: str, python: str
) -> Generator[dict[str, Worker], None, None]:
    started = {name: Worker(name, workloads, mode, python) for name in names}
    try:
        yield started
    finally:
        for worker in started.values():
            worker.end()


def compare(
    names: Sequence[str],
    workloads: Sequence[str],
    *,
    rounds: int,
    mode: str = "default",
    python: str = sys.executable,
) -> dict[str, dict[str, Cost]]:
    """Cost of every subject in every workload: ``result[workload][subject]``."""
    order = [(workload, subject) for workload in workloads for subject in names]
    turns: dict[tuple[str, str], list[Turn]] = {key: [] for key in order}
    with workers(names, workloads, mode, python) as running:
        for number in range(rounds + 1):
            random.shuffle(order)
            for workload, subject in order:
                turn = running[subject].turn(workload)
                if number:  # the first round is warm-up
                    turns[workload, subject].append(turn)
    return {workload: _costs({name: turns[workload, name] for name in names}) for workload in workloads}


def _costs(turns: dict[str, list[Turn]]) -> dict[str, Cost]:
    unpatched = sorted(pair[1].thread for mine in turns.values() for turn in mine for pair in turn.pairs)
    reference = unpatched[len(unpatched) // 5]  # the quiet moments
    return {name: _cost(mine, reference) for name, mine in turns.items()}


def _cost(turns: list[Turn], reference: float) -> Cost:
    pairs = [pair for turn in turns for pair in turn.pairs]
    thread = statistics.median(a.thread / b.thread - 1 for a, b in pairs)
    process = statistics.median(a.process / b.process - 1 for a, b in pairs)
    later = statistics.median(turn.later for turn in turns)
    each = sorted(statistics.median(a.thread / b.thread - 1 for a, b in turn.pairs) for turn in turns)
    spread = (each[-1 - len(each) // 4] - each[len(each) // 4]) / 2
    return Cost(thread * reference, process * reference + later, spread * reference, reference)


def serve(subject: str, workloads: Sequence[str], commands: TextIO, answers: TextIO) -> None:
    """Answer every workload named on a line of ``commands`` with one turn."""
    bench = Bench(subject, workloads)
    for line in commands:
        print(json.dumps(bench.turn(line.strip())), file=answers, flush=True)


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not look like an answer
    serve(sys.argv[1], sys.argv[2:], sys.stdin, channel)
