"""One snapshot for all who ask, taken within a budget of time.

A collection must not wait for a driver that hangs: past the SDK's deadline everything that was collected is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation

Points = dict[str, list[Observation]]
"""Name of a metric to its values."""

if TYPE_CHECKING:
    import threading
    from typing import Protocol

    from genai_otel.gpu.driver import Driver

    class Source(Protocol):
        """What is read; ``failures`` counts by kind what could not be."""

        failures: dict[str, int]

        def load(self) -> None:
            """Make ready, without asking the driver."""
            ...

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

    The source is made when somebody first collects; ``took`` is told how long each reading of something took.
    """

    def __init__(
        self,
        driver: Driver,
        make: Callable[[], Source],
        *,
        budget: float,
        interval: float,
        took: Callable[[float], None],
    ) -> None:
        self._driver = driver
        self._make = make
        self._source: Source | None = None
        self._budget = budget
        self._interval = interval
        self._took = took
        self._reset()
        driver.add(self)

    def _reset(self) -> None:
        self._timeouts = 0
        self._points: Points = {}
        self._at = -self._interval
        self._loaded: threading.Event | None = None
        self._pending: threading.Event | None = None

    def refresh(self, most: float) -> None:
        """Take a new snapshot if the last one is too old; one that is not there within the budget is for the next time.

        Called by the first instrument of a collection, so that all others find the same snapshot.  To load the binding
        is no matter of the driver: it is waited for, once, but for no longer than the ``most`` seconds.
        """
        if self._driver.ended or time.monotonic() - self._at < self._interval:
            return
        if self._loaded is None:
            self._loaded = self._driver.submit(self._load)
            self._loaded.wait(most)
        if not self._loaded.is_set():
            return
        pending, wait = self._pending, 0.0
        if pending is None or pending.is_set():
            pending, wait = self._driver.submit(self._take), min(most, self._budget)
        if pending.wait(wait):
            self._pending = None
        else:
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
        """Nothing is there any more."""
        self._points = {}
        if self._source is not None:
            self._source.close()

    def after_fork(self) -> None:
        """A child has read nothing yet."""
        self._reset()
        if self._source is not None:
            self._source.after_fork()

    def _load(self) -> None:
        if self._source is None:
            self._source = self._make()
        self._source.load()

    def _take(self) -> None:
        if self._source is None:
            return
        self._points = {}
        began = time.monotonic()
        points = self._source.read()
        self._at = time.monotonic()
        self._points = points
        if points:
            self._took(self._at - began)
