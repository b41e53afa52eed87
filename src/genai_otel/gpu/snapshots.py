"""One snapshot for all who ask, taken by one worker, within a budget of time, by one process at a time.

A collection must not wait for a driver that hangs: past the SDK's deadline everything that was collected is lost.
And a fork must not happen while NVML works: the child would have its locks, and nobody who gives them back.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation

from genai_otel import fence

Points = dict[str, list[Observation]]
"""Name of a metric to its values."""

if TYPE_CHECKING:
    from typing import Protocol

    class Worker(Protocol):
        """A daemon thread that does one task after the other."""

        def submit(self, task: Callable[[], object]) -> threading.Event:
            """Do the task; the event is set afterwards."""
            ...

        def start(self) -> None:
            """Start the thread again, in a forked child."""
            ...

    class Source(Protocol):
        """What is read; ``failures`` counts by kind what could not be."""

        failures: dict[str, int]

        def read(self) -> Points:
            """The values now."""
            ...

        def close(self) -> None:
            """Nothing will be read any more."""
            ...

        def after_fork(self) -> None:
            """What was opened belongs to the parent."""
            ...


class Snapshots:
    """Reads a source when somebody collects, at most once per ``interval`` and waiting at most ``budget`` seconds.

    The source is made when it is first read; ``took`` is told how long each reading of something took.
    """

    def __init__(
        self,
        make: Callable[[], Source],
        worker: Worker,
        *,
        budget: float,
        interval: float,
        took: Callable[[float], None],
    ) -> None:
        self._make = make
        self._source: Source | None = None
        self._worker = worker
        self._budget = budget
        self._interval = interval
        self._took = took
        self._ended = False
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._in_parent, after_in_child=self._in_child
            )

    def _reset(self) -> None:
        self._timeouts = 0
        self._forking: set[int] = set()  # threads that hold it over a fork
        self._reading = threading.Lock()
        self._points: Points = {}
        self._at = -self._interval
        self._pending: threading.Event | None = None
        self._answered = False

    def refresh(self, budget: float) -> None:
        """Take a new snapshot if the last one is too old; what comes later than within the budget is for the next one.

        Called by the first instrument of a collection, so that all others find the same snapshot.
        """
        if self._ended or time.monotonic() - self._at < self._interval:
            return
        pending, wait = self._pending, 0.0
        if pending is None or pending.is_set():
            pending, wait = self._worker.submit(self._take), min(budget, self._budget)
        if pending.wait(wait):
            self._pending, self._answered = None, True
            return
        # The first of all has the library to load, and may be late without being a failure.
        if self._answered or self._pending is not None:
            self._timeouts += 1
        self._pending, self._points = pending, {}

    def values(self, metric: str) -> Sequence[Observation]:
        """What the snapshot says of a metric."""
        return self._points.get(metric, ())

    def failures(self) -> dict[str, int]:
        """What could not be read so far, by kind."""
        late = {"timeout": self._timeouts} if self._timeouts else {}
        return {**(self._source.failures if self._source else {}), **late}

    def close(self) -> None:
        """End it; a driver that hangs is left alone."""
        self._ended, self._points = True, {}
        if self._reading.acquire(timeout=self._budget):
            try:
                if self._source is not None:
                    self._source.close()
            finally:
                self._reading.release()

    def _take(self) -> None:
        with self._reading, fence.contain("gpu"):
            if self._ended:
                return
            if self._source is None:
                self._source = self._make()
            began = time.monotonic()
            points = self._source.read()
            self._at = time.monotonic()
            self._points = points
            if points:
                self._took(self._at - began)

    def _before_fork(self) -> None:
        if self._reading.acquire(timeout=self._budget):
            self._forking.add(threading.get_ident())

    def _in_parent(self) -> None:
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self._reading.release()

    def _in_child(self) -> None:
        if threading.get_ident() not in self._forking:
            self._ended = True  # the driver hangs in the parent, and its locks are held here for ever
        self._reset()
        if not self._ended:
            if self._source is not None:
                self._source.after_fork()
            self._worker.start()
