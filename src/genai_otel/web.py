"""FastAPI apps traced in whatever order things were imported, and a last flush when a web server stops.

The instrumentor of the OpenTelemetry project replaces the class ``fastapi.FastAPI``, which reaches only programs that
import it later.  Here the class's ``build_middleware_stack`` is wrapped instead: it runs once per app, at its first
request or at start-up, so the class may have been imported and apps made before ``setup()``.  For an app that serves
already, the stack that it has is put inside the tracing one; its middlewares stay the same objects.

What the project's instrumentor gives an app, it gives here as well (it is called for each).  One default differs: no
span per ASGI ``receive`` and ``send`` message, because a streamed answer has hundreds.  An app that the program
instruments itself before its first request keeps the program's options.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

from genai_otel import fence, imports

if TYPE_CHECKING:
    from fastapi import FastAPI

Flush = Callable[[float], bool]

STOP_SECONDS: Final = 4.5
"""How long the last flush of a server that a signal is about to end may take."""

_BUILD: Final = "build_middleware_stack"

_options: dict[str, Any] = {"exclude_spans": ["receive", "send"]}
_flush: Flush | None = None
_wrapped: set[type] = set()
_ours: WeakSet[FastAPI] = WeakSet()
_handlers: WeakKeyDictionary[Any, Mapping[int, Any]] = WeakKeyDictionary()
_lock = threading.RLock()


def cover(flush: Flush) -> None:
    """Call ``flush(seconds)`` when a signal ends a process after its uvicorn server has shut down.

    uvicorn raises the signal once more with the handlers of before.  Where that is the system's own, the process
    ends without ``atexit``: so it is when set-up ran in the app's start-up, and below ``gunicorn --preload``, whose
    worker class for uvicorn resets all handlers.  Other servers return, and ``atexit`` does the rest.
    """
    global _flush  # noqa: PLW0603 - set-up after a shutdown brings another one
    _flush = flush
    imports.when_imported("uvicorn.server", _cover_uvicorn)


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


def instrument_app(app: FastAPI, **options: Any) -> None:
    """Trace one FastAPI app, also while it serves; again for the same app does nothing.

    ``options`` go to ``FastAPIInstrumentor.instrument_app`` of opentelemetry-instrumentation-fastapi.  Requests that
    are running stay untraced.  Raises TypeError for anything but a FastAPI app.
    """
    from fastapi import FastAPI

    if not isinstance(app, FastAPI):  # pyright: ignore[reportUnnecessaryIsInstance] - users pass what they have
        raise TypeError(f"instrument_app takes a FastAPI app, not {type(app).__name__}")
    with _lock:
        stack: Any = app.middleware_stack
        if stack is None:
            if not _claimed(app):
                _instrument(app, options)
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
        if not _claimed(app) and not _is_traced(stack):
            return _around(app, stack, {})
    return stack


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
    return any(type(layer).__name__ == "OpenTelemetryMiddleware" for layer in _layers(stack))


def _layers(stack: Any) -> Iterator[Any]:
    seen = set[int]()
    while stack is not None and id(stack) not in seen:
        seen.add(id(stack))
        yield stack
        stack = getattr(stack, "app", None)


def _living(base: type[FastAPI]) -> list[FastAPI]:
    """The apps that exist.  fastapi keeps no list of them, but an instance refers to its class."""
    classes: list[type] = [base]
    for cls in classes:
        classes += cls.__subclasses__()
    return [each for each in gc.get_referrers(*classes) if issubclass(type(each), base)]


def _cover_uvicorn(module: ModuleType) -> None:
    server: Any = module.Server
    if not hasattr(server, "capture_signals"):  # before 0.29 no signal was raised again
        return
    with _lock:
        if server in _wrapped:
            return
        _wrapped.add(server)
        capture, stop = server.capture_signals, server.shutdown

    @functools.wraps(capture)
    @contextlib.contextmanager
    def capture_signals(self: Any) -> Generator[None, None, None]:
        _handlers[self] = {number: signal.getsignal(number) for number in module.HANDLED_SIGNALS}
        with capture(self):
            yield

    @functools.wraps(stop)
    async def shutdown(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await stop(self, *args, **kwargs)
        finally:
            # A server that ran before set-up captured signals unseen; Ctrl-C ends a process in order by default.
            before = _handlers.get(self, {signal.SIGINT: signal.default_int_handler})
            if any(before.get(number, signal.SIG_DFL) is signal.SIG_DFL for number in self._captured_signals):
                await _last_flush()

    server.capture_signals, server.shutdown = capture_signals, shutdown


async def _last_flush() -> None:
    import asyncio  # 35 ms of CPU that only a program with a server has spent anyway

    with fence.contain("web.flush"):
        if _flush is not None:
            await asyncio.get_running_loop().run_in_executor(None, _flush, STOP_SECONDS)
