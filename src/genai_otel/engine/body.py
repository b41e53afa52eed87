"""Follows a body that the user reads himself, in pieces of his choice, and that means something only as a whole.

The user keeps the client's own object: only the method by which it gives bytes is replaced, on that object, by one
that keeps a copy.  What he does not read is not read for him.  The method that is there in the meantime refers to the
body, so it takes itself away when the body has been read, is closed or fails.
"""

from __future__ import annotations

import contextlib
import sys
import time
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

from genai_otel import fence, semconv
from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted, left, unwatch_close, watch_close
from genai_otel.spec import Streaming

# Bytes of one body; of a longer one nothing is read.
_MOST: Final = 4_194_304


def follow(call: Call, body: Any, streaming: Streaming) -> None:
    """Read the facts of ``body`` when the user has read it, which ends ``call``."""
    call.beat = (0, time.perf_counter_ns())
    if body is None or streaming.reader is None:
        call.finish("completed")
        return
    call.ambient = sys.exc_info()[1]
    call.followed = weakref.ref(body, lambda _: call.drop())
    holder = body if streaming.body is None else streaming.body(body)
    reading = _Reading(call, body, streaming.reader, holder)
    setattr(body, streaming.reader, reading)
    watch_close(holder, partial(_closing, call, reading))


def _closing(call: Call, reading: _Reading) -> None:
    reading.release()
    left(call, sys.exc_info()[1])


class _Reading:
    """A body's method that gives its next bytes: all of them, or as many as it is asked for."""

    def __init__(self, call: Call, body: Any, name: str, holder: Any) -> None:
        self._call = call
        self._read: Callable[..., Any] = getattr(body, name)
        self._place = (body, name, holder)
        self._pieces: list[bytes] = []
        self._left = _MOST

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            piece = self._read(*args, **kwargs)
        except BaseException as error:
            self._interrupted(error)
            raise
        if isinstance(piece, Awaitable):
            return self._awaited(cast("Awaitable[Any]", piece), args, kwargs)
        self._seen(piece, args, kwargs)
        return piece

    async def _awaited(self, pending: Awaitable[Any], args: Any, kwargs: Any) -> Any:
        try:
            piece = await pending
        except BaseException as error:
            self._interrupted(error)
            raise
        self._seen(piece, args, kwargs)
        return piece

    def release(self) -> None:
        """Give the body its own method back."""
        body, name, holder = self._place
        with contextlib.suppress(AttributeError):  # it was taken away before
            delattr(body, name)
        unwatch_close(holder)

    def _interrupted(self, error: BaseException) -> None:
        with fence.contain("engine.body"):
            self.release()
            interrupted(self._call, error)

    def _seen(self, piece: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        with fence.contain("engine.body"):
            asked = next(iter((*args, *kwargs.values())), None)
            self._call.beat = (0, time.perf_counter_ns())
            self._keep(piece)
            if asked is None or asked < 0 or (not piece and asked > 0):
                self.release()
                self._whole()

    def _keep(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left >= 0:
            self._pieces.append(piece)

    def _whole(self) -> None:
        call = self._call
        endpoint = call.endpoint
        if self._left >= 0:
            said = b"".join(self._pieces)
            with fence.contain("engine.chunk"):
                if endpoint.chunk is not None:
                    endpoint.chunk(call.attributes, said)
            if call.content is not None and endpoint.content is not None:
                with fence.contain("engine.content"):
                    call.content.update(endpoint.content.response(said))
        call.finish("failed" if semconv.ERROR_TYPE in call.attributes else "completed")
