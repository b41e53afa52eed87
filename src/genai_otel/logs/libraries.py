"""structlog and loguru, without importing them: the ids of the current span, and loguru's records as log records."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from genai_otel import fence
from genai_otel.logs.install import active
from genai_otel.logs.lines import ids


def structlog_processor(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor that adds ``trace_id`` and ``span_id``; it belongs before the renderer.

    With structlog's stdlib logger factory the records leave as OTLP log records, too.
    """
    event.update(ids())
    return event


def loguru_patcher(record: Mapping[str, Any]) -> None:
    """A loguru patcher that adds ``trace_id`` and ``span_id`` to the record's ``extra``.

    ``logger.configure(patcher=loguru_patcher)``; in a format: ``{extra[trace_id]}``.  Outside a span both are "".
    """
    record["extra"].update(ids() or {"trace_id": "", "span_id": ""})  # a format names them always


def loguru_sink(message: Any) -> None:
    """A loguru sink that sends records as OTLP log records, beside whatever else loguru does with them.

    ``logger.add(loguru_sink)``, without ``enqueue``: that would run it in a thread that knows no span.
    """
    bridge = active()
    if bridge is not None:
        with fence.contain("logs"):
            bridge.take(_from_loguru(message.record))


def _from_loguru(said: Mapping[str, Any]) -> logging.LogRecord:
    error = said["exception"]
    record = logging.LogRecord(
        said["name"] or "",
        said["level"].no,
        said["file"].path,
        said["line"],
        said["message"],
        (),
        (error.type, error.value, error.traceback) if error else None,
        said["function"],
    )
    record.levelname = said["level"].name
    record.created = said["time"].timestamp()
    for name, value in said["extra"].items():
        if name not in {"trace_id", "span_id"}:  # the log record has them, from the context
            vars(record).setdefault(name, value)
    return record
