"""Follows streams that decide themselves what comes next, and have no iterator behind them that could be replaced.

The user keeps the client's own object, and nothing on it is changed: the method by which streams of its class give
their next element is one of the spec's targets, and looks up here whether its stream belongs to a call.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted, left, watch_close

_followed: weakref.WeakKeyDictionary[Any, _Steps] = weakref.WeakKeyDictionary()


def follow(call: Call, stream: Any, seen: Callable[[Any], None], exhausted: Callable[[], None]) -> None:
    """Tell ``seen`` of every chunk that ``stream`` gives, and ``exhausted`` when there will be no more."""
    call.ambient = sys.exc_info()[1]
    call.followed = weakref.ref(stream, lambda _: call.drop())
    _followed[stream] = steps = _Steps(call, seen, exhausted)
    watch_close(stream, partial(_closing, call, steps))


def _closing(call: Call, steps: _Steps) -> None:
    if not steps.busy:
        left(call, sys.exc_info()[1])


def stepping(asynchronous: bool) -> Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]:
    """The function that wrapt calls instead of such a method."""

    def invoke(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        steps = _followed.get(instance)
        if steps is None:
            return wrapped(*args, **kwargs)
        return steps.wait(wrapped) if asynchronous else steps.step(wrapped)

    return invoke


class _Steps:
    def __init__(self, call: Call, seen: Callable[[Any], None], exhausted: Callable[[], None]) -> None:
        self._call = call
        self._seen = seen
        self._exhausted = exhausted
        self.busy = False

    def step(self, wrapped: Callable[..., Any]) -> Any:
        """The next element of a stream."""
        self.busy = True
        try:
            with self._call:
                chunk = wrapped()
        except BaseException as error:
            self._ended(error)
            raise
        finally:
            self.busy = False
        self._seen(chunk)
        return chunk

    async def wait(self, wrapped: Callable[..., Any]) -> Any:
        """The next element of an async stream."""
        self.busy = True
        try:
            with self._call:
                chunk = await wrapped()
        except BaseException as error:
            self._ended(error)
            raise
        finally:
            self.busy = False
        self._seen(chunk)
        return chunk

    def _ended(self, error: BaseException) -> None:
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            self._exhausted()
        else:
            interrupted(self._call, error)
