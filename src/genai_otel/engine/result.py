"""What a client's method gave back: a parsed result, a stream, or a raw response that the user parses himself."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from genai_otel import fence
from genai_otel.engine.call import Call
from genai_otel.engine.stream import follow, watch_close
from genai_otel.spec import RawResponses


def received(call: Call, arguments: Mapping[str, Any], result: Any) -> None:
    """Read the facts of ``result``, or follow it where they are still to come.  Never raises."""
    try:
        raw = call.spec.raw
        form = None if raw is None else raw.form(arguments)
        if form is None:
            _parsed(call, arguments, result)
        elif form == "unread" and raw is not None:
            _unread(call, arguments, result, raw)
        else:
            _parsed(call, arguments, _parse(result))
    except Exception as error:  # noqa: BLE001 - the fence of the hot path
        call.finish("completed")
        fence.report("engine.result", error)


def _parsed(call: Call, arguments: Mapping[str, Any], result: Any) -> None:
    endpoint = call.endpoint
    if endpoint.chunk is not None and (endpoint.stream_argument is None or arguments.get(endpoint.stream_argument)):
        follow(call, result)
        return
    _read_content(call, result)
    call.returned(endpoint.response(result))


def _read_content(call: Call, result: Any) -> None:
    content = call.endpoint.content
    if call.content is not None and content is not None:
        with fence.contain("engine.content"):
            call.content.update(content.response(result))


def _parse(response: Any) -> Any:
    """The parsed result of a raw response whose body is there; the client keeps it for the user's own ``parse()``.

    What the client cannot parse has no facts; that it raises is for the user's own call to see.
    """
    try:
        return _driven(response.parse())
    except Exception:  # noqa: BLE001 - the client's error, which belongs to the user's own parse()
        return None


def _driven(value: Any) -> Any:
    """The result of a coroutine that has nothing to wait for; any other value as it is."""
    if not isinstance(value, Awaitable):
        return value
    steps = value.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return done.value
    steps.close()
    return None


def _unread(call: Call, arguments: Mapping[str, Any], response: Any, raw: RawResponses) -> None:
    """Let the user's own ``parse()`` feed the call, and end it when he closes the response."""
    endpoint = call.endpoint
    parse: Callable[..., Any] = type(response).parse
    this = weakref.ref(response, lambda _: call.drop())
    call.followed = this
    parsed_once: list[bool] = []

    def seen(result: Any) -> None:
        if not parsed_once:
            parsed_once.append(True)
            with fence.contain("engine.result"):
                if endpoint.chunk is not None and arguments.get(endpoint.stream_argument or ""):
                    follow(call, result)
                else:
                    _read_content(call, result)
                    call.attributes.update(endpoint.response(result))

    async def awaited(pending: Awaitable[Any]) -> Any:
        result = await pending
        seen(result)
        return result

    def parsing(*args: Any, **kwargs: Any) -> Any:
        result = parse(this(), *args, **kwargs)
        if isinstance(result, Awaitable):
            return awaited(result)
        seen(result)
        return result

    def closing() -> None:
        consumed = raw.closed(response_of())
        if consumed and not parsed_once:
            result = _parse_quietly(parse, response_of())
            if result is not None:
                seen(result)
        call.finish("completed" if consumed else "closed")

    def response_of() -> Any:
        return this()

    response.parse = parsing
    watch_close(response, closing)


def _parse_quietly(parse: Callable[..., Any], response: Any) -> Any:
    try:
        return _driven(parse(response))
    except Exception:  # noqa: BLE001 - a body that was read in pieces, or is not of the declared type
        return None
