"""Follows a stream that reads its connection block by block, and hands out what it decoded from a queue.

The user keeps the client's own object.  On it one method is replaced: the one that reads the next block, after which
the queue tells what was in it.  Nearly always that is one chunk, which the user takes next, so it is looked at there
and then; the chunks of other blocks are looked at as they are taken.
"""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted, left, watch_close
from genai_otel.spec import Blocks

Seen = Callable[[Any], None]


class Told(NamedTuple):
    """Who is told of what happens: ``chunk`` of every chunk that the user takes, ``block`` of the bytes of each block.

    ``exhausted`` is called when there will be no more.
    """

    chunk: Seen
    block: Seen
    exhausted: Callable[[], None]


def follow(call: Call, stream: Any, blocks: Blocks, told: Told) -> None:
    """Follow ``stream`` to its end."""
    call.ambient = sys.exc_info()[1]
    call.followed = weakref.ref(stream, lambda _: call.drop())
    read = getattr(stream.__class__, blocks.reader)
    waits = inspect.iscoroutinefunction(read)
    reading = _Reading(call, stream, blocks, told)
    generator: Any = (_blocks_later if waits else _blocks)(reading, read, told.chunk)
    setattr(stream, blocks.reader, generator.__anext__ if waits else generator.__next__)
    if blocks.block is not None:
        setattr(stream, blocks.decoder, reading.decode)
    watch_close(blocks.body(stream), partial(_closing, call, generator))


def _closing(call: Call, generator: Any) -> None:
    if getattr(generator, "gi_running", False) or getattr(generator, "ag_running", False):
        return  # the stream closes its connection itself: how it ended is about to be seen
    left(call, sys.exc_info()[1])


def _blocks(reading: _Reading, read: Callable[[Any], bool], seen: Seen) -> Iterator[bool]:
    """In place of the method of a stream: reads a block, and says whether it was the last one."""
    stream, decoded = reading.stream, reading.decoded
    last = False
    while not last:
        try:
            last = read(stream())
        except BaseException as error:
            reading.broken(error)
            raise
        if last or len(decoded) != 1:
            reading.unusual(last)
        else:
            seen(decoded[0])
        yield last


async def _blocks_later(reading: _Reading, read: Callable[[Any], Any], seen: Seen) -> AsyncIterator[bool]:
    """In place of the method of an async stream."""
    stream, decoded = reading.stream, reading.decoded
    last = False
    while not last:
        try:
            last = await read(stream())
        except BaseException as error:
            reading.broken(error)
            raise
        if last or len(decoded) != 1:
            reading.unusual(last)
        else:
            seen(decoded[0])
        yield last


class _Reading:
    """What a stream that reads its blocks leads to."""

    def __init__(self, call: Call, stream: Any, blocks: Blocks, told: Told) -> None:
        self.stream: Callable[[], Any] = weakref.ref(stream)  # which refers to this
        self._call = call
        self._replaced = (blocks.reader, blocks.decoder)
        self._decode: Any = getattr(stream.__class__, blocks.decoder, None)
        self._queue: Any = getattr(stream, blocks.queue)
        self._told = told
        self._get: Callable[..., Any] = self._queue.get
        self.decoded = self._queue.queue

    def decode(self, block: bytes) -> Any:
        """In place of the stream's method."""
        result = self._decode(self.stream(), block)
        self._told.block(block)
        return result

    def broken(self, error: BaseException) -> None:
        """A block could not be read: the next try is the client's own."""
        self._release()
        interrupted(self._call, error)

    def unusual(self, last: bool) -> None:
        """A block of no chunk, of several, or the last one."""
        if last:
            self._release()
            if not self.decoded:
                self._told.exhausted()
        if self.decoded:
            self._queue.get = partial(self._take, last)

    def _take(self, last: bool, *args: Any, **kwargs: Any) -> Any:
        """In place of the queue's method, until it is empty."""
        chunk = self._get(*args, **kwargs)
        self._told.chunk(chunk)
        if not self.decoded:
            with fence.contain("engine.blocks"):
                del self._queue.get
                if last:
                    self._told.exhausted()
        return chunk

    def _release(self) -> None:
        stream = self.stream()
        if stream is not None:
            for name in self._replaced:
                stream.__dict__.pop(name, None)
