"""What ``setup()`` returns: what was built, and how to flush and to end it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from genai_otel import fence, logs
from genai_otel.config import Config
from genai_otel.engine import call as calls
from genai_otel.quality import connected
from genai_otel.runtime import family
from genai_otel.runtime.ending import Task, Worker, submit_all, wait_all
from genai_otel.runtime.greenlets import when_free

if TYPE_CHECKING:
    from genai_otel.runtime.providers import Built


# Seconds: a wait that was long enough to call a back end dead, how long that is believed, and what is left then.
_IN_VAIN, _RECENT, _AFTER_CHILDREN = 1.0, 5.0, 0.5


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
        self._ending: list[threading.Event] = []
        self._lock = threading.RLock()  # a signal handler may come while its own thread holds it
        there = (self.tracer_provider, self.meter_provider, self.logger_provider)
        self._workers = {id(each): Worker(type(each).__name__) for each in there if each is not None}
        self._calls = Worker("calls") if self._workers else None

    @property
    def ended(self) -> bool:
        """Whether :meth:`shutdown` was called for something that was on; this process sends nothing any more."""
        return self._ended and self._calls is not None

    @property
    def owned(self) -> Sequence[Any]:
        """The providers that were built here and end with this handle; the program's own are not among them."""
        return self._built.owned if self._built else ()

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what is there within ``timeout`` seconds; whether everything was taken in time.

        Providers of the user's are flushed too.  The Prometheus reader is not: it is asked by its scraper.
        """
        calls.drain()
        if self._ended or self._built is None:
            return True
        lost, deadline = _lost(), time.monotonic() + timeout
        judging = connected.wait is not None and connected.wait(timeout / 2)
        millis = max(1, int((deadline - time.monotonic()) * 1000))
        there = (self.tracer_provider, self.meter_provider, self.logger_provider)
        tasks = {id(each): self._flusher(each, millis) for each in there if hasattr(each, "force_flush")}
        done = self._waited(submit_all(self._workers, tasks), deadline, timeout)
        return done and not judging and _lost() == lost

    def spent(self, *, trace: int | None = None, tenant: str | None = None) -> float:
        """US dollars of a trace, by its id, of a tenant, or of this process; :func:`genai_otel.spent` says of which."""
        built = self._built
        if built is None or built.ledger is None or built.sink is None:
            return 0.0
        built.sink.settle()
        return built.ledger.spent(trace=trace, tenant=tenant)

    def shutdown(self, timeout: float | None = None) -> bool:
        """End open calls, send what is there and stop, within ``timeout`` seconds.

        By default these are ``exit_timeout``, and half a second where a forked child has just waited in vain.
        Providers of the user's are left running.  A second call waits for the first one and does nothing else.
        """
        seconds = self._exit_seconds() if timeout is None else timeout
        deadline = time.monotonic() + seconds
        with self._lock:
            first, self._ended = not self._ended, True
        if not first or self._built is None or self._calls is None:
            return wait_all(self._ending, deadline)
        lost = _lost()
        if connected.wait is not None:
            fence.dropped("evaluations", "unfinished", connected.wait(seconds / 2))
        logs.uninstall()  # a record that comes later has nowhere to go
        # In a thread: the frame that a signal has interrupted may hold the lock of a span that ends here.
        wait_all([self._calls.submit(calls.abandon_all)], deadline)
        self._ending = submit_all(self._workers, {id(each): each.shutdown for each in self.owned})
        if self._built.gpus is not None:  # behind the last collection
            self._ending.append(
                self._workers.get(id(self.meter_provider), self._calls).submit(self._built.gpus.close)
            )
        done = self._waited(self._ending, deadline, seconds)
        if not done:
            fence.warn(f"not all telemetry could be sent within {seconds:g} s at the end of the process")
        return done and _lost() == lost

    def restart(self) -> None:
        """Start the threads of a forked child; its parent's are not there."""
        self._lock = threading.RLock()
        if not self._ended and self._calls is not None:
            for worker in (*self._workers.values(), self._calls):
                worker.start()
            when_free(self._follow_resource)

    def _follow_resource(self) -> None:
        """The SDK gives a child a ``service.instance.id`` of its own, in its hook."""
        if self._built is not None and self.tracer_provider in self.owned:
            self._built.resource = self.tracer_provider.resource

    @staticmethod
    def _waited(ending: Iterable[threading.Event], deadline: float, seconds: float) -> bool:
        done = wait_all(ending, deadline)
        if not done and seconds >= _IN_VAIN:
            family.tell_parent()
        return done

    def _exit_seconds(self) -> float:
        whole = self.config.exit_timeout
        return min(whole, _AFTER_CHILDREN) if family.told(_RECENT) else whole

    def _flusher(self, provider: Any, millis: int) -> Task:
        if self._built is None or provider is not self.meter_provider or provider not in self.owned:
            return lambda: provider.force_flush(millis)
        readers = [
            reader for reader in self._built.readers if isinstance(reader, PeriodicExportingMetricReader)
        ]
        return lambda: [reader.force_flush(millis) for reader in readers]


def _lost() -> int:
    return sum(count for (_, reason), count in fence.drops().items() if reason == fence.EXPORT_FAILED)
