"""The stream of a call that a program reports: followed as a client's, and ended by whoever has the last word."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from opentelemetry.context import Context, attach, get_current

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

    __slots__ = ("_gone", "_whole", "ends", "steps")
    _gone: semconv.Outcome | None
    steps: _Steps | None

    def __init__(self, whole: Call, gone: semconv.Outcome | None = None, *, ends: bool) -> None:
        self.__dict__ = whole.__dict__
        self._whole = whole
        self._gone = gone
        self.ends = ends
        self.steps = None

    def anew(self) -> None:
        """Forget a stream before this one, which was tried in vain."""
        if self.__dict__.pop("outcome", None) is not None:
            self.error = None
            self.attributes.pop(semconv.ERROR_TYPE, None)

    def hand_on(self) -> None:
        """The block is left and the stream goes on: the call ends with it, and its steps are made in the call."""
        self.ends = True
        if self.steps is not None:
            self.steps.inside = False

    def finish(self, outcome: semconv.Outcome, at: int | None = None) -> None:
        """The stream has ended."""
        self.outcome = outcome
        if self.ends:
            if self._gone is not None and outcome in ("closed", "abandoned"):
                outcome = self._gone
            self._whole.finish(outcome, at)


def followed(part: Part, chunks: Any, read: Read[Any] | None) -> Any:
    """``chunks``, of which the call of ``part`` sees each; ``read`` gets it first."""
    part.attributes.setdefault(semconv.REQUEST_STREAM, True)
    if read is not None:
        part.endpoint = replace(part.endpoint, chunk=partial(_look, read))
    if hasattr(chunks, "__aiter__"):
        part.steps = _AsyncSteps(chunks.__aiter__(), part.context)
    else:
        part.steps = _Steps(iter(chunks), part.context)
    part.steps.inside = not part.ends
    return follow(part, part.steps)


class _Steps:
    """An iterator each of whose steps is made in the context of the call, wherever it is read.

    What a step makes current, as a generator does with a block around its ``yield``, is so again in the next one.
    """

    inside = False
    """Whether it is read where the call's context is the current one."""

    def __init__(self, steps: Any, context: Context) -> None:
        self._steps = steps
        self._context = context

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.inside:
            return next(self._steps)
        before = self._enter()
        try:
            return next(self._steps)
        finally:
            self._leave(before)

    def close(self) -> None:
        """Close what can be closed."""
        close = getattr(self._steps, "close", None)
        if close is not None:
            before = self._enter()
            try:
                close()
            finally:
                self._leave(before)

    def _enter(self) -> Context:
        before = get_current()
        attach(self._context)
        return before

    def _leave(self, before: Context) -> None:
        self._context = get_current()
        attach(before)


class _AsyncSteps(_Steps):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __anext__(self) -> Any:
        return self._steps.__anext__() if self.inside else self._anext()

    async def _anext(self) -> Any:
        before = self._enter()
        try:
            return await self._steps.__anext__()
        except GeneratorExit:
            if (
                get_current() is not self._context
            ):  # a coroutine that is collected elsewhere has none to leave
                before = get_current()
            raise
        finally:
            self._leave(before)

    async def aclose(self) -> None:
        """Close what can be closed."""
        aclose = getattr(self._steps, "aclose", None)
        if aclose is not None:
            before = self._enter()
            try:
                await aclose()
            finally:
                self._leave(before)


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
