"""What stands in front of a function that is a step: one of four, by what calling it gives.

A function's run is the call, a coroutine function's begins when it is awaited, a generator's when its first value is
asked for.  Between two values the caller's context is the caller's.
"""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from genai_otel.engine.pending import Pending

if TYPE_CHECKING:
    from genai_otel.annotate.annotation import Annotation
    from genai_otel.annotate.run import Run

Shape = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]
_Begin = Callable[[], "Run | None"]


def shape_of(annotation: Annotation, function: Any) -> Shape:
    """The function that wrapt calls instead of ``function``."""
    made = _maker(function)
    if made is None:
        return partial(_called, annotation)

    def later(wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return made(wrapped, wrapped(*args, **kwargs), partial(annotation.begin, wrapped, args, kwargs))

    return later


def _maker(function: Any) -> Callable[[Any, Any, _Begin], Any] | None:
    asked = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if inspect.iscoroutinefunction(asked):
        return _coroutine
    if inspect.isgeneratorfunction(asked) or inspect.isasyncgenfunction(asked):
        return _generator
    return None


def _called(
    annotation: Annotation, wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    run = annotation.begin(wrapped, args, kwargs)
    if run is None:
        return wrapped(*args, **kwargs)
    try:
        result: object = wrapped(*args, **kwargs)
    except BaseException as error:
        run.raised(error)
        raise
    going_on = _GOES_ON.get(type(result))
    if going_on is not None:  # the function says by nothing but its result that it is not over yet
        run.pause()
        made = going_on(wrapped, result, partial(_resumed, run))
        run.follow(made)
        return made
    run.suspend()
    run.gave(result)
    return result


def _resumed(run: Run) -> Run:
    run.resume()
    return run


def _as_called(wrapped: Any, made: Any) -> Any:
    """Called what tasks and Python's warnings show; an object that is called has no such name."""
    made.__qualname__ = getattr(wrapped, "__qualname__", made.__qualname__)
    return made


# --- what is awaited --------------------------------------------------------------------------------


def _coroutine(wrapped: Any, pending: Any, begin: _Begin) -> Any:
    return _as_called(wrapped, _awaited(Pending(pending), begin))


async def _awaited(pending: Pending, begin: _Begin) -> Any:
    run = begin()
    if run is None:
        return await pending.awaitable
    try:
        result = await pending.awaitable
    except BaseException as error:
        run.raised(error)
        raise
    run.suspend()
    run.gave(result)
    return result


# --- what gives values ------------------------------------------------------------------------------


def _generator(wrapped: Any, inner: Any, begin: _Begin) -> Any:
    itself: list[weakref.ref[Any]] = []
    values: Callable[..., Any] = _avalues if hasattr(inner, "__anext__") else _values
    made = values(inner, begin, itself)
    itself.append(weakref.ref(made))
    return _as_called(wrapped, made)


def _values(
    inner: Generator[Any, Any, Any], begin: _Begin, itself: list[weakref.ref[Any]]
) -> Generator[Any, Any, Any]:
    run = begin()
    if run is None:
        return (yield from inner)
    run.follow(itself[0]())
    step: Callable[[Any], Any] = inner.send
    given: Any = None
    because: BaseException | None = None
    while True:
        try:
            value = step(given)
        except BaseException as error:
            run.suspend()
            _over(run, error, given, because)
            given = because = None  # or the exception would hold the frame that holds it
            if isinstance(error, StopIteration):
                return error.value
            raise
        run.pause()
        try:
            given = yield value
            step = inner.send
        except BaseException as error:  # noqa: BLE001 - the program's generator is to get it
            step, given = inner.throw, error
        because = sys.exc_info()[1]
        run.resume()


async def _avalues(
    inner: AsyncGenerator[Any, Any], begin: _Begin, itself: list[weakref.ref[Any]]
) -> AsyncGenerator[Any, Any]:
    run = begin()
    if run is not None:
        run.follow(itself[0]())
    step: Callable[[Any], Any] = inner.asend
    given: Any = None
    because: BaseException | None = None
    while True:
        try:
            value = await step(given)
        except BaseException as error:
            if run is not None:
                run.suspend()
                _over(run, error, given, because)
            given = because = None
            if isinstance(error, StopAsyncIteration):
                return
            raise
        if run is not None:
            run.pause()
        try:
            given = yield value
            step = inner.asend
        except BaseException as error:  # noqa: BLE001 - the program's generator is to get it
            step, given = inner.athrow, error
        because = sys.exc_info()[1]
        if run is not None:
            run.resume()


def _over(run: Run, error: BaseException, given: Any, because: BaseException | None) -> None:
    """A generator gives no more values: it has come to its end, was closed, or failed with ``error``."""
    if isinstance(given, GeneratorExit) and (error is given or _is_end(error)):
        run.closed(because)
    elif _is_end(error):
        run.gave(None)
    else:
        run.raised(error)


def _is_end(error: BaseException) -> bool:
    return isinstance(error, (StopIteration, StopAsyncIteration))


_GOES_ON: Final[dict[type, Callable[[Any, Any, _Begin], Any]]] = {
    CoroutineType: _coroutine,
    GeneratorType: _generator,
    AsyncGeneratorType: _generator,
}
