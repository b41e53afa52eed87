"""Follows streams that decide themselves what comes next, and have no iterator behind them that could be replaced.

The user keeps the client's own object.  The methods by which it gives its next element, and by which it is closed, are
wrapped in the class that defines them when a stream of that class is followed for the first time.  They ask what stands
under their name in the stream itself: where it is followed, that is what follows it.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.ending import left

STEPS: Final = ("__next__", "__anext__")
"""The methods by which a stream gives its next element; some have both."""
_CLOSE: Final = ("close", "aclose")
_OURS: Final = "_genai_otel"
"""Under this name a function of ours holds itself, which tells it from a copy of its attributes."""

_followed: dict[int, tuple[Call, weakref.ref[Any]]] = {}
"""By the stream's identity: it may be of a kind that nothing can be looked up by."""
_wrapped: weakref.WeakSet[type] = weakref.WeakSet()
_lock = threading.RLock()


def able(stream: Any) -> bool:
    """Whether the class of ``stream`` can be told how to give its next element, as one written in Python can."""
    return hasattr(stream, "__dict__") and any(_defining(stream.__class__, name) for name in STEPS)


def elements(stream: Any, step: str) -> Any:
    """What ``stream`` gives by its own method ``step``, None where it has no such."""
    owner = _defining(stream.__class__, step)
    if owner is None:
        return None
    gives = _given(stream, _own(owner.__dict__[step]))
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

    for name in (*followers, *_CLOSE):
        _wrap(stream.__class__, name)
    call.followed = weakref.ref(stream, dropped)
    _followed[key] = (call, call.followed)  # the callback must run though the call has ended
    stream.__dict__.update({name: getattr(each, name) for name, each in followers.items()})


def restore() -> None:
    """Give all classes their own methods back, except where somebody else has wrapped ours."""
    with _lock:
        for owner in tuple(_wrapped):
            for name in (*STEPS, *_CLOSE):
                method = owner.__dict__.get(name)
                if method is not None and _own(method) is not method:
                    setattr(owner, name, _own(method))
        _wrapped.clear()


# --- a class ---------------------------------------------------------------------------------------


def _defining(kind: type, name: str) -> type | None:
    """The class whose method ``name`` instances of ``kind`` have, None where it is not written in Python."""
    owner = next((each for each in kind.__mro__ if name in each.__dict__), None)
    return owner if owner is not None and inspect.isfunction(owner.__dict__[name]) else None


def _own(method: Any) -> Any:
    """The class's own method, where ours is around it."""
    return method.__wrapped__ if getattr(method, _OURS, None) is method else method


def _wrap(kind: type, name: str) -> None:
    owner = _defining(kind, name)
    if owner is None:
        return
    with _lock:
        original = owner.__dict__[name]
        if not hasattr(original, _OURS):
            ours = functools.wraps(original)(_MAKE[name](original, inspect.iscoroutinefunction(original)))
            setattr(ours, _OURS, ours)
            setattr(owner, name, ours)
            _wrapped.add(owner)


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


def _closing(original: Callable[..., Any], asynchronous: bool) -> Callable[..., Any]:
    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        _closed(self)
        return original(self, *args, **kwargs)

    async def aclose(self: Any, *args: Any, **kwargs: Any) -> Any:
        _closed(self)
        return await original(self, *args, **kwargs)

    return aclose if asynchronous else close


_MAKE: Final[Mapping[str, Callable[..., Any]]] = {
    "__next__": _next,
    "__anext__": _anext,
    "close": _closing,
    "aclose": _closing,
}


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
