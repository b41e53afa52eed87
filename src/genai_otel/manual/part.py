"""The stream of a call that a program reports: followed as a client's, and ended by whoever has the last word."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from genai_otel import fence, semconv
from genai_otel.engine.call import Call
from genai_otel.engine.stream import follow
from genai_otel.spec import Facts

T = TypeVar("T")
Read = Callable[[T], object]


class Part(Call):
    """The stream inside a block: how it ends is noted, and the call goes on until the block is left.

    It has the call's own facts.  ``ends`` says that the call ends with it: where there is no block, or the block hands
    the stream on unread.  ``gone`` is then the outcome when nobody reads it to its end.
    """

    __slots__ = ("_gone", "_whole", "ends")
    _gone: semconv.Outcome | None

    def __init__(self, whole: Call, gone: semconv.Outcome | None = None, *, ends: bool) -> None:
        self.__dict__ = whole.__dict__
        self._whole = whole
        self._gone = gone
        self.ends = ends

    def anew(self) -> None:
        """Forget a stream before this one, which was tried in vain."""
        if self.__dict__.pop("outcome", None) is not None:
            self.error = None
            self.attributes.pop(semconv.ERROR_TYPE, None)

    def finish(self, outcome: semconv.Outcome, at: int | None = None) -> None:
        """The stream has ended."""
        self.outcome = outcome
        if self.ends:
            if self._gone is not None and outcome in ("closed", "abandoned"):
                outcome = self._gone
            self._whole.finish(outcome, at)


def followed(call: Call, chunks: Any, read: Read[Any] | None) -> Any:
    """``chunks``, of which ``call`` sees each; ``read`` gets it first."""
    call.attributes.setdefault(semconv.REQUEST_STREAM, True)
    if read is not None:
        call.endpoint = replace(call.endpoint, chunk=partial(_look, read))
    return follow(call, chunks.__aiter__() if hasattr(chunks, "__aiter__") else iter(chunks))


def _look(read: Read[Any], _: Facts, chunk: Any) -> None:
    _read(read, chunk)


def unfollowed(chunks: Any, read: Read[Any] | None) -> Any:
    """The same where nothing is traced: the program does what it does all the same."""
    if hasattr(chunks, "__aiter__"):
        return _aeach(cast("AsyncIterable[Any]", chunks), read)
    return _each(chunks, read)


def _each(chunks: Iterable[Any], read: Read[Any] | None) -> Iterator[Any]:
    for chunk in chunks:
        if read is not None:
            _read(read, chunk)
        yield chunk


async def _aeach(chunks: AsyncIterable[Any], read: Read[Any] | None) -> AsyncIterator[Any]:
    async for chunk in chunks:
        if read is not None:
            _read(read, chunk)
        yield chunk


def _read(read: Read[Any], chunk: Any) -> None:
    try:
        read(chunk)
    except Exception as error:  # noqa: BLE001 - the program's reader of facts must not end its stream
        fence.warn(f"the function that reads the chunks of a stream raised {type(error).__qualname__}")
