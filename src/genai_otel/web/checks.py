"""Whether what a service depends on is there: asked seldom and never for long."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, cast
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import metrics as otel_metrics
from opentelemetry.context import Context, attach, get_current, set_value
from opentelemetry.metrics import CallbackOptions, Observation

from genai_otel import ambient, metrics, safe, semconv
from genai_otel.context_keys import SUPPRESS_KEY
from genai_otel.version import __version__

Check = Callable[[], object]
"""Asks one dependency, as a function or coroutine function; it is there unless this raises or gives False."""

SECONDS: Final = 2.0
"""How long a dependency may take to answer."""

FRESH: Final = 5.0
"""For so many seconds an answer is given again instead of asking."""

_all: WeakSet[Checks] = WeakSet()
_observed: set[Kind] = set()


class Kind(NamedTuple):
    """What is asked: the gauge that says how each was when it was asked last, and in which context it is asked."""

    metric: str
    label: str
    meaning: str
    within: Callable[[], Context]


def _untraced() -> Context:
    return set_value(SUPPRESS_KEY, True)


def _as_a_probe() -> Context:
    return ambient.within(get_current(), ambient.attributes({"tags": ["probe"]}, None))


DEPENDENCIES: Final = Kind(
    metrics.DEPENDENCY_UP,
    semconv.DEPENDENCY,
    "Whether a dependency answered when it was asked last.",
    _untraced,
)
MODELS: Final = Kind(
    metrics.MODEL_PROBE,
    semconv.REQUEST_MODEL,
    "Whether a model answered when it was probed last.",
    _as_a_probe,
)


class Checks:
    """What a service depends on, by name."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        kind: Kind = DEPENDENCIES,
        *,
        seconds: float = SECONDS,
        fresh: float = FRESH,
    ) -> None:
        self.kind = kind
        self._checks = {safe.label(name): check for name, check in checks.items()}
        self._seconds = seconds
        self._fresh = fresh
        self._found: dict[str, str] = {}
        self._at = float("-inf")
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._hanging: dict[str, Future[object]] = {}
        if checks:
            _all.add(self)
            _observe(kind)

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

    def forget(self) -> None:
        """Nobody asks any more: what was found is not known to be so, and what hangs is somebody else's."""
        self._found, self._at = {}, float("-inf")
        self._hanging.clear()

    async def _result(self, name: str) -> str:
        check = self._checks[name]
        try:
            if inspect.iscoroutinefunction(check):
                # A task has a copy of the context, so nothing has to be put back.
                said = await asyncio.wait_for(asyncio.ensure_future(self._awaited(check)), self._seconds)
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
                target=context.run, args=(self._answer, check, running), name="genai_otel-check", daemon=True
            ).start()
        return asyncio.shield(asyncio.wrap_future(running))

    async def _awaited(self, check: Check) -> object:
        attach(self.kind.within())
        return await cast("Awaitable[object]", check())

    def _answer(self, check: Check, future: Future[object]) -> None:
        attach(self.kind.within())
        try:
            future.set_result(check())
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            future.set_exception(error)


def last(kind: Kind) -> dict[str, str]:
    """What was found last of everything of a kind, by name."""
    return {
        name: found for checks in tuple(_all) if checks.kind is kind for name, found in checks.last().items()
    }


def _observe(kind: Kind) -> None:
    """One instrument per process."""
    if kind not in _observed:
        _observed.add(kind)
        from genai_otel import runtime

        handle = runtime.current()
        provider: Any = handle.meter_provider if handle is not None else None
        provider = provider or otel_metrics.get_meter_provider()
        provider.get_meter(semconv.SCOPE, __version__, schema_url=semconv.SCHEMA_URL).create_observable_gauge(
            kind.metric, [functools.partial(_up, kind)], "1", kind.meaning
        )


def _up(kind: Kind, _: CallbackOptions) -> Iterable[Observation]:
    for name, found in last(kind).items():
        yield Observation(int(found == "ok"), {kind.label: name})


def _after_fork() -> None:
    """What asked in the parent does not run here."""
    for checks in tuple(_all):
        checks.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
