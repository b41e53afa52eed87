"""Work that nobody waits for: a few daemon threads, tasks of running event loops, and a wait for both at the end.

The standard executor is no choice: its threads keep the process alive for as long as they are busy.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from genai_otel import fence
from genai_otel.quality import connected

if TYPE_CHECKING:
    import asyncio

MOST_WAITING: Final = 1_000
THREADS: Final = 4

_Work = tuple[Callable[[], Any], "Future[Any]"]


class _Behind:
    """What is waiting and what runs."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting: SimpleQueue[_Work] = SimpleQueue()
        self.open = 0
        self.threads = 0
        self.tasks: dict[
            asyncio.Task[Any], int
        ] = {}  # with the threads of their loops; a loop keeps no task alive


_now = _Behind()


def run(work: Callable[[], Any]) -> Future[Any]:
    """Do ``work`` in a thread; a future of its result, cancelled where too much is waiting."""
    future: Future[Any] = Future()
    here = _now
    with here.changed:
        if not _has_room(here):
            future.cancel()
            return future
        here.open += 1
        if here.threads < min(THREADS, here.open):
            threading.Thread(target=_work, args=(here,), name="genai_otel-evaluations", daemon=True).start()
            here.threads += 1
    here.waiting.put((work, future))
    return future


def follow(loop: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, Any]]) -> Future[Any]:
    """Run what ``make`` makes as a task of ``loop``, which runs in this thread."""
    future: Future[Any] = Future()
    here = _now

    def ended(task: asyncio.Task[Any]) -> None:
        with here.changed:
            here.tasks.pop(task, None)
            here.changed.notify_all()
        _settle(future, task)

    with here.changed:
        if not _has_room(here):
            future.cancel()
            return future
        task = loop.create_task(make())
        here.tasks[task] = threading.get_ident()
    task.add_done_callback(ended)
    return future


def wait(seconds: float) -> int:
    """Wait until all is done, for ``seconds``; how much is not.  What a loop of this very thread runs cannot go on."""
    here, deadline = _now, time.monotonic() + seconds
    with here.changed:
        while (left := _unfinished(here)) and (remaining := deadline - time.monotonic()) > 0:
            here.changed.wait(remaining)
    return left


def _has_room(here: _Behind) -> bool:
    if here.open + len(here.tasks) < MOST_WAITING:
        return True
    fence.dropped("evaluations", "queue_full")
    fence.warn(f"more than {MOST_WAITING} evaluations are waiting; further ones are not run")
    return False


def _unfinished(here: _Behind) -> int:
    me = threading.get_ident()
    return here.open + sum(task.get_loop().is_running() and of != me for task, of in here.tasks.items())


def _work(here: _Behind) -> None:
    while True:
        work, future = here.waiting.get()
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is told to whoever asks the future, as an executor does
            future.set_exception(error)
        else:
            future.set_result(result)
        with here.changed:
            here.open -= 1
            here.changed.notify_all()


def _settle(future: Future[Any], task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        future.cancel()
    elif (error := task.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


def _after_fork() -> None:
    """The threads and what they do stay with the parent."""
    global _now  # noqa: PLW0603 - as the above
    _now = _Behind()


connected.wait = wait
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
