"""The end of a process, and of a flush: all signals in parallel, one deadline, whatever the back ends do.

The threads that do it are started at set-up (and again after a fork), because an interpreter that is going down
starts none.  What has not ended at the deadline is left behind; the threads are daemons.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from genai_otel import fence
from genai_otel.runtime.greenlets import when_free

Task = Callable[[], object]


class Worker:
    """A daemon thread that runs what it is given, one after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.start()

    def start(self) -> None:
        """Start the thread; again after a fork, which takes it away."""
        self._tasks: queue.SimpleQueue[tuple[Task, threading.Event]] = queue.SimpleQueue()
        name = f"genai_otel-{self._name}"
        when_free(threading.Thread(target=self._run, args=(self._tasks,), name=name, daemon=True).start)

    def submit(self, task: Task) -> threading.Event:
        """Run ``task`` when those before it have ended; the event is set when it has."""
        done = threading.Event()
        self._tasks.put((task, done))
        return done

    @staticmethod
    def _run(tasks: queue.SimpleQueue[tuple[Task, threading.Event]]) -> None:
        while True:
            task, done = tasks.get()
            try:
                task()
            except Exception as error:  # noqa: BLE001 - a provider's error must not end the thread
                fence.report("runtime.ending", error)
            finally:
                done.set()


def submit_all(workers: Mapping[int, Worker], tasks: Mapping[int, Task]) -> list[threading.Event]:
    """Give each task to the worker of the same key; they run in parallel."""
    return [workers[key].submit(task) for key, task in tasks.items()]


def wait_all(events: Iterable[threading.Event], deadline: float) -> bool:
    """Wait until all events are set; False when one is not at the ``deadline`` of the monotonic clock."""
    ended = [event.wait(max(0.0, deadline - time.monotonic())) for event in events]
    return all(ended)
