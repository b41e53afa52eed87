"""FastAPI apps traced in whatever order things were imported.

The instrumentor of the OpenTelemetry project replaces the class ``fastapi.FastAPI``, which reaches only programs that
import it later.  Here the class's ``build_middleware_stack`` is wrapped instead: it runs once per app, at its first
request or at start-up, so the class may have been imported and apps made before ``setup()``.  For an app that serves
already, the stack that it has is put inside the tracing one; its middlewares stay the same objects.

What the project's instrumentor gives an app, it gives here as well (it is called for each).  One default differs: no
span per ASGI ``receive`` and ``send`` message, because a streamed answer has hundreds.  An app that the program
instruments itself before its first request keeps the program's options.
"""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

from genai_otel import fence
from genai_otel.web.stack import is_tracing, layers

if TYPE_CHECKING:
    from fastapi import FastAPI

    from genai_otel.web.checks import Check
    from genai_otel.web.furniture import Furniture

_BUILD: Final = "build_middleware_stack"

_options: dict[str, Any] = {"exclude_spans": ["receive", "send"]}
_wrapped: set[type] = set()
_ours: WeakSet[FastAPI] = WeakSet()
_wanted: WeakKeyDictionary[FastAPI, Furniture] = WeakKeyDictionary()
_lock = threading.RLock()


def cover_fastapi(providers: Mapping[str, Any]) -> None:
    """Trace every app of the imported ``fastapi``: those to come, those made already and those that serve.

    ``providers`` (``tracer_provider``, ``meter_provider``) are used in place of the global ones.
    """
    from fastapi import applications

    native_export_off()
    _options.update(providers)
    base: type[FastAPI] = applications.FastAPI
    with _lock:
        if base in _wrapped:
            return
        _wrapped.add(base)
        original = base.build_middleware_stack

        @functools.wraps(original)
        def build_middleware_stack(self: FastAPI) -> Any:
            return _traced(self, original(self))

        base.build_middleware_stack = build_middleware_stack
    for app in _living(base):
        with fence.contain("web"):
            if getattr(app, "middleware_stack", None) is not None:
                instrument_app(app)


def instrument_app(
    app: FastAPI,
    *,
    trace_headers: bool = False,
    health: str | None = None,
    ready: str | None = None,
    feedback: str | None = None,
    checks: Mapping[str, Check] | None = None,
    request_id: str | None = None,
    **options: Any,
) -> None:
    """Trace one FastAPI app, also while it serves; again for the same app does nothing.

    With ``trace_headers`` each answer names the trace of its request (``traceresponse``, ``X-Trace-Id``,
    ``Server-Timing``), those of errors included.  ``health``, ``ready`` and ``feedback`` are paths of routes: that the
    process lives, which asks nobody and is not traced; whether all ``checks`` pass (name → function or coroutine
    function; one that raises, gives False or takes 2 s fails; asked at most every 5 s), with the gauge
    ``genai_otel.dependency.up``; and what users send for :func:`genai_otel.feedback`.

    ``request_id`` is the header in which callers name their requests, such as ``X-Request-ID``.  A name of up to 128
    letters, digits and ``._:/+=-`` is ``genai_otel.request.id`` on every span of the request, baggage to services of
    yours, and in the answer; others are left out.

    ``options`` go to ``FastAPIInstrumentor.instrument_app`` of opentelemetry-instrumentation-fastapi.  Requests that
    are running stay untraced.  Raises TypeError for anything but a FastAPI app, ValueError for a path without ``/``,
    for ``checks`` without ``ready`` and for a ``request_id`` that is no name of a header.
    """
    from fastapi import FastAPI

    if not isinstance(app, FastAPI):  # pyright: ignore[reportUnnecessaryIsInstance] - users pass what they have
        raise TypeError(f"instrument_app takes a FastAPI app, not {type(app).__name__}")
    wanted = None
    if trace_headers or health or ready or feedback or checks or request_id is not None:
        from genai_otel.web.furniture import (
            furniture,  # asyncio: 35 ms that only a program with a server has spent
        )

        wanted = furniture(
            trace_headers=trace_headers,
            health=health,
            ready=ready,
            feedback_path=feedback,
            checks=checks,
            request_id=request_id,
        )
    with _lock:
        if wanted is not None:
            _wanted.setdefault(app, wanted)
        stack: Any = app.middleware_stack
        if stack is None:
            if not _claimed(app):
                _instrument(app, options)
            if wanted is not None and _wanted[app] is wanted:
                _furnish_when_built(app)
        elif not _is_traced(stack):
            # An assignment is atomic: a request in another thread sees the old stack or the new one.
            app.middleware_stack = (
                app.build_middleware_stack() if _claimed(app) else _around(app, stack, options)
            )
            if not _is_traced(app.middleware_stack):
                fence.warn(
                    f"the FastAPI app {app.title!r} was serving before setup() and could not be traced; "
                    "call setup() before its first request"
                )
        if stack is not None:
            app.middleware_stack = _furnished(app, app.middleware_stack)


def native_export_off() -> None:
    """Keep fastapi from adding exporters of its own to our providers, past the pipeline and a second time."""
    if os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true":
        os.environ["FASTAPI_OTEL_AUTO_CONFIGURE"] = "false"
        fence.warn(
            "FASTAPI_OTEL_AUTO_CONFIGURE is switched off: genai-otel exports this process's telemetry already"
        )


def _traced(app: FastAPI, stack: Any) -> Any:
    """The stack that an app has just built, inside the tracing one unless the program saw to that."""
    with fence.contain("web"), _lock:
        if not _claimed(app):
            return _furnished(app, stack if _is_traced(stack) else _around(app, stack, {}))
    return stack


def _furnished(app: FastAPI, stack: Any) -> Any:
    wanted = _wanted.get(app)
    return stack if wanted is None else wanted.into(stack)


def _furnish_when_built(app: FastAPI) -> None:
    """Around what builds its stack now: the instrumentor's method on the instance, or the class's."""
    build = app.build_middleware_stack

    def furnished() -> Any:
        return _furnished(app, build())

    vars(app)[_BUILD] = furnished


def _around(app: FastAPI, stack: Any, options: dict[str, Any]) -> Any:
    """Have the instrumentor build its middlewares around ``stack``.

    It replaces the method on the instance and asks the former one for the stack, so for this moment that one returns
    what is there.  Afterwards the class's own method is in charge again: a subclass may have overridden it.
    """
    vars(app)[_BUILD] = lambda: stack
    try:
        if app in _ours:  # the app builds its stack anew, and the instrumentor refuses an app that it knows
            vars(app)["_is_instrumented_by_opentelemetry"] = False
        _instrument(app, options)
        _ours.add(app)
        return app.build_middleware_stack()
    finally:
        vars(app).pop(_BUILD, None)


def _instrument(app: FastAPI, options: dict[str, Any]) -> None:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, **{**_options, **options})


def _claimed(app: FastAPI) -> bool:
    """Whether the instance has the instrumentor's own method, by the program or by ``instrument_app``."""
    return _BUILD in vars(app)


def _is_traced(stack: Any) -> bool:
    return any(map(is_tracing, layers(stack)))


def _living(base: type[FastAPI]) -> list[FastAPI]:
    """The apps that exist.  fastapi keeps no list of them, but an instance refers to its class."""
    classes: list[type] = [base]
    for cls in classes:
        classes += cls.__subclasses__()
    return [each for each in gc.get_referrers(*classes) if issubclass(type(each), base)]
