"""Evaluations that take their time: functions that run behind the request, and what they find or how they fail."""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, Final, Generic, ParamSpec, cast

from genai_otel import fence
from genai_otel.quality import behind
from genai_otel.quality.results import record_evaluation
from genai_otel.quality.targets import resolve

P = ParamSpec("P")

_FOUND: Final = ("score", "label", "explanation")


def evaluate(
    name: str, *, evaluator: str = "code", evaluator_name: str | None = None
) -> Callable[[Callable[P, Any]], Evaluator[P]]:
    """Make a function an evaluation that runs behind the request and records what it finds.

    The function gets what the program calls it with, and returns a score, True or False, a label, or a mapping with
    ``score``, ``label`` and ``explanation``; None records nothing.  Calling it returns at once, with a future of what
    the function returns.  It is about the last model call of the thread or task that calls it; another target, as
    :func:`genai_otel.record_evaluation` takes it, is said by ``function.of(target, …)``.

    A plain function runs in one of four threads; an async one runs as a task of the running event loop, whose clients
    it may use, or in a thread where none runs.  Both see the caller's context.  What it raises becomes the
    ``error.type`` of the evaluation.  At most 1,000 wait; more are counted in ``genai_otel.dropped`` and not run.
    ``flush()`` and ``shutdown()`` give half of their time to those that are there.
    """

    def decorate(function: Callable[P, Any]) -> Evaluator[P]:
        return Evaluator(function, name, evaluator, evaluator_name)

    return decorate


class Evaluator(Generic[P]):
    """A function that :func:`evaluate` made an evaluation; ``__wrapped__`` is the function itself."""

    __name__: str
    __wrapped__: Callable[P, Any]

    def __init__(
        self, function: Callable[P, Any], name: str, evaluator: str, evaluator_name: str | None
    ) -> None:
        functools.update_wrapper(self, function)
        self._name = name
        self._by: dict[str, Any] = {"evaluator": evaluator, "evaluator_name": evaluator_name}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Future[Any]:
        """Evaluate the last model call of this thread or task."""
        return self.of(None, *args, **kwargs)

    def of(self, target: Any, *args: P.args, **kwargs: P.kwargs) -> Future[Any]:
        """Evaluate ``target``."""
        with fence.contain("quality"):
            target = resolve(target) or ()  # now, because the last call will be another one
        call = functools.partial(self.__wrapped__, *args, **kwargs)
        if inspect.iscoroutinefunction(self.__wrapped__):
            return _task(lambda: self._awaited(target, call))
        context = contextvars.copy_context()
        return behind.run(lambda: context.run(self._judged, target, call))

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Evaluator[...]:
        """The evaluation as a method of ``instance``."""
        bound: Any = self.__wrapped__.__get__(instance, owner)  # type: ignore[attr-defined] # functions are descriptors
        return Evaluator(bound, self._name, **self._by)

    def _judged(self, target: Any, call: Callable[[], Any]) -> Any:
        try:
            found = call()
        except BaseException as error:
            self._failed(target, error)
            raise
        self._record(target, found)
        return found

    async def _awaited(self, target: Any, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        try:
            found = await call()
        except BaseException as error:
            self._failed(target, error)
            raise
        self._record(target, found)
        return found

    def _record(self, target: Any, found: Any) -> None:
        if found is None:
            return
        if isinstance(found, Mapping):
            said = cast("Mapping[str, Any]", found)
            record_evaluation(target, self._name, *(said.get(each) for each in _FOUND), **self._by)
        elif isinstance(found, str):
            record_evaluation(target, self._name, label=found, **self._by)
        else:
            record_evaluation(target, self._name, found, **self._by)

    def _failed(self, target: Any, error: BaseException) -> None:
        record_evaluation(target, self._name, error=error, **self._by)
        fence.warn(f"the evaluation {self._name!r} failed with {type(error).__qualname__}")


def _task(make: Callable[[], Coroutine[Any, Any, Any]]) -> Future[Any]:
    import asyncio  # 35 ms of CPU that only a program with async functions has spent anyway

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        context = contextvars.copy_context()
        return behind.run(lambda: context.run(asyncio.run, make()))
    return behind.follow(loop, make)
