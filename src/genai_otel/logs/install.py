"""Where records are taken: when a logger hands them to its handlers, as a handler on the root logger gets them.

No such handler is added, which is what the standard instrumentor does, because one changes the program's own logging:
``logging.lastResort`` and the first ``logging.warning()`` print nothing any more, and ``dictConfig()`` removes it.
Importing the standard instrumentor also costs twice the CPU of all of ``setup()``.  Its variables are honoured here,
and where somebody has put its handler on the root logger, that one does the work (decision 010).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from genai_otel import fence
from genai_otel.logs.bridge import Bridge
from genai_otel.logs.console import Console
from genai_otel.logs.lines import Lines
from genai_otel.logs.others import print_by

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider

AUTO_INSTRUMENTATION: Final = "OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION"
CORRELATION: Final = "OTEL_PYTHON_LOG_CORRELATION"
CODE_ATTRIBUTES: Final = "OTEL_PYTHON_LOG_CODE_ATTRIBUTES"
HANDLER_LEVEL: Final = "OTEL_PYTHON_LOG_HANDLER_LEVEL"
DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"

_LEVELS: Final = {
    "notset": logging.NOTSET,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class _Tap:
    """The bridge of this process, if there is one, and the method that ours stands in front of, if it is placed.

    ``original`` is never taken back: another thread may be on its way to it.
    """

    bridge: Bridge | None = None
    console: Console | None = None
    original: Any = logging.Logger.callHandlers
    placed = False


def install(
    provider: LoggerProvider | None,
    *,
    content: bool = False,
    lines: Lines | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send the program's log records to ``provider``; None when logs are off.  Called again, the last call holds.

    With ``lines`` they are written as JSON lines, too, in place of what the program prints of them.  ``content`` says
    whether prompts and answers may leave this process; without it, what is logged at DEBUG in the middle of a model
    call is not sent.
    """
    uninstall()
    if lines is not None:
        _Tap.console = Console(lines)
        print_by(lines)
        _place()
    disabled = {name.strip() for name in environ.get(DISABLED, "").split(",")}
    if not disabled.isdisjoint({"logging", "*"}):
        return
    if _is_true(environ, CORRELATION, default=False):
        _correlate()
    if provider is None or not _is_true(environ, AUTO_INSTRUMENTATION, default=True):
        return
    _Tap.bridge = Bridge(
        provider,
        level=_level(environ.get(HANDLER_LEVEL, "")),
        code=_is_true(environ, CODE_ATTRIBUTES, default=False),
        content=content,
    )
    _place()


def uninstall() -> None:
    """Send no more records; the program's own logging goes on as it was."""
    bridge, _Tap.bridge = _Tap.bridge, None
    if bridge is not None:
        bridge.close()
    console, _Tap.console = _Tap.console, None
    if console is not None:
        console.close()
        print_by(None)
    # Where somebody has wrapped our method since, it stays in his chain and only passes on.
    if logging.Logger.callHandlers is _call_handlers:
        logging.Logger.callHandlers = _Tap.original
        _Tap.placed = False


def active() -> Bridge | None:
    """The bridge of this process."""
    return _Tap.bridge


def _place() -> None:
    if not _Tap.placed:
        _Tap.original = logging.Logger.callHandlers
        _Tap.placed = True
        logging.Logger.callHandlers = _call_handlers


def _call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
    bridge = _Tap.bridge
    if bridge is not None:
        bridge.take(record, self)
    console = _Tap.console
    if console is not None:
        console.hand_on(self, record, _Tap.original)
    else:
        _Tap.original(self, record)


def _correlate() -> None:
    """The standard instrumentor's part: ``otelTraceID`` and the like on every record, and a format that shows them."""
    try:
        from opentelemetry.instrumentation.logging import LoggingInstrumentor
    except ImportError:
        fence.warn(f"{CORRELATION} needs the package opentelemetry-instrumentation-logging")
        return
    with fence.contain("logs"):
        instrumentor = LoggingInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(skip_dep_check=True, enable_log_auto_instrumentation=False)


def _is_true(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    return text == "true" if text else default


def _level(text: str) -> int:
    level = _LEVELS.get(text.strip().lower() or "notset")
    if level is None:
        fence.warn(f"{HANDLER_LEVEL} is {text!r}; allowed are {', '.join(_LEVELS)}; every record is sent")
        return logging.NOTSET
    return level
