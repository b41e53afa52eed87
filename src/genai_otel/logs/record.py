"""What a log record of the standard library says, as plain values: for OTLP and for JSON lines alike."""

from __future__ import annotations

import logging
import traceback
from typing import Any, Final

from genai_otel import safe

_EXTRA_BYTES: Final = 4096
# What every record has, and what the standard instrumentor adds to a record (the log record says it anyway).
_RESERVED: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "asctime",
    "message",
    "taskName",
    "otelServiceName",
    "otelSpanID",
    "otelTraceID",
    "otelTraceSampled",
}
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"


def message(record: logging.LogRecord) -> str:
    """The record's text, or its unformatted one where the arguments do not fit."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError, AttributeError):
        return record.msg if type(record.msg) is str else type(record.msg).__name__


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the program gave as ``extra``, as values that an attribute can have, bounded."""
    return {name: value_of(value) for name, value in vars(record).items() if name not in _RESERVED}


def exception(info: Any) -> dict[str, str]:
    """Type, message and stack trace of ``exc_info``, by the convention's names; nothing where there is none."""
    kind, error, trace = info or (None, None, None)
    if kind is None or error is None:
        return {}
    # Its own text may raise; this class's does not.
    told = traceback.TracebackException(kind, error, trace)
    return {
        EXCEPTION_TYPE: kind.__name__,
        EXCEPTION_MESSAGE: safe.utf8(str(told)),
        EXCEPTION_STACKTRACE: safe.utf8("".join(told.format())),
    }


def value_of(value: object) -> Any:
    """A bounded, harmless copy of a value that a program logs."""
    clean = safe.attribute(value)
    return clean if clean is not None or value is None else safe.plain(value, budget=_EXTRA_BYTES)
