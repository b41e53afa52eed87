"""A last flush when a web server stops that a signal is about to end."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from collections.abc import Callable, Generator, Mapping
from types import ModuleType
from typing import Any, Final
from weakref import WeakKeyDictionary

from genai_otel import fence, imports

Flush = Callable[[float], bool]

STOP_SECONDS: Final = 4.5
"""How long the last flush of a server that a signal is about to end may take."""

_flush: Flush | None = None
_wrapped: set[type] = set()
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
