"""The one place that catches and counts our own errors, and the counters about ourselves.

Nothing that goes wrong inside genai-otel may reach the user's program: code of ours runs inside :func:`contain`
or hands its exception to :func:`report`.  Only ``Exception`` is caught; ``KeyboardInterrupt``, ``SystemExit`` and
``CancelledError`` belong to the user.  In strict mode (``GENAI_OTEL_STRICT=1``, always on in our tests) the error
is raised, so that a contained error can never hide a bug there.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping

from opentelemetry.context import attach, detach, set_value

from genai_otel.context_keys import SUPPRESS_KEY

_logger = logging.getLogger("genai_otel")
_REPEAT_SECONDS = 60.0
_MAX_CAUSES = 256
_MAX_MESSAGES = 1024

_errors: dict[str, int] = {}
_drops: dict[tuple[str, str], int] = {}
_last_logged: dict[tuple[str, str], float] = {}
_said: set[str] = set()

EXPORT_FAILED = "export_failed"
"""The reason of a drop that is the back end's, not ours."""

strict: bool = os.environ.get("GENAI_OTEL_STRICT", "").strip().lower() in {"1", "true"}


class contain:  # noqa: N801 - used like a function; a class, because it costs a third of a generator
    """Run our own code; an ``Exception`` inside is counted under ``component`` and goes no further."""

    __slots__ = ("_component",)

    def __init__(self, component: str) -> None:
        self._component = component

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        report(self._component, error)
        return True


def report(component: str, error: Exception) -> None:
    """Count an error of ours and log it once per cause and minute; raises it in strict mode."""
    _errors[component] = _errors.get(component, 0) + 1
    if strict:
        raise error
    cause = (component, type(error).__qualname__)
    now = time.monotonic()
    if now - _last_logged.get(cause, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
        return
    if len(_last_logged) >= _MAX_CAUSES:
        _last_logged.clear()
    _last_logged[cause] = now
    # The message of the exception may hold what the user sent, so only its class and place are logged.
    _log(
        logging.WARNING,
        f"internal error in {component}: {cause[1]} at {_place(error)}; the call was not affected",
    )


def dropped(signal: str, reason: str, count: int = 1) -> None:
    """Count telemetry that was lost: ``signal`` is spans, metrics or logs, ``reason`` a fixed word."""
    if count > 0:
        key = (signal, reason)
        _drops[key] = _drops.get(key, 0) + count


def warn(message: str) -> None:
    """Tell the user one thing that he should know, once."""
    _say(logging.WARNING, message)


def info(message: str) -> None:
    """Tell the user one fact, once, at a level that is silent by default."""
    _say(logging.INFO, message)


def debug(message: str) -> None:
    """Tell whoever looks for the reason one fact, once."""
    _say(logging.DEBUG, message)


def errors() -> Mapping[str, int]:
    """Errors of ours so far, by component."""
    return dict(_errors)


def drops() -> Mapping[tuple[str, str], int]:
    """Telemetry lost so far, by (signal, reason)."""
    return dict(_drops)


def reset() -> None:
    """Start counting anew; a forked child must not report its parent's counts."""
    _errors.clear()
    _drops.clear()


def _say(level: int, message: str) -> None:
    if message not in _said and len(_said) < _MAX_MESSAGES:
        _said.add(message)
        _log(level, message)


def _log(level: int, message: str) -> None:
    token = attach(set_value(SUPPRESS_KEY, True))
    try:
        _logger.log(level, "genai-otel: %s", message)
    finally:
        detach(token)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
