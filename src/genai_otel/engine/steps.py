"""Follows streams that decide themselves what comes next, and have no iterator behind them that could be replaced.

The user keeps the client's own object, and nothing on it is changed.  The methods by which it gives its next element,
and by which it is closed, are wrapped in the class that defines them when a stream of that class is followed for the
first time; they look up whether their stream belongs to a call.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import attach, detach, get_current

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted, left

_NEXT: Final = ("__next__", "__anext__")
_CLOSE: Final = ("close", "aclose")

_followed: dict[int, _Steps] = {}
"""By the stream's identity: a look-up in a weak table costs more than all else that is done for a chunk."""
_wrapped: dict[tuple[type, str], tuple[Any, Any]] = {}
_lock = threading.RLock()


def able(stream: Any) -> bool:
    """Whether the class of ``stream`` can be told how to give its next element, as one written in Python can."""
    return any(_defining(stream.__class__, name) is not None for name in _NEXT)


def follow(call: Call, stream: Any, seen: Callable[[Any], None], exhausted: Callable[[], None]) -> None:
    """Tell ``seen`` of every chunk that ``stream`` gives, and ``exhausted`` when there will be no more."""
    for name in (*_NEXT, *_CLOSE):
        owner = _defining(stream.__class__, name)
        if owner is not None:
            _wrap(owner, name)
    call.ambient = sys.exc_info()[1]
    key = id(stream)

    def dropped(_: object) -> None:
        _followed.pop(key, None)
        call.drop()

    call.followed = weakref.ref(stream, dropped)
    _followed[key] = _Steps(call, call.followed, seen, exhausted)


def restore() -> None:
    """Give all classes their own methods back."""
    with _lock:
        for (owner, name), (original, ours) in _wrapped.items():
            if owner.__dict__.get(name) is ours:
                setattr(owner, name, original)
        _wrapped.clear()


def _defining(kind: type, name: str) -> type | None:
    """The class whose method ``name`` instances of ``kind`` have, None where it is not written in Python."""
    owner = next((each for each in kind.__mro__ if name in each.__dict__), None)
    return owner if owner is not None and inspect.isfunction(owner.__dict__[name]) else None


def _wrap(owner: type, name: str) -> None:
    with _lock:
        original = owner.__dict__[name]
        if _wrapped.get((owner, name), (None, None))[1] is original:
            return
        ours = functools.wraps(original)(
            (_closing if name in _CLOSE else _stepping)(original, inspect.iscoroutinefunction(original))
        )
        _wrapped[owner, name] = (original, ours)
        setattr(owner, name, ours)


def _stepping(original: Callable[[Any], Any], asynchronous: bool) -> Callable[[Any], Any]:
    """The two differ in nothing but the language's own ``await``."""

    def step(self: Any) -> Any:
        steps = _followed.get(id(self))
        if steps is None or steps.busy:  # one that its own class asks, on the way to its next element
            return original(self)
        steps.busy = True
        token = attach(steps.context)
        try:
            chunk = original(self)
        except BaseException as error:
            steps.ended(error, self, token)
            raise
        detach(token)
        steps.busy = False
        steps.seen(chunk)
        return chunk

    async def wait(self: Any) -> Any:
        steps = _followed.get(id(self))
        if steps is None or steps.busy:
            return await original(self)
        steps.busy = True
        token = attach(steps.context)
        try:
            chunk = await original(self)
        except BaseException as error:
            steps.ended(error, self, token)
            raise
        detach(token)
        steps.busy = False
        steps.seen(chunk)
        return chunk

    return wait if asynchronous else step


def _closing(original: Callable[..., Any], asynchronous: bool) -> Callable[..., Any]:
    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        _closed(self)
        return original(self, *args, **kwargs)

    async def aclose(self: Any, *args: Any, **kwargs: Any) -> Any:
        _closed(self)
        return await original(self, *args, **kwargs)

    return aclose if asynchronous else close


def _closed(stream: Any) -> None:
    steps = _followed.get(id(stream))
    if steps is not None and not steps.busy:  # else it closes itself: how it ended is about to be seen
        with fence.contain("engine.close"):
            del _followed[id(stream)]
            left(steps.call, sys.exc_info()[1])


class _Steps:
    """The steps of one stream, each made in the context of its call: any of them may make a request of its own."""

    __slots__ = ("_exhausted", "_stream", "busy", "call", "context", "seen")

    def __init__(
        self,
        call: Call,
        stream: weakref.ref[Any],
        seen: Callable[[Any], None],
        exhausted: Callable[[], None],
    ) -> None:
        self.call = call
        self._stream = stream  # its callback must run though the call has ended
        self.busy = False
        self.context = call.context
        self.seen = seen
        self._exhausted = exhausted

    def ended(self, error: BaseException, stream: Any, token: Any) -> None:
        """A step gave no element: there is none, or it failed."""
        self.busy = False
        with fence.contain("engine.steps"):
            if get_current() is self.context:  # a coroutine that is collected elsewhere has none to leave
                detach(token)
            _followed.pop(id(stream), None)
            if isinstance(error, (StopIteration, StopAsyncIteration)):
                self._exhausted()
            else:
                interrupted(self.call, error)
