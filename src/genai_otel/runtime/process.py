"""The process around us: fork, normal exit, SIGTERM, multiprocessing.  Each works where the system has it."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from genai_otel import fence, imports
from genai_otel.runtime import family

if TYPE_CHECKING:
    from genai_otel.runtime.handle import Handle


_CELL_SECONDS = 0.5  # how long the end of a notebook's cell waits; what takes longer goes on behind it


def watch(handle: Handle, after_fork: Callable[[], None]) -> None:
    """End the telemetry with the process, however it ends, and start it anew in a forked child."""
    atexit.register(_at_exit, handle)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=family.share, after_in_child=after_fork)
    with fence.contain("runtime.sigterm"):
        _on_sigterm(handle)
    with fence.contain("runtime.notebook"):
        _in_notebook(handle)
    imports.when_imported("multiprocessing.util", lambda module: _in_multiprocessing(module, handle))


def _at_exit(handle: Handle) -> None:
    with fence.contain("runtime.exit"):
        handle.shutdown()


def _on_sigterm(handle: Handle) -> None:
    """A process that nobody told what to do on SIGTERM dies of it without running ``atexit``: send first, then die.

    A handler of the program's own is left alone; it ends the process in its own way, and ``atexit`` follows.
    """
    number = getattr(signal, "SIGTERM", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(number) is not signal.SIG_DFL:
        return

    def end(received: int, _: FrameType | None) -> None:
        _at_exit(handle)
        signal.signal(received, signal.SIG_DFL)
        os.kill(os.getpid(), received)  # the exit status stays that of the signal

    signal.signal(number, end)


def _in_notebook(handle: Handle) -> None:
    """In IPython, what a cell did leaves when the cell ends and not some seconds later."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def end_of_cell(_: object) -> None:
        with fence.contain("runtime.notebook"):
            handle.flush(_CELL_SECONDS)

    shell.events.register("post_run_cell", end_of_cell)


def _in_multiprocessing(util: ModuleType, handle: Handle) -> None:
    """Children of ``multiprocessing`` leave by ``os._exit`` after their finalizers, not by ``atexit``."""

    def finalize(_: Any = None) -> None:
        util.Finalize(None, _at_exit, args=(handle,), exitpriority=-100)

    util.register_after_fork(handle, finalize)
    from multiprocessing.process import parent_process  # loaded already: multiprocessing.util imports it

    if parent_process() is not None:
        finalize()
