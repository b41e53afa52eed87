"""What goes on inside a call while the client's method runs: calls that it consists of, pieces of its result.

A client of models in the same process has many layers that a program can call, each made of the next; other clients
make several requests for one result.  The outermost is the call; what only the inner ones know, tokens above all, is
added to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from genai_otel import fence, semconv
from genai_otel.engine.call import Call, current
from genai_otel.engine.invoke import Wrapper, named
from genai_otel.engine.pending import Pending
from genai_otel.spec import ClientSpec, Endpoint, Fed


def adding(spec: ClientSpec, endpoint: Endpoint, run: Wrapper | None) -> Wrapper:
    """For methods of which other calls consist; ``run`` serves those that are calls by themselves."""
    asynchronous, fed = endpoint.asynchronous, endpoint.fed

    def invoke(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        around = current()
        if around is None or around.spec is not spec or not around.endpoint.gathers or around.busy:
            return wrapped(*args, **kwargs) if run is None else run(wrapped, instance, args, kwargs)
        arguments = named(endpoint, args, kwargs) if args else kwargs
        step = wrapped if fed is None else feeding(wrapped, fed, arguments)
        if asynchronous:
            coroutine = _awaited(Pending(step(*args, **kwargs)), around, endpoint, instance, arguments)
            coroutine.__qualname__ = wrapped.__qualname__  # what tasks and Python's warnings show
            return coroutine
        around.busy = True  # what this one consists of is in its own facts
        try:
            result = step(*args, **kwargs)
        finally:
            around.busy = False
        _add(around, endpoint, instance, arguments, result)
        return result

    return invoke


async def _awaited(
    pending: Pending, around: Call, endpoint: Endpoint, instance: Any, arguments: Mapping[str, Any]
) -> Any:
    around.busy = True
    try:
        result = await pending.awaitable
    finally:
        around.busy = False
    _add(around, endpoint, instance, arguments, result)
    return result


def _add(call: Call, endpoint: Endpoint, instance: Any, arguments: Mapping[str, Any], result: Any) -> None:
    """Put the facts of a part on its call; of what is no sum the last part has the last word."""
    try:
        facts, route = call.attributes, endpoint.route
        chosen = None if route is None else route(instance, arguments)
        if chosen is not None:
            endpoint, arguments, *_ = chosen
        if not call.parts and endpoint.request is not call.endpoint.request:  # all are asked for the same
            facts.update(endpoint.request(arguments))
        answer = endpoint.answer
        found = endpoint.response(result) if answer is None else answer(arguments, result)
        if call.parts:
            for name in found.keys() & facts.keys():
                if name.startswith("gen_ai.usage.") or name == semconv.RESPONSE_FINISH_REASONS:
                    found[name] = facts[name] + found[name]
        call.parts = True
        facts.update(found)
    except Exception as error:  # noqa: BLE001 - a part with fewer facts is a part all the same
        fence.report("engine.adds", error)


# --- results that come before the method returns ---------------------------------------------------


def feeding(wrapped: Callable[..., Any], fed: Fed, arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """``wrapped``, and a look at the pieces that it hands out, for the call that is going on when it is called."""
    receiver = arguments.get(fed.argument)
    if receiver is None:
        return wrapped

    def step(*args: Any, **kwargs: Any) -> Any:
        release = None
        with fence.contain("engine.fed"):
            release = _watch(current(), receiver, fed)
        try:
            return wrapped(*args, **kwargs)
        finally:
            if release is not None:
                release()

    return step


def _watch(call: Call | None, receiver: Any, fed: Fed) -> Callable[[], None] | None:
    """Time the pieces that ``receiver`` gets; what to call for it to have its own method back."""
    if call is None or not hasattr(receiver, "__dict__"):
        return None
    name, held = fed.method, receiver.__dict__
    put: Callable[..., Any] = getattr(receiver, name)
    own = {name: held[name]} if name in held else {}
    numbers = count(1 - fed.before)

    def seen(*args: Any, **kwargs: Any) -> Any:
        number = next(numbers)
        if number > 0:
            now = time.perf_counter_ns()
            call.first = call.first or now
            call.beat = (number, now)
        return put(*args, **kwargs)

    def release() -> None:
        if held.get(name) is seen:
            del held[name]
            held.update(own)

    setattr(receiver, name, seen)
    return release
