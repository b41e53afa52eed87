"""A context that is made current for a while, also where that begins and ends in different places."""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from opentelemetry.context import Context, attach, detach, get_current

if TYPE_CHECKING:
    from typing_extensions import Self

P = ParamSpec("P")
R = TypeVar("R")


class Inside:
    """Makes ``context`` current while it is entered.

    What is entered in one task or thread may be left in another: a generator is closed by whoever drops it, and the
    steps of one may each run in a copy of the context.  OpenTelemetry's ``detach`` logs an error there; here nothing
    is left that is not there, and what is there goes.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._before: Context | None = None
        self._token: Any = None

    def __enter__(self) -> None:
        self._before = get_current()
        self._token = attach(self._context)

    def __exit__(self, *_: object) -> None:
        self.leave()

    def is_here(self) -> bool:
        """Whether its context is the current one."""
        return get_current() is self._context

    def leave(self) -> None:
        """Make current what was so before; again does nothing."""
        token, self._token = self._token, None
        if isinstance(token, contextvars.Token):
            held = cast("contextvars.Token[Context]", token)
            try:
                held.var.reset(held)
            except (ValueError, RuntimeError):  # entered in another context than this one
                if self._before is not None and get_current() is self._context:
                    attach(self._before)
        elif token is not None:  # a runtime context of another package
            detach(token)


class Entering:
    """Makes a context current that is known when that is done, by ``with``, ``async with`` or as a decorator.

    One object may be entered again and again, also at the same time by several threads.
    """

    def __init__(self) -> None:
        self._entered: list[Inside] = []

    def _inside(self) -> Inside:
        raise NotImplementedError

    def __enter__(self) -> Self:
        inside = self._inside()
        self._entered.append(inside)
        inside.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        here = next((each for each in reversed(self._entered) if each.is_here()), None)
        here = here or (self._entered[-1] if self._entered else None)
        if here is not None:
            self._entered.remove(here)
            here.leave()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The same for each call of a function or coroutine function; generators enter it themselves."""
        if inspect.iscoroutinefunction(function):
            asynchronous: Any = function

            @functools.wraps(function)
            async def wait(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._inside():
                    return await asynchronous(*args, **kwargs)

            return cast("Callable[P, R]", wait)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._inside():
                return function(*args, **kwargs)

        return run
