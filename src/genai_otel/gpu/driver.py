"""Who may be inside the driver: one worker, never while the process forks, and nobody after the end.

A driver may hang, so no thread of the program ever calls it.  And a fork must not happen while NVML works: the child
would have its locks, and nobody who gives them back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from genai_otel import fence

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

    class User(Protocol):
        """What has something open in the driver."""

        def close(self) -> None:
            """Nothing will be read any more."""
            ...

        def after_fork(self) -> None:
            """What was opened belongs to the parent."""
            ...


class Driver:
    """The way into the driver.

    ``patience`` are the seconds that a fork and the end wait for who is inside; ``aside`` runs what may hang where
    nobody else has to wait for it, which is nothing special in a real thread.
    """

    def __init__(
        self, worker: Worker, patience: float, aside: Callable[[Callable[[], object]], object]
    ) -> None:
        self._worker = worker
        self._patience = patience
        self._aside = aside
        self._users: list[User] = []
        self._inside = threading.Lock()
        self._forking: set[int] = set()  # threads that hold it over a fork
        self.ended = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._in_parent, after_in_child=self._in_child
            )

    def add(self, user: User) -> None:
        """Tell ``user`` of forks and of the end."""
        self._users.append(user)

    def submit(self, task: Callable[[], object]) -> threading.Event:
        """Let the worker do the task inside the driver; the event is set afterwards."""

        def enter() -> None:
            with self._inside, fence.contain("gpu"):
                if not self.ended:
                    self._aside(task)

        return self._worker.submit(enter)

    def close(self) -> None:
        """Let nobody in any more, and close what is open; a driver that hangs is left alone."""
        self.ended = True
        if self._inside.acquire(timeout=self._patience):
            try:
                for user in self._users:
                    user.close()
            finally:
                self._inside.release()

    def _before_fork(self) -> None:
        if self._inside.acquire(timeout=self._patience):
            self._forking.add(threading.get_ident())

    def _in_parent(self) -> None:
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self._inside.release()

    def _in_child(self) -> None:
        if threading.get_ident() not in self._forking:
            self.ended = True  # the driver hangs in the parent, and its locks are held here for ever
        self._inside, self._forking = threading.Lock(), set()
        for user in self._users:
            user.after_fork()
        if not self.ended:
            self._worker.start()
