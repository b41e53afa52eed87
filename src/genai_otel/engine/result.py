"""What a client's method gave back: a parsed result, a stream, or a raw response that the user parses himself."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Awaitable, Callable, Mapping
from types import CoroutineType
from typing import Any, cast

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.ending import left, watch_close
from genai_otel.engine.stream import follow
from genai_otel.spec import RawResponses


def received(call: Call, arguments: Mapping[str, Any], result: Any) -> Any:
    """Read the facts of ``result``, or follow it where they are still to come; what the user gets.  Never raises."""
    try:
        raw = call.spec.raw
        form = None if raw is None else raw.form(arguments)
        if form is None or raw is None:
            return _parsed(call, arguments, result)
        call.attributes.update(raw.headers(result))
        if form == "unread":
            _Unread(call, arguments, result, raw)
        else:
            _parsed(call, arguments, _parse(result))
    except Exception as error:  # noqa: BLE001 - the fence of the hot path
        if isinstance(result, CoroutineType):  # not asked before, because that would cost every call
            return _to_come(call, arguments, cast("CoroutineType[Any, Any, Any]", result))
        call.finish("completed")
        fence.report("engine.result", error)
    return result


def _to_come(call: Call, arguments: Mapping[str, Any], pending: CoroutineType[Any, Any, Any]) -> Any:
    """A method that is not asynchronous gave a coroutine: some do, on demand."""
    later = _awaited(call, arguments, pending)
    later.__qualname__ = pending.__qualname__  # what tasks and Python's warnings show
    call.followed = weakref.ref(later, call.lost)
    return later


async def _awaited(call: Call, arguments: Mapping[str, Any], pending: CoroutineType[Any, Any, Any]) -> Any:
    with call:
        try:
            result = await pending
        except BaseException as error:
            call.raised(error)
            raise
    return received(call, arguments, result)


def _parsed(call: Call, arguments: Mapping[str, Any], result: Any) -> Any:
    endpoint = call.endpoint
    asked = endpoint.stream_argument
    if endpoint.chunk is not None and (asked is None or arguments.get(asked)):
        if isinstance(result, CoroutineType):
            return _to_come(call, arguments, cast("CoroutineType[Any, Any, Any]", result))
        return follow(call, result)
    if call.content is not None:
        call.read_content(result)
    answer = endpoint.answer
    call.returned(endpoint.response(result) if answer is None else answer(arguments, result))
    return result


def _parse(response: Any, parse: Callable[..., Any] | None = None) -> Any:
    """The parsed result of a raw response whose body is there; the client keeps it for the user's own ``parse()``.

    What the client cannot parse has no facts; that it raises is for the user's own call to see.
    """
    try:
        return _driven((parse or _parse_method(response))(response))
    except Exception:  # noqa: BLE001 - the client's error, which belongs to the user's own parse()
        return None


def _parse_method(response: Any) -> Callable[..., Any]:
    return response.__class__.parse


def _driven(value: Any) -> Any:
    """The result of a coroutine that has nothing to wait for; any other value as it is."""
    if not isinstance(value, Awaitable):
        return value
    pending: Awaitable[Any] = cast("Awaitable[Any]", value)
    steps = pending.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return done.value
    steps.close()
    return None


class _Unread:
    """A raw response that the user reads himself: his ``parse()`` feeds the call, his ``close()`` ends it."""

    def __init__(self, call: Call, arguments: Mapping[str, Any], response: Any, raw: RawResponses) -> None:
        self._call = call
        self._streams = call.endpoint.chunk is not None and call.endpoint.streams(arguments)
        self._raw = raw
        self._parse = _parse_method(response)
        self._parsed = False
        call.ambient = sys.exc_info()[1]
        self._response = call.followed = weakref.ref(response, call.lost)
        response.parse = self.parse
        watch_close(response, self.close)

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """The client's own ``parse``, sync or async, and a look at what it gives."""
        result = self._parse(self._response(), *args, **kwargs)
        if isinstance(result, Awaitable):
            return self._awaited(cast("Awaitable[Any]", result))
        self._seen(result)
        return result

    async def _awaited(self, pending: Awaitable[Any]) -> Any:
        result = await pending
        self._seen(result)
        return result

    def _seen(self, result: Any) -> None:
        if self._parsed:
            return
        self._parsed = True
        with fence.contain("engine.result"):
            if self._streams:
                follow(self._call, result)
            else:
                self._call.read_content(result)
                self._call.attributes.update(self._call.endpoint.response(result))

    def close(self) -> None:
        """The user is done with the response; what he read without parsing is parsed now, if it is there."""
        consumed = False
        with fence.contain("engine.close"):
            response = self._response()
            consumed = self._raw.closed(response)
            if consumed and not self._parsed and not self._streams:
                result = _parse(response, self._parse)
                if result is not None:
                    self._seen(result)
        if consumed:
            self._call.finish("completed")
        else:
            left(self._call, sys.exc_info()[1])
