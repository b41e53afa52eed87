"""Methods that are not the call itself: one that serves many operations, one that only prepares a stream.

What they lead to runs through :mod:`genai_otel.engine.invoke` like every other call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from opentelemetry.context import get_current

from genai_otel import fence
from genai_otel.context_keys import DESTINATION_KEY
from genai_otel.engine.inner import adding, feeding
from genai_otel.engine.invoke import Reading, Wrapper, named, wrapper
from genai_otel.engine.session import opening
from genai_otel.spec import ClientSpec, Endpoint, Route


def wrapper_of(spec: ClientSpec, endpoint: Endpoint) -> Wrapper:
    """The function that wrapt calls instead of the endpoint's method."""
    if endpoint.session is not None:
        return opening(spec, endpoint, endpoint.session)
    if endpoint.adds:
        run = (
            wrapper_of(spec, replace(endpoint, adds=False)) if endpoint.operation or endpoint.route else None
        )
        return adding(spec, endpoint, run)
    if endpoint.deferred is not None:
        return _deferring(spec, endpoint, endpoint.deferred)
    if endpoint.route is not None:
        return _routing(spec, endpoint, endpoint.route)
    return wrapper(spec, endpoint)


def _routing(spec: ClientSpec, endpoint: Endpoint, route: Route) -> Wrapper:
    """For methods that serve several endpoints: the wrapper of the one that a call is of."""
    wrappers = _Wrappers(spec)
    only, positional, fed = endpoint.only, endpoint.positional, endpoint.fed
    inside = endpoint.lead_through and not endpoint.asynchronous  # else it begins when it is awaited

    def invoke(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if inside and DESTINATION_KEY in get_current():
            return wrapped(*args, **kwargs)
        found = None
        try:
            if only is None or not args or args[0] in only:
                found = route(
                    instance, kwargs | dict(zip(positional, args, strict=False)) if args else kwargs
                )
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.route", error)
        if found is None:
            return wrapped(*args, **kwargs)
        chosen, arguments, *other = found
        if fed is not None:
            wrapped = feeding(wrapped, fed, arguments)
        read = None if arguments is kwargs else arguments
        return wrappers[chosen](wrapped, other[0] if other else instance, args, kwargs, read)

    return invoke


class _Wrappers(dict[Endpoint, Reading]):
    """The wrapper of each endpoint, made when it is asked for."""

    def __init__(self, spec: ClientSpec) -> None:
        super().__init__()
        self._spec = spec

    def __missing__(self, endpoint: Endpoint) -> Reading:
        return self.setdefault(endpoint, wrapper(self._spec, endpoint))


def _deferring(spec: ClientSpec, endpoint: Endpoint, attribute: str) -> Wrapper:
    """For stream helpers: the request that a manager holds is the call, not the method that makes the manager."""
    run = wrapper(spec, replace(endpoint, deferred=None))

    def invoke(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        manager = wrapped(*args, **kwargs)
        arguments = kwargs if not args else named(endpoint, args, kwargs)
        with fence.contain("engine.deferred"):
            request: Any = getattr(manager, attribute)
            step: Any = getattr(request, "__next__", None) or getattr(request, "__anext__", None)
            waits = step is None and hasattr(request, "__await__")
            prepared = _Prepared(step or (partial(_itself, request) if waits else request))
            deferred = partial(run, prepared, instance, (), {}, arguments)
            held = _Entering(request, deferred) if step else deferred() if waits else deferred
            setattr(manager, attribute, held)
        return manager

    return invoke


def _itself(request: Any) -> Any:
    return request


class _Entering:
    """The generator behind a context manager, whose first step makes the request."""

    def __init__(self, generator: Any, first: Callable[[], Any]) -> None:
        self._generator = generator
        self._first: Callable[[], Any] | None = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)

    def __next__(self) -> Any:
        return self._step(self._generator.__next__)

    def __anext__(self) -> Any:
        return self._step(self._generator.__anext__)

    def _step(self, own: Callable[[], Any]) -> Any:
        first, self._first = self._first, None
        return (first or own)()


class _Prepared:
    """A call of which everything was said before."""

    __slots__ = ("_wrapped",)

    def __init__(self, wrapped: Callable[[], Any]) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        if name == "__qualname__":
            return getattr(self._wrapped, name, type(self._wrapped).__qualname__)
        raise AttributeError(name)

    def __call__(self) -> Any:
        return self._wrapped()
