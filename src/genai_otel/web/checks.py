"""Whether what a service depends on is there: asked seldom, never for long, and never by tracing it."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final, cast
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import metrics as otel_metrics
from opentelemetry.context import attach, set_value
from opentelemetry.metrics import CallbackOptions, Observation

from genai_otel import metrics, safe, semconv
from genai_otel.context_keys import SUPPRESS_KEY
from genai_otel.version import __version__

Check = Callable[[], object]
"""Asks one dependency, as a function or coroutine function; it is there unless this raises or gives False."""

SECONDS: Final = 2.0
"""How long a dependency may take to answer."""

FRESH: Final = 5.0
"""For so many seconds an answer is given again instead of asking."""

_all: WeakSet[Checks] = WeakSet()
_observed = False


class Checks:
    """The dependencies of a service by name; ``genai_otel.dependency.up`` says how each was when it was asked last."""

    def __init__(
        self, checks: Mapping[str, Check], *, seconds: float = SECONDS, fresh: float = FRESH
    ) -> None:
        self._checks = {safe.label(name): check for name, check in checks.items()}
        self._seconds = seconds
        self._fresh = fresh
        self._found: dict[str, str] = {}
        self._at = float("-inf")
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._hanging: dict[str, Future[object]] = {}
        if checks:
            _all.add(self)
            _observe()

    async def results(self) -> dict[str, str]:
        """Name → ``ok``, ``timeout`` or the class of the error.  Many probes at once ask once."""
        lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with lock:
            if time.monotonic() - self._at > self._fresh:
                answers = await asyncio.gather(*map(self._result, self._checks))
                self._found = dict(zip(self._checks, answers, strict=True))
                self._at = time.monotonic()
            return self._found

    def last(self) -> Mapping[str, str]:
        """What was found last."""
        return self._found

    async def _result(self, name: str) -> str:
        check = self._checks[name]
        try:
            if inspect.iscoroutinefunction(check):
                # A task has a copy of the context, so nothing has to be put back.
                said = await asyncio.wait_for(asyncio.ensure_future(_untraced(check)), self._seconds)
            else:
                said = await asyncio.wait_for(self._threaded(name, check), self._seconds)
        except (asyncio.TimeoutError, TimeoutError):
            return "timeout"
        except Exception as error:  # noqa: BLE001 - a dependency that is not there says so in any way
            return type(error).__qualname__
        return "failed" if said is False else "ok"

    def _threaded(self, name: str, check: Check) -> Awaitable[object]:
        """In a daemon thread: one that hangs neither keeps the process alive nor gets company at the next probe."""
        running = self._hanging.get(name)
        if running is None or running.done():
            running = self._hanging[name] = Future()
            context = contextvars.copy_context()
            threading.Thread(
                target=context.run, args=(_answer, check, running), name="genai_otel-check", daemon=True
            ).start()
        return asyncio.shield(asyncio.wrap_future(running))


async def _untraced(check: Check) -> object:
    attach(set_value(SUPPRESS_KEY, True))
    return await cast("Awaitable[object]", check())


def _answer(check: Check, future: Future[object]) -> None:
    attach(set_value(SUPPRESS_KEY, True))
    try:
        future.set_result(check())
    except BaseException as error:  # noqa: BLE001 - told to whoever waits
        future.set_exception(error)


def _observe() -> None:
    global _observed  # noqa: PLW0603 - one instrument per process
    if not _observed:
        _observed = True
        from genai_otel import runtime

        handle = runtime.current()
        provider: Any = handle.meter_provider if handle is not None else None
        provider = provider or otel_metrics.get_meter_provider()
        provider.get_meter(semconv.SCOPE, __version__, schema_url=semconv.SCHEMA_URL).create_observable_gauge(
            metrics.DEPENDENCY_UP, [_up], "1", "Whether a dependency answered when it was asked last."
        )


def _up(_: CallbackOptions) -> Iterable[Observation]:
    for checks in tuple(_all):
        for name, found in checks.last().items():
            yield Observation(int(found == "ok"), {semconv.DEPENDENCY: name})
