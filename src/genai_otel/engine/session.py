"""Follows a session: a connection over which client and model talk in messages, with many responses.

The user keeps the client's own connection, on which nothing is changed: the WebSocket behind it tells what is sent and
received, and how it ends.  The session is one call, each response a call inside it.  What ends the session ends the
responses that are still open.
"""

from __future__ import annotations

import inspect
import sys
import time
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any, cast

from opentelemetry.context import Context, get_current

from genai_otel import fence, semconv
from genai_otel.context_keys import SPAN_KEY
from genai_otel.engine.call import Call, begin
from genai_otel.engine.ending import left, unwatch_close, watch_close
from genai_otel.engine.invoke import Wrapper, named
from genai_otel.engine.responses import Responses
from genai_otel.engine.socket import unwatch_messages, watch_messages
from genai_otel.spec import ClientSpec, Endpoint, Session


def opening(spec: ClientSpec, endpoint: Endpoint, session: Session) -> Wrapper:
    """The function that wrapt calls instead of the method that opens a session."""

    def invoke(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        arguments = kwargs if not args else named(endpoint, args, kwargs)

        def start() -> _Open | _Untraced:
            return _started(spec, endpoint, session, instance, arguments) or _Untraced()

        if session.generator:
            manager = wrapped(*args, **kwargs)
            with fence.contain("engine.session"):
                generator = getattr(manager, session.generator)
                setattr(manager, session.generator, _Entering(generator, start))
            return manager
        if endpoint.asynchronous:
            coroutine = _awaited(start, wrapped, args, kwargs)
            coroutine.__qualname__ = wrapped.__qualname__  # what tasks and Python's warnings show
            return coroutine
        with start() as opened:
            return opened.given(wrapped(*args, **kwargs))

    return invoke


async def _awaited(
    start: Callable[[], _Open | _Untraced],
    open_it: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    with start() as opened:
        return opened.given(await open_it(*args, **kwargs))


class _Untraced:
    """A session that is none of ours to trace."""

    def __enter__(self) -> _Untraced:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def given(self, connection: Any) -> Any:
        """The user gets his connection."""
        return connection


class _Entering:
    """The generator behind a context manager: its first step opens the connection."""

    def __init__(self, generator: Any, start: Callable[[], _Open | _Untraced]) -> None:
        self._generator = generator
        self._start: Callable[[], _Open | _Untraced] | None = start

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)

    def __anext__(self) -> Any:
        start, self._start = self._start, None
        step = self._generator.__anext__
        return step() if start is None else _awaited(start, step, (), {})


def _started(
    spec: ClientSpec, endpoint: Endpoint, session: Session, instance: Any, arguments: dict[str, Any]
) -> _Open | None:
    context = get_current()
    with fence.contain("engine.session"):
        subject, read = session.opened(instance, arguments)
        call = begin(spec, endpoint, subject, read)
        if call is None:
            return None
        call.recorder.around(call)
        call.ambient = sys.exc_info()[1]
        inside = Context({**context, SPAN_KEY: call.span})
        opened = _Open(call, session, Responses(call, session, subject, read, inside))
        with fence.contain("engine.session"):  # a call that has begun is ended by what comes after
            if hasattr(instance, session.opener):
                opened.follow_opener(instance, session.opener)
        return opened
    return None


class _Open:
    """A session that has not ended: its call, and the WebSockets that it goes over, one after the other."""

    def __init__(self, call: Call, session: Session, responses: Responses) -> None:
        self._call = call
        self._session = session
        self._responses = responses
        self._sockets: weakref.WeakSet[Any] = weakref.WeakSet()
        self._reopens = False
        self._lost: tuple[semconv.Outcome, int, str | None] | None = None
        self._over = False

    # --- how it opens -----------------------------------------------------------------------------

    def follow_opener(self, instance: Any, name: str) -> None:
        """Know of every WebSocket that ``instance`` makes, the first and later ones."""
        kind = cast("Any", type(instance))
        make = MethodType(getattr(kind, name), instance)  # on which an earlier session may have put its own

        def opener(*args: Any, **kwargs: Any) -> Any:
            socket = make(*args, **kwargs)
            self._watch(socket)
            return socket

        async def async_opener(*args: Any, **kwargs: Any) -> Any:
            socket = await make(*args, **kwargs)
            self._watch(socket)
            return socket

        setattr(instance, name, async_opener if inspect.iscoroutinefunction(make) else opener)

    def __enter__(self) -> _Open:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """It opens, or ``error`` says why not."""
        if error is not None:
            self._release()
            for call in (*self._responses.take_all(), self._call):
                call.raised(error)

    def given(self, connection: Any) -> Any:
        """The user gets his connection."""
        self._call.suspend()
        with fence.contain("engine.session"):
            self._follow(connection)
        return connection

    def _follow(self, connection: Any) -> None:
        try:
            socket = self._session.socket(connection)
            self._reopens = self._session.reopens(connection)
        except AttributeError:
            fence.warn(f"sessions of {self._call.spec.name} cannot be followed in this version")
            self._end_lost("completed", time.perf_counter_ns(), None)
            return
        self._watch(socket)
        if not self._over:
            self._call.followed = weakref.ref(connection, self._dropped)

    def _watch(self, socket: Any) -> None:
        with fence.contain("engine.session"):
            if self._over or socket in self._sockets:
                return
            self._lost = None  # it goes on with this one
            self._sockets.add(socket)
            watch_messages(socket, self._responses.sent, self._responses.received, self._broke)
            watch_close(socket, self._closing)

    # --- how it ends ------------------------------------------------------------------------------

    def _broke(self, error: Exception) -> None:
        """The WebSocket raised; where the client may connect anew, the session may go on."""
        kinds = [kind.__name__ for kind in type(error).__mro__]
        if "ConnectionClosed" not in kinds or self._over:
            return  # a time limit of the user's, which ends no connection
        with fence.contain("engine.session"):
            outcome: semconv.Outcome = "completed"
            if "ConnectionClosedOK" not in kinds:
                outcome = "cut" if getattr(error, "rcvd", None) is None else "failed"
            for call in self._responses.take_all():
                call.raised(error, "cut")
            kind = None if outcome == "completed" else type(error).__qualname__
            self._lost = (outcome, time.perf_counter_ns(), kind)
            if not self._reopens:
                self._end_lost(*self._lost)

    def _end_lost(self, outcome: semconv.Outcome, at: int, kind: str | None) -> None:
        if kind is not None:
            self._call.attributes[semconv.ERROR_TYPE] = kind
        self._release()
        self._call.finish(outcome, at)

    def _closing(self) -> None:
        """The user closes the connection, or leaves its context manager."""
        error = sys.exc_info()[1]
        unfinished = self._responses.take_all()
        for call in unfinished:
            left(call, error)
        if self._lost is not None:
            self._end_lost(*self._lost)
            return
        self._release()
        if error is None or error is self._call.ambient:
            self._call.finish("closed" if unfinished else "completed")
        else:
            left(self._call, error)

    def _dropped(self, _: object) -> None:
        for call in self._responses.take_all():
            call.drop()
        outcome, _, kind = self._lost or ("abandoned", 0, None)
        if kind is not None:
            self._call.attributes[semconv.ERROR_TYPE] = kind
        self._call.drop(outcome)

    def _release(self) -> None:
        self._over = True
        for socket in self._sockets:
            unwatch_messages(socket)
            unwatch_close(socket)
