"""The one place where the user's function is called: sync, async, stream, stream helper and raw response alike.

Everything before and after that call is ours and fenced.  The result is the client's own object, the exception the
client's own exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from genai_otel import fence
from genai_otel.engine import record
from genai_otel.engine.call import begin, is_ours
from genai_otel.engine.pending import Pending
from genai_otel.engine.result import received
from genai_otel.spec import ClientSpec, Endpoint

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class Reading(Protocol):
    """A wrapper that can be told what to read in place of the arguments, which the client gets in any case."""

    def __call__(
        self,
        wrapped: Callable[..., Any],
        instance: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        arguments: Mapping[str, Any] | None = None,
        /,
    ) -> Any: ...


def wrapper(spec: ClientSpec, endpoint: Endpoint) -> Reading:
    """The function that wrapt calls instead of the endpoint's method."""
    with_usage = endpoint.with_usage
    asynchronous = endpoint.asynchronous

    def invoke(
        wrapped: Callable[..., Any],
        instance: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        arguments: Mapping[str, Any] | None = None,
    ) -> Any:
        added: Mapping[str, Any] | None = None
        if arguments is None:
            arguments = kwargs if not args else named(endpoint, args, kwargs)
            if with_usage is not None and (recorder := record.active) is not None and recorder.stream_usage:
                added = _usage_asked(with_usage, arguments)
                kwargs, arguments = {**kwargs, **added}, {**arguments, **added}
        # Calling an async method only makes its coroutine, so its call begins when it is awaited.
        call = None if asynchronous else begin(spec, endpoint, instance, arguments)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            if asynchronous:
                call = begin(spec, endpoint, instance, arguments)
            if call is not None:
                call.raised(error)
            raise
        if asynchronous:
            coroutine = _awaited(Pending(result), spec, endpoint, instance, arguments, added=added)
            coroutine.__qualname__ = wrapped.__qualname__  # what tasks and Python's warnings show
            return coroutine
        if call is None:
            return result
        if added:
            call.hides = True
        call.suspend()
        return received(call, arguments, result)

    return invoke


async def _awaited(
    pending: Pending,
    spec: ClientSpec,
    endpoint: Endpoint,
    instance: Any,
    arguments: Mapping[str, Any],
    *,
    added: Mapping[str, Any] | None,
) -> Any:
    # What was added when the coroutine was made is ours to hide, wherever it is awaited.
    call = begin(spec, endpoint, instance, arguments, anyway=added)
    try:
        result = await pending.awaitable
    except BaseException as error:
        if call is not None:
            call.raised(error)
        raise
    if call is None:
        return result
    if added:
        call.hides = True
    call.suspend()
    return received(call, arguments, result)


def _usage_asked(
    with_usage: Callable[[Mapping[str, Any]], Mapping[str, Any] | None], arguments: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Arguments to add because the user's setting asks for the usage of streams; none for a call that is not ours."""
    with fence.contain("engine.with_usage"):
        return (with_usage(arguments) if is_ours() else None) or {}
    return {}


def named(endpoint: Endpoint, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name, as far as the endpoint names its positional ones."""
    arguments = dict(kwargs)
    with fence.contain("engine.invoke"):
        arguments.update(zip(endpoint.positional, args, strict=False))
    return arguments
