"""Wraps methods in the class that defines them, for objects of which nothing else can be replaced.

Neither ``dir()`` of the class nor that of its objects shows another name.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final

Make = Callable[[Any, bool], Any]
"""Makes the method that stands around one, which may be asynchronous."""

CLOSE: Final = ("close", "aclose")
"""The methods that close an object, whatever it is."""
_OURS: Final = "_genai_otel"
"""Under this name a function of ours holds itself, which tells it from a copy of its attributes."""

_wrapped: weakref.WeakKeyDictionary[type, set[str]] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def defining(kind: type, name: str) -> type | None:
    """The class whose method ``name`` instances of ``kind`` have, None where it is not written in Python."""
    owner = next((each for each in kind.__mro__ if name in each.__dict__), None)
    return owner if owner is not None and inspect.isfunction(owner.__dict__[name]) else None


def own(method: Any) -> Any:
    """The class's own method, where ours is around it."""
    return method.__wrapped__ if getattr(method, _OURS, None) is method else method


def wrap(kind: type, name: str, make: Make) -> bool:
    """Have what ``make`` makes around the method ``name``; whether there is one."""
    owner = defining(kind, name)
    if owner is None:
        return False
    with _lock:
        original = owner.__dict__[name]
        if not hasattr(original, _OURS):
            ours = wraps(original)(make(original, inspect.iscoroutinefunction(original)))
            setattr(ours, _OURS, ours)
            setattr(owner, name, ours)
            _wrapped.setdefault(owner, set()).add(name)
    return True


@lru_cache(maxsize=64)
def tell(kind: type, closed: Callable[..., None], *more: Any) -> bool:
    """Tell ``closed`` of every object of ``kind`` that is closed, with ``more``; False where it has no such method."""
    make = telling(lambda closing: closed(closing, *more))
    told = [wrap(kind, name, make) for name in (*CLOSE, "__exit__", "__aexit__")]
    return any(told[: len(CLOSE)])


def telling(closed: Callable[[Any], None]) -> Make:
    """Around a method that closes an object: tells ``closed`` of it first."""

    def make(original: Callable[..., Any], asynchronous: bool) -> Callable[..., Any]:
        def close(self: Any, *args: Any, **kwargs: Any) -> Any:
            closed(self)
            return original(self, *args, **kwargs)

        async def aclose(self: Any, *args: Any, **kwargs: Any) -> Any:
            closed(self)
            return await original(self, *args, **kwargs)

        return aclose if asynchronous else close

    return make


def restore() -> None:
    """Give all classes their own methods back, except where somebody else has wrapped ours."""
    with _lock:
        for owner, names in tuple(_wrapped.items()):
            for name in names & owner.__dict__.keys():
                method = owner.__dict__[name]
                if own(method) is not method:
                    setattr(owner, name, own(method))
        _wrapped.clear()
        tell.cache_clear()
