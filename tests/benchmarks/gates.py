"""The figures that must hold, on any machine: counts, never times."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NamedTuple

from tests.benchmarks import steps
from tests.benchmarks.count import Work, per_chunk

WORKLOADS = ("chat", "stream20", "stream60", "stream20_async", "stream60_async")
"""What is counted for the gates; a chunk of a longer stream costs the same."""

BYTECODES_PER_CALL = 1_600
SHARE_OF_FLOOR = 0.35
BYTECODES_PER_CHUNK = 40 if sys.version_info >= (3, 11) else 41  # 3.10 hands a chunk on in two more
BYTECODES_PER_RUN = 550
"""Of a model that a call runs more than once: each run tells its tokens and why its answers ended."""
BYTECODES_PER_MESSAGE = 90
"""Of a session: more than a chunk, because the program's own way of asking for it is kept, and it comes as bytes."""
CONTENT_WORKLOADS = ("chat", "stream20", "stream60")
"""What is counted with content on; asynchronous chunks are read by the same functions."""
CONTENT_SHARE_OF_FLOOR = 0.75
BYTECODES_PER_CONTENT_CHUNK = 90
STEP_SHARE_OF_FLOOR = 0.7
"""Of a step of the program's own, of any shape, with what comes later."""
SETUP_MILLISECONDS = 50
"""A time, so it is reported and breaks nothing."""


class Gate(NamedTuple):
    """One promise, the measured figure and its limit."""

    promise: str
    figure: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.figure <= self.limit


def of_work(ours: dict[str, Work], floor: dict[str, Work]) -> list[Gate]:
    """From the counts of :data:`WORKLOADS`."""
    chat, by_hand = ours["chat"], floor["chat"]
    return [
        Gate("bytecodes per chat call", chat.bytecodes, BYTECODES_PER_CALL),
        Gate(
            "share of the hand-written code, per chat call",
            chat.bytecodes / by_hand.bytecodes,
            SHARE_OF_FLOOR,
        ),
        Gate(
            "the same with what comes later: measuring, export",
            chat.exported / by_hand.exported,
            SHARE_OF_FLOOR,
        ),
        Gate("bytecodes per streamed chunk", per_chunk(ours).bytecodes, BYTECODES_PER_CHUNK),
        Gate(
            "bytecodes per streamed chunk, async",
            per_chunk(ours, "_async").bytecodes,
            BYTECODES_PER_CHUNK,
        ),
    ]


def of_content(ours: dict[str, Work], floor: dict[str, Work]) -> list[Gate]:
    """From the counts of :data:`CONTENT_WORKLOADS` with content on, by hand as well."""
    return [
        Gate(
            "share of the hand-written code, per chat call with content",
            ours["chat"].bytecodes / floor["chat"].bytecodes,
            CONTENT_SHARE_OF_FLOOR,
        ),
        Gate(
            "bytecodes per streamed chunk with content",
            per_chunk(ours).bytecodes,
            BYTECODES_PER_CONTENT_CHUNK,
        ),
    ]


def of_control(nothing: dict[str, Work]) -> list[Gate]:
    """The harness itself: where nothing was patched, nothing may be counted."""
    worst = max(abs(work.bytecodes) for work in nothing.values())
    return [Gate("bytecodes of the control, where nothing is patched", worst, 0)]


def of_sessions(messages: dict[str, float]) -> list[Gate]:
    """From the counts of single messages."""
    return [
        Gate(f"bytecodes per message, {name}", cost, BYTECODES_PER_MESSAGE) for name, cost in messages.items()
    ]


def of_steps(ours: dict[str, steps.Cost], floor: dict[str, steps.Cost]) -> list[Gate]:
    """From the counts of the same functions, decorated and by hand."""
    return [
        Gate(
            f"share of the hand-written code, {name}",
            cost.exported / floor[name].exported,
            STEP_SHARE_OF_FLOOR,
        )
        for name, cost in ours.items()
    ]


# --- the other clients ----------------------------------------------------------------------------


class Limit(NamedTuple):
    """What a method costs more than all others, and why."""

    call: float = BYTECODES_PER_CALL
    chunk: float = BYTECODES_PER_CHUNK
    why: str = ""


ASYNCHRONOUS = Limit(70, 7, "a coroutine of ours runs the client's")
"""What is added to the limits of asynchronous methods."""

LIMITS = {
    "litellm:text_completion": Limit(
        chunk=50, why="each is a step of the stream of `completion` below it as well"
    ),
}
"""Methods that cannot keep the limits of all."""


def of_client(work: dict[str, Work], runs: Mapping[str, int] | None = None) -> list[Gate]:
    """From the counts of all workloads of a client; its answers have all facts that they can have.

    Of asynchronous chunks our own code is counted: how often a loop goes round, and for whom, depends on the load.
    ``runs`` says of workloads that run a model more than once how often.
    """
    found: list[Gate] = []
    for name, each in work.items():
        if "stream" in name:
            continue
        method = name.removesuffix("_async")
        call, chunk, _ = LIMITS.get(method, Limit())
        suffix = name[len(method) :]
        more = ASYNCHRONOUS if suffix else Limit(0, 0)
        again = (runs or {}).get(name, 1) - 1
        limit = call + more.call + again * BYTECODES_PER_RUN
        found.append(Gate(f"bytecodes per call of {name}", each.bytecodes, limit))
        if f"{method} stream20{suffix}" in work:
            cost = per_chunk(work, suffix, f"{method} ")
            figure = cost.own if suffix else cost.bytecodes
            found.append(Gate(f"bytecodes per chunk of {name}", figure, chunk + more.chunk))
    return found
