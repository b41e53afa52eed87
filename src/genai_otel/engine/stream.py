"""Follows a stream to its end, whichever end that is, without standing between the user and his object.

The user keeps the client's own stream object: only the iterator behind it is replaced by a generator that looks at
each chunk as it passes; where the stream is itself a generator, he gets ours around it.  The end is seen by whatever
happens first: exhaustion or an exception in the generator, closing (``with``, ``close``, a helper's close), or the
garbage collector taking the generator.

The two generators differ in nothing but the language's own ``async``; everything that they decide is in one place.
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, Final, cast

from opentelemetry.context import attach, get_current

from genai_otel import fence, semconv
from genai_otel.engine import blocks, body, lines, steps
from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted, left, watch_close
from genai_otel.spec import StreamFailed, Streaming

Read = Callable[[Any], object]

_UNREAD: Final[Read] = id  # it looks at no chunk, and is written in C


def follow(call: Call, result: Any) -> Any:
    """Follow the stream in ``result`` until it ends, and end ``call`` with it.  Gives what the user gets."""
    streaming = call.endpoint.streaming or call.spec.streaming or Streaming()
    if streaming.within is not Streaming.within:
        try:
            call.attributes.update(call.endpoint.response(result))
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.response", error)
    if streaming.reader is not None:
        body.follow(call, result, streaming)
        return result
    stream = streaming.within(result)
    if streaming.stepped and steps.able(stream):
        _follow_steps(call, stream, streaming)
        return result
    iterator: Any = stream if streaming.iterator is None else getattr(stream, streaming.iterator, None)
    if not hasattr(iterator, "__next__") and not hasattr(iterator, "__anext__"):
        fence.warn(
            f"streams of {call.spec.name} cannot be followed in this version: {type(stream).__qualname__}"
        )
        call.finish("completed")
        return result
    # A generator makes its request when its first chunk is asked for.
    first = iterator if streaming.iterator is not None else _Inside(call, iterator)
    generator = _following(iterator)(call, first, iterator, _reader(call, streaming, _facts(call)))
    call.ambient = sys.exc_info()[1]
    call.followed = weakref.ref(generator, call.lost)
    if call.hides and call.endpoint.hidden is not None:
        generator = _without(generator, call.endpoint.hidden)
    if streaming.iterator is None:
        return generator
    setattr(_holder(stream, streaming.iterator), streaming.iterator, generator)
    if streaming.body is not None:
        watch_close(streaming.body(stream), partial(_closing, call))
    return result


def _follow_steps(call: Call, stream: Any, streaming: Streaming) -> None:
    """Of a stream that has both methods it is the program that chooses."""
    call.ambient = sys.exc_info()[1]
    facts = _facts(call)
    if streaming.blocks is not None:
        blocks.follow(call, stream, streaming.blocks, facts)
        facts = _UNREAD
    read = _reader(call, streaming, facts)
    followers: dict[str, Any] = {}
    for name in steps.STEPS:
        own = steps.elements(stream, name)
        if own is not None:
            inside = _Inside(call, own)
            rest = inside if streaming.asks is None or streaming.asks(stream) else own
            followers[name] = _following(own)(call, inside, rest, read)
    steps.lead(call, stream, followers)


def _holder(stream: Any, name: str) -> Any:
    """The stream that has the iterator: another instrumentor's object before it may pass on only what is read."""
    while name not in getattr(stream, "__dict__", (name,)) and hasattr(stream, "__wrapped__"):
        stream = stream.__wrapped__
    return stream


def _reader(call: Call, streaming: Streaming, facts: Read) -> Read:
    read = _with_content(call, facts)
    return lines.whole(read) if streaming.lines else read


def _with_content(call: Call, facts: Read) -> Read:
    content = call.endpoint.content
    if call.content is None or content is None or content.chunk is None:
        return facts
    call.said = {}
    said = partial(content.chunk, call.said)

    def both(event: Any) -> None:
        facts(event)
        said(event)

    return both


def _facts(call: Call) -> Read:
    chunk = call.endpoint.chunk
    return partial(chunk, call.attributes) if chunk is not None else _UNREAD


def _following(iterator: Any) -> Callable[..., Any]:
    return _afollow if hasattr(iterator, "__anext__") else _follow


def _follow(call: Call, first: Iterator[Any], iterator: Iterator[Any], read: Read) -> Iterator[Any]:
    beats = _beats()
    chunk = closing = None
    try:
        for chunk, call.beat in zip(first, beats, strict=False):
            read, more = _first(call, read, chunk)
            yield chunk
            if not more:
                break
        for chunk, call.beat in zip(iterator, beats, strict=False):
            try:
                read(chunk)
            except Exception as error:  # noqa: BLE001 - the fence of the hot path
                read = _unread(call, error, read)
            yield chunk
    except GeneratorExit:
        closing = True
    except BaseException as error:
        interrupted(call, error)
        _step_out(call)
        raise
    if not closing:
        _exhausted(call, chunk)
        _step_out(call)
        return
    _closed(call)
    if first is not iterator:
        getattr(iterator, "close", int)()
        _step_out(call)
    raise GeneratorExit


async def _afollow(
    call: Call, first: AsyncIterator[Any], iterator: AsyncIterator[Any], read: Read
) -> AsyncIterator[Any]:
    beat = _beats().__next__
    chunk = closing = None
    try:
        async for chunk in first:
            call.beat = beat()
            read, more = _first(call, read, chunk)
            yield chunk
            if not more:
                break
        async for chunk in iterator:
            call.beat = beat()
            try:
                read(chunk)
            except Exception as error:  # noqa: BLE001 - the fence of the hot path
                read = _unread(call, error, read)
            yield chunk
    except GeneratorExit:
        closing = True
    except BaseException as error:
        interrupted(call, error)
        _step_out(call)
        raise
    if not closing:
        _exhausted(call, chunk)
        _step_out(call)
        return
    _closed(call)
    # At once: a dropped one would need a step of an event loop that may end.
    if first is not iterator and hasattr(iterator, "aclose"):
        await cast("AsyncGenerator[Any]", iterator).aclose()
        _step_out(call)
    raise GeneratorExit


class _Inside:
    """What an iterator gives, each step in the call's context: the request that it makes belongs inside the span."""

    def __init__(self, call: Call, iterator: Any) -> None:
        self._call = call
        self._iterator = iterator

    def __iter__(self) -> Iterator[Any]:
        return self

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __next__(self) -> Any:
        self._call.around = get_current()
        with self._call:
            return next(self._iterator)

    async def __anext__(self) -> Any:
        self._call.around = get_current()
        with self._call:
            return await anext(self._iterator)


def _step_out(call: Call) -> None:
    """A generator that kept a span of its own current leaves behind what was current when it began: the call."""
    if call.around is not None and get_current() is call.context:
        attach(call.around)


def _closed(call: Call) -> None:
    """The user closed the generator, or the garbage collector did, who has cleared references to it.

    To be called where no exception is handled: then the one that he handles while he closes can be seen.
    """
    if call.followed is None or call.followed() is None:
        call.drop()
    else:
        left(call, sys.exc_info()[1])


def _beats() -> Iterator[tuple[int, int]]:
    """The number of a chunk, from 1, and its time: both made in C, because this is done for every chunk."""
    return zip(count(1), iter(time.perf_counter_ns, 0), strict=False)


def _first(call: Call, read: Read, chunk: Any) -> tuple[Read, bool]:
    """Look at the first chunk; gives what reads the others, and whether the next one is to be looked at, too."""
    call.first = call.first or call.beat[1]
    first, more = call.endpoint.first, None
    try:
        if first is not None:
            more = first(call.attributes, chunk)
        read(chunk)
    except Exception as error:  # noqa: BLE001 - see _follow
        return _unread(call, error, read), False
    return read, more is True


def _unread(call: Call, error: Exception, read: Read) -> Read:
    """A reader of chunks raised: because the chunk is an error of the vendor's, or in error.

    Gives what reads the chunks after it: nothing of what comes after the end of a call is a fact of it.
    """
    if isinstance(error, StreamFailed):
        call.attributes[semconv.ERROR_TYPE] = str(error)
        call.finish("failed")
        return _UNREAD
    fence.report("engine.chunk", error)
    return read


def _exhausted(call: Call, last: Any) -> None:
    read = call.endpoint.last
    if read is not None and last is not None:
        with fence.contain("engine.chunk"):
            read(call.attributes, last)
    call.finish("failed" if semconv.ERROR_TYPE in call.attributes else "completed")


def _closing(call: Call) -> None:
    """The response body is being closed: by the client itself at the end, by the user early, or by a finaliser."""
    generator = call.followed and call.followed()
    if generator is None:
        call.drop()
        return
    if getattr(generator, "gi_running", False) or getattr(generator, "ag_running", False):
        return  # the client's own iterator closes its body; how it ended is about to be seen there
    left(call, sys.exc_info()[1])


def _without(iterator: Any, hidden: Callable[[Any], bool]) -> Any:
    """The stream less the chunks that it has only because a setting of ours asked for them."""
    if hasattr(iterator, "__anext__"):
        return (chunk async for chunk in iterator if not hidden(chunk))
    return (chunk for chunk in iterator if not hidden(chunk))
