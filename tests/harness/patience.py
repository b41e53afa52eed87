"""Waiting for what happens in other threads, and making the garbage collector strike on purpose."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(condition: Callable[[], Found], *, timeout: float = 5.0, every: float = 0.01) -> Found:
    """The first true value of `condition`; AssertionError when there is none within `timeout` seconds."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {timeout} s: {condition}"
        time.sleep(every)
    return found


def collect() -> None:
    """Collect garbage until finalizers have no more garbage to make."""
    for _ in range(3):
        gc.collect()


class DeadLock(AssertionError):
    """A finalizer waits for the lock that its own thread holds."""


class GcLock:
    """Stands in for a `threading.Lock`: the garbage collector runs right after every acquisition.

    The rare moment in which a finalizer meets a held lock comes each time, and a wait without end is an error.
    """

    def __init__(self, *, patience: float = 2.0) -> None:
        self._lock = threading.Lock()
        self._patience = patience
        self.acquisitions = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        got = self._lock.acquire(blocking, self._patience if blocking and timeout < 0 else timeout)
        if not got and blocking and timeout < 0:
            raise DeadLock(f"no lock within {self._patience} s")
        if got:
            self.acquisitions += 1
            gc.collect()
        return got

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
