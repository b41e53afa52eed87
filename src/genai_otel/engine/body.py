"""Follows a body that the user reads himself, in pieces of his choice, and that means something only as a whole.

The user keeps the client's own object: only the method by which it gives bytes is replaced, on that object, by one
that keeps a copy.  What he does not read is not read for him.  The method that is there in the meantime refers to the
body, so it takes itself away when the body has been read, is closed or fails.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import exc_info
from time import perf_counter_ns
from typing import Any, Final
from weakref import ref

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.classes import tell
from genai_otel.engine.ending import interrupted, left, unwatch_close, watch_close
from genai_otel.spec import Streaming

# Bytes of one body; of a longer one nothing is read.
_MOST: Final = 4_194_304


def follow(call: Call, result: Any, streaming: Streaming) -> None:
    """Read the facts of the body in ``result`` when the user has read it, which ends ``call``."""
    body: object = streaming.within(result)
    name = streaming.reader or ""
    call.beat = (0, perf_counter_ns())
    if body is None:
        call.finish("completed")
        return
    call.ambient = exc_info()[1]
    call.followed = ref(body, call.lost)
    reading = _Reading(call, body, name)
    setattr(body, name, reading)
    if not tell(type(body), _closed, name):
        reading.watched = True  # a proxy, which has no method of its own to tell it by
        watch_close(body, reading.closing)


def _closed(body: Any, name: str) -> None:
    reading = getattr(body, name, None)
    if isinstance(reading, _Reading):
        reading.closing()


def _more(piece: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether only so many bytes were asked for, and others may follow."""
    asked = args[0] if args else next(iter(kwargs.values()))
    return asked is not None and asked >= 0 and bool(piece or not asked)


class _Reading:
    """A body's method that gives its next bytes: all of them, or as many as it is asked for."""

    watched = False  # on the body itself
    _pieces: list[bytes] | None = None  # before the last
    _size = 0

    def __init__(self, call: Call, body: Any, name: str) -> None:
        self._call = call
        self._body = body
        self._name = name
        self._read: Callable[..., Any] = getattr(body, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            piece = self._read(*args, **kwargs)
        except BaseException as error:
            self._interrupted(error)
            raise
        if piece.__class__ is not bytes and hasattr(piece, "__await__"):
            return self._awaited(piece, args, kwargs)
        self._seen(piece, args, kwargs)
        return piece

    async def _awaited(self, pending: Any, args: Any, kwargs: Any) -> Any:
        try:
            piece = await pending
        except BaseException as error:
            self._interrupted(error)
            raise
        self._seen(piece, args, kwargs)
        return piece

    def closing(self) -> None:
        """The user closes the body before he has read all of it."""
        with fence.contain("engine.body"):
            self._release()
            left(self._call, exc_info()[1])

    def _release(self) -> None:
        """Give the body its own method back."""
        body = self._body
        try:
            delattr(body, self._name)
        except AttributeError:  # it was taken away before
            return
        if self.watched:
            unwatch_close(body)

    def _interrupted(self, error: BaseException) -> None:
        with fence.contain("engine.body"):
            self._release()
            interrupted(self._call, error)

    def _seen(self, piece: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        call = self._call
        try:
            if (args or kwargs) and _more(piece, args, kwargs):
                self._keep(piece)
                return
            self._release()
            said = piece if self._pieces is None else self._joined(piece)
            if len(said) <= _MOST:
                call.endpoint.chunk(call.attributes, said)  # pyright: ignore[reportOptionalCall] - without it there is no stream
                if call.content is not None:
                    call.read_content(said)
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.body", error)
        call.finish("completed")

    def _keep(self, piece: bytes) -> None:
        self._call.beat = (0, perf_counter_ns())
        if self._pieces is None:
            self._pieces = []
        self._size += len(piece)
        if self._size <= _MOST:
            self._pieces.append(piece)

    def _joined(self, last: bytes) -> bytes:
        return b"".join([*(self._pieces or ()), last]) if self._size <= _MOST else b""
