"""Follows a stream that reads its connection block by block, and hands out what it decoded from a queue.

The user keeps the client's own object.  On it a method and a queue are replaced: the method that reads the next block
tells how the stream ends, the queue what the user takes.
"""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted, left, watch_close
from genai_otel.spec import Blocks

Seen = Callable[[Any], None]


def follow(call: Call, stream: Any, blocks: Blocks, seen: Seen, exhausted: Callable[[], None]) -> None:
    """Tell ``seen`` of every chunk that the user takes, and ``exhausted`` when there will be no more."""
    call.ambient = sys.exc_info()[1]
    call.followed = weakref.ref(stream, lambda _: call.drop())
    queue = _Queue(getattr(stream, blocks.queue), seen, exhausted)
    reading = _Reading(call, stream, blocks, queue)
    waits = inspect.iscoroutinefunction(getattr(stream, blocks.reader))
    setattr(stream, blocks.queue, queue)
    setattr(stream, blocks.reader, reading.wait if waits else reading.read)
    watch_close(blocks.body(stream), partial(_closing, call, reading))


def _closing(call: Call, reading: _Reading) -> None:
    if not reading.busy:  # else the stream closes its connection itself: how it ended is about to be seen
        left(call, sys.exc_info()[1])


class _Queue:
    """A stream's queue, seen from the side of who takes."""

    def __init__(self, queue: Any, seen: Seen, exhausted: Callable[[], None]) -> None:
        self._queue = queue
        self._seen = seen
        self._exhausted = exhausted
        self.last = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def empty(self) -> bool:
        """As it is; empty after the last block is the end."""
        empty = self._queue.empty()
        if empty and self.last:
            self._exhausted()
        return empty

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        chunk = self._queue.get(*args, **kwargs)
        with fence.contain("engine.blocks"):
            self._seen(chunk)
        return chunk


class _Reading:
    """A stream's method that reads its next block and says whether that was the last one."""

    def __init__(self, call: Call, stream: Any, blocks: Blocks, queue: _Queue) -> None:
        self._call = call
        self._stream: Callable[[], Any] = weakref.ref(stream)  # which refers to this
        self._read: Any = getattr(stream.__class__, blocks.reader)
        self._queue = queue
        self.busy = False

    def read(self) -> Any:
        """In place of the method of a stream."""
        self.busy = True
        try:
            self._queue.last = last = self._read(self._stream())
        except BaseException as error:
            interrupted(self._call, error)
            raise
        finally:
            self.busy = False
        return last

    async def wait(self) -> Any:
        """In place of the method of an async stream."""
        self.busy = True
        try:
            self._queue.last = last = await self._read(self._stream())
        except BaseException as error:
            interrupted(self._call, error)
            raise
        finally:
            self.busy = False
        return last
