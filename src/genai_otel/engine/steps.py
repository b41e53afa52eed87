"""Follows streams that decide themselves what comes next, and have no iterator behind them that could be replaced.

The user keeps the client's own object.  The methods by which it gives its next element, and by which it is closed, are
wrapped in the class that defines them when a stream of that class is followed for the first time.  They ask what stands
under their name in the stream itself: where it is followed, that is what follows it.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from genai_otel import fence
from genai_otel.engine import classes
from genai_otel.engine.call import Call
from genai_otel.engine.ending import left

STEPS: Final = ("__next__", "__anext__")
"""The methods by which a stream gives its next element; some have both."""

_followed: dict[int, tuple[Call, weakref.ref[Any]]] = {}
"""By the stream's identity: it may be of a kind that nothing can be looked up by."""


def able(stream: Any) -> bool:
    """Whether the class of ``stream`` can be told how to give its next element, as one written in Python can."""
    return hasattr(stream, "__dict__") and any(classes.defining(stream.__class__, name) for name in STEPS)


def elements(stream: Any, step: str) -> Any:
    """What ``stream`` gives by its own method ``step``, None where it has no such."""
    owner = classes.defining(stream.__class__, step)
    if owner is None:
        return None
    gives = _given(stream, classes.own(owner.__dict__[step]))
    return gives if step == "__next__" else _Awaited(gives)


def _given(stream: Any, method: Any) -> Any:
    """What ``method`` gives each time; there is no reference to the stream in it, and nothing that is run as Python."""
    return map(method, iter(weakref.ref(stream), None))


class _Awaited:
    """An asynchronous iterator of the awaitables that an iterator gives."""

    __slots__ = ("__anext__",)

    def __init__(self, gives: Any) -> None:
        self.__anext__ = gives.__next__

    def __aiter__(self) -> AsyncIterator[Any]:
        return self


def lead(call: Call, stream: Any, followers: Mapping[str, Any]) -> None:
    """Have ``stream`` give what these generators give, by the method of each; ``call`` is dropped with it."""
    key = id(stream)

    def dropped(_: object) -> None:
        _followed.pop(key, None)
        call.drop()

    for name, make in _AROUND.items():
        classes.wrap(stream.__class__, name, make)
    call.followed = weakref.ref(stream, dropped)
    _followed[key] = (call, call.followed)  # the callback must run though the call has ended
    stream.__dict__.update({name: getattr(each, name) for name, each in followers.items()})


# --- its methods: each pair differs in nothing but the language's own ``await`` ----------------------


def _next(original: Callable[[Any], Any], _: bool) -> Callable[[Any], Any]:
    def step(self: Any) -> Any:
        try:
            return self.__dict__["__next__"]()
        except BaseException:
            if not _is_its_own(self, "__next__", original):
                raise
        return original(self)

    return step


def _anext(original: Callable[[Any], Any], asynchronous: bool) -> Callable[[Any], Any]:
    async def step(self: Any) -> Any:
        try:
            return await self.__dict__["__anext__"]()
        except BaseException:
            if not _is_its_own(self, "__anext__", original):
                raise
        return await original(self)

    def begin(self: Any) -> Any:
        return step(self)

    return step if asynchronous else begin


# --- a stream --------------------------------------------------------------------------------------


def _is_its_own(stream: Any, name: str, original: Callable[[Any], Any]) -> bool:
    """Why a step was none of ours: whether the class's own method is to be asked, else it failed."""
    held: dict[str, Any] = getattr(stream, "__dict__", {})
    if name not in held:  # nobody follows this one
        if sum(name in each.__dict__ for each in stream.__class__.__mro__) == 1:
            held[name] = _given(stream, original).__next__  # the next time it is found at once
        return True
    if _busy(held):  # one that its class asks, on the way to its next element
        return True
    _leave(stream, held)  # a step that is tried again is the client's own
    return False


def _busy(held: Mapping[str, Any]) -> bool:
    generators = [getattr(held.get(name), "__self__", None) for name in STEPS]
    return any(
        getattr(each, "gi_running", False) or getattr(each, "ag_running", False) for each in generators
    )


def _leave(stream: Any, held: dict[str, Any]) -> Call | None:
    """Let ``stream`` go on as the client's own."""
    call, _ = _followed.pop(id(stream), (None, None))
    if call is not None:
        for name in STEPS:
            held.pop(name, None)
    return call


def _closed(stream: Any) -> None:
    with fence.contain("engine.close"):
        held: dict[str, Any] = getattr(stream, "__dict__", {})
        if _busy(held):  # it closes itself: how it ended is about to be seen
            return
        call = _leave(stream, held)
        if call is not None:
            left(call, sys.exc_info()[1])


_AROUND: Final[Mapping[str, classes.Make]] = {
    "__next__": _next,
    "__anext__": _anext,
    "close": classes.telling(_closed),
    "aclose": classes.telling(_closed),
}
