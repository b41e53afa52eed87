"""Looks into a stream that reads its connection block by block, and hands out what it decoded from a queue.

Only the blocks are looked at, as bytes.  Of one that may tell something, or that ends within a line, the chunks are
read as the user takes them from the queue.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from genai_otel import fence, semconv
from genai_otel.engine.call import Call
from genai_otel.spec import Blocks, StreamFailed

Search = Callable[[bytes], object]
Told = Callable[[bytes], bytes]


def follow(call: Call, stream: Any, blocks: Blocks, read: Callable[[Any], object]) -> None:
    """Have ``read`` see the chunks with facts; an error in a block is what the stream ends with."""
    iterator = getattr(stream, blocks.iterator)
    reading = _Reading(call, getattr(stream, blocks.queue), blocks, read)
    look = _look_later if hasattr(iterator, "__anext__") else _look
    unusual = re.compile(rb"%b|[^\n]\Z" % blocks.telling).search
    setattr(stream, blocks.iterator, look(iterator, unusual, reading.told))


def _look(iterator: Iterator[bytes], unusual: Search, told: Told) -> Iterator[bytes]:
    for block in iterator:
        if unusual(block):
            half = told(block)
            while half:
                yield block
                block = next(iterator, b"")  # noqa: PLW2901 - the other half stands in it
                if not block:
                    return
                half = told(half + block)
        yield block


async def _look_later(iterator: AsyncIterator[bytes], unusual: Search, told: Told) -> AsyncIterator[bytes]:
    async for block in iterator:
        if unusual(block):
            half = told(block)
            while half:
                yield block
                block = await anext(iterator, b"")  # noqa: PLW2901 - see above
                if not block:
                    return
                half = told(half + block)
        yield block


class _Reading:
    """The queue of a stream."""

    def __init__(self, call: Call, queue: Any, blocks: Blocks, read: Callable[[Any], object]) -> None:
        self._call = call
        self._queue = queue
        self._get: Callable[..., Any] = queue.get
        self._telling = re.compile(blocks.telling).search
        self._check = blocks.check
        self._read = read

    def told(self, said: bytes) -> bytes:
        """A block may tell something; gives the half of a line that it ends with, which stands before the next."""
        try:
            if self._telling(said):
                self._queue.get = self._take
                if self._check is not None:
                    self._check(said)
        except StreamFailed as error:
            self._call.attributes[semconv.ERROR_TYPE] = str(error)
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.blocks", error)
        return said[said.rfind(b"\n") + 1 :]

    def _take(self, *args: Any, **kwargs: Any) -> Any:
        """In place of the queue's method, until it is empty."""
        chunk = self._get(*args, **kwargs)
        with fence.contain("engine.blocks"):
            if self._queue.empty():
                del self._queue.get
            self._read(chunk)
        return chunk
