"""The energy of a call whose model runs in this process: what the GPUs used while it was open.

At each beginning and end of such a call the counters of the GPUs are read.  What was used in between is shared equally
by the calls that were open then, so that the calls of a process never add up to more than its GPUs used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from genai_otel.gpu.machine import Machine
from genai_otel.gpu.scope import Scope

if TYPE_CHECKING:
    from genai_otel.gpu.driver import Driver

JOULES: Final = "genai_otel.energy.joules"
METHOD: Final = "genai_otel.energy.method"
ENGINES: Final = frozenset({"llama_cpp", "sentence_transformers", "transformers", "vllm"})
"""The providers whose calls are answered by this process, unless they have an address."""
_WAIT: Final = 0.05
"""Most seconds that a call waits for the counters; later, its energy is not known."""


class Counter:
    """The joules that all GPUs of this process have used."""

    def __init__(self, driver: Driver, environ: Mapping[str, str]) -> None:
        self._driver = driver
        self._machine = Machine((), Scope(environ))
        self._joules: float | None = None
        self._pending = driver.submit(self._look)  # the library is loaded before the first call
        driver.add(self)

    def read(self) -> float | None:
        """The joules now; None where they are not known within a moment."""
        if self._driver.ended or not self._pending.is_set():
            return None
        self._pending = self._driver.submit(self._look)
        return self._joules if self._pending.wait(_WAIT) else None

    def close(self) -> None:
        """Nothing will be read any more."""
        self._machine.close()

    def after_fork(self) -> None:
        """A child opens the driver anew, with its first call."""
        self._machine.after_fork()
        self._pending = threading.Event()  # somebody of the parent's may have been inside the old one
        self._pending.set()

    def _look(self) -> None:
        self._joules = None
        self._joules = self._machine.joules()


class Energy:
    """Divides what ``read`` counts (joules, None when that is not known) among the calls that are open."""

    def __init__(self, read: Callable[[], float | None]) -> None:
        self._read = read
        self.after_fork()

    def close(self) -> None:
        """Nothing will be read any more, so nothing will be known."""

    def after_fork(self) -> None:
        """A child has none of its parent's calls."""
        self._lock = threading.Lock()
        self._open: dict[object, float] = {}
        self._shared: set[object] = set()
        self._share = 0.0  # what a call would have that had always been open
        self._last = 0.0

    def began(self, key: object) -> None:
        """A call begins."""
        with self._lock:
            if not self._advance():
                return
            self._open[key] = self._share
            if len(self._open) > 1:
                self._shared.update(self._open)

    def ended(self, key: object) -> tuple[float, str] | None:
        """A call ends: its joules, and whether it was alone, ``exclusive``, or ``shared`` the GPUs with others.

        None where that is not known; so too of a call in which no counter went on, since no GPU uses nothing.
        """
        with self._lock:
            self._advance()
            began = self._open.pop(key, None)
            method = "shared" if key in self._shared else "exclusive"
            self._shared.discard(key)
            used = 0.0 if began is None else self._share - began
            return (used, method) if used else None

    def _advance(self) -> bool:
        """Share what was used since the last look; what is open cannot be told any more where that is not known."""
        now = self._read()
        if now is None or now < self._last:
            self._open.clear()
            self._shared.clear()
        elif self._open:
            self._share += (now - self._last) / len(self._open)
        self._last = now or 0.0
        return now is not None
