"""structlog and loguru print JSON lines as well, where the program leaves them as they come.

What a program configures itself stays as it configured it: it says what is printed and where.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from types import ModuleType
from typing import Any, Final

from genai_otel import imports
from genai_otel.logs import record as said
from genai_otel.logs.lines import Lines, json_line


class _Printing:
    """Where lines go, if anywhere, and what was done to print them."""

    lines: Lines | None = None
    loguru_sink: int | None = None
    structlog: Any = None


class _Thread(threading.local):
    loguru_wrote = False


THREAD: Final = _Thread()
"""What loguru wrote in this thread since somebody set it back: records go from and to the standard library."""


def print_by(lines: Lines | None) -> None:
    """Print by ``lines`` from now on, also in libraries that are imported later; None: as they come."""
    _Printing.lines = lines
    if lines is None:
        _take_back()
    else:
        imports.when_imported("structlog", _cover_structlog)
        imports.when_imported("loguru", _cover_loguru)


def prints_loguru() -> bool:
    """Whether loguru's records are printed here."""
    return _Printing.loguru_sink is not None


# --- structlog -----------------------------------------------------------------------------------


def structlog_json(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """A structlog processor that renders: the line that the standard library's records have, as the last processor."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    fields = {name: said.value_of(value) for name, value in event.items()}
    lines = _Printing.lines
    return json_line(
        str(fields.pop("event", "")),
        time=time.time(),
        level=str(fields.pop("level", method)),
        logger=str(fields.pop("logger", "structlog")),
        service=lines.service if lines is not None else None,
        more=fields | said.exception(info if isinstance(info, tuple) else None),
    )


def _cover_structlog(module: ModuleType) -> None:
    structlog: Any = module
    if _Printing.lines is None or structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.dev.set_exc_info,
            structlog_json,
        ]
    )
    _Printing.structlog = structlog


# --- loguru --------------------------------------------------------------------------------------


def _cover_loguru(module: ModuleType) -> None:
    logger: Any = module.logger
    if _Printing.lines is None or _Printing.loguru_sink is not None:
        return
    try:
        logger.remove(0)  # the sink that is there from the start
    except ValueError:
        return  # the program chose its own
    _Printing.loguru_sink = logger.add(_write, level=os.environ.get("LOGURU_LEVEL", "DEBUG"), format="")


def _write(message: Any) -> None:
    lines, record = _Printing.lines, message.record
    if lines is None:
        return
    THREAD.loguru_wrote = True
    lines.write(
        record["message"],
        time=record["time"].timestamp(),
        level=record["level"].name,
        logger=record["name"] or "",
        more=_more(record),
    )


def _more(record: Mapping[str, Any]) -> dict[str, Any]:
    error = record["exception"]
    info = (error.type, error.value, error.traceback) if error else None
    return {name: said.value_of(value) for name, value in record["extra"].items()} | said.exception(info)


def _take_back() -> None:
    sink, _Printing.loguru_sink = _Printing.loguru_sink, None
    if sink is not None:
        logger: Any = sys.modules["loguru"].logger
        try:
            logger.remove(sink)
            logger.add(sys.stderr)
        except ValueError:
            pass  # the program has removed it
    structlog, _Printing.structlog = _Printing.structlog, None
    if structlog is not None and structlog_json in structlog.get_config()["processors"]:
        structlog.reset_defaults()
