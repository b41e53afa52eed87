"""What ``setup()`` returns: what was built, and how to flush and to end it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from genai_otel import fence
from genai_otel.config import Config
from genai_otel.engine import call as calls
from genai_otel.runtime.ending import Task, Worker, run_all

if TYPE_CHECKING:
    from genai_otel.runtime.providers import Built

_LOST = "export_failed"


class Handle:
    """The telemetry of this process.

    ``exporters`` says in words where it goes, ``problems`` what was asked for and is not to be had.  The providers
    are None where a signal is off.
    """

    def __init__(
        self, config: Config, built: Built | None, exporters: Sequence[str] = (), problems: Sequence[str] = ()
    ) -> None:
        self.config = config
        self.exporters = list(exporters)
        self.problems = list(problems)
        self.tracer_provider: Any = built.tracer_provider if built else None
        self.meter_provider: Any = built.meter_provider if built else None
        self.logger_provider: Any = built.logger_provider if built else None
        self.pipeline: Any = built.pipeline if built else None
        self._built = built
        self._ended = False
        self._lock = threading.Lock()
        self._workers = [Worker(type(provider).__name__) for provider in built.owned] if built else []

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what is there within ``timeout`` seconds; whether everything was taken in time.

        The Prometheus reader is not collected: it is asked by its scraper.
        """
        calls.drain()
        if self._ended or self._built is None:
            return True
        lost = _lost()
        millis = max(1, int(timeout * 1000))
        done = run_all(
            self._workers, [self._flusher(provider, millis) for provider in self._built.owned], timeout
        )
        return done and _lost() == lost

    def shutdown(self, timeout: float | None = None) -> bool:
        """End open calls, send what is there and stop, within ``timeout`` seconds (``exit_timeout`` by default).

        Providers of the user's are left running.  A second call does nothing.
        """
        with self._lock:
            if self._ended:
                return True
            self._ended = True
        calls.abandon_all()
        if self._built is None:
            return True
        lost = _lost()
        seconds = self.config.exit_timeout if timeout is None else timeout
        done = run_all(self._workers, [provider.shutdown for provider in self._built.owned], seconds)
        if not done:
            fence.warn(f"not all telemetry could be sent within {seconds:g} s at the end of the process")
        return done and _lost() == lost

    def restart(self) -> None:
        """Start the threads of a forked child; its parent's are not there."""
        self._lock = threading.Lock()
        if not self._ended:
            for worker in self._workers:
                worker.start()

    def _flusher(self, provider: Any, millis: int) -> Task:
        if provider is not self.meter_provider or self._built is None:
            return lambda: provider.force_flush(millis)
        readers = [
            reader for reader in self._built.readers if isinstance(reader, PeriodicExportingMetricReader)
        ]
        return lambda: [reader.force_flush(millis) for reader in readers]


def _lost() -> int:
    return sum(count for (_, reason), count in fence.drops().items() if reason == _LOST)
