"""JSON lines on standard output: one object a log record, with the ids of the span in which it was logged."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from genai_otel import safe
from genai_otel.logs import record as said

_LINE_BYTES: Final = 65_536


def ids() -> dict[str, str]:
    """``trace_id`` and ``span_id`` of the current span in hex; nothing outside of one."""
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}


def json_line(
    event: str, *, time: float, level: str, logger: str, service: str | None, more: Mapping[str, Any]
) -> str:
    """One line: ``time`` (seconds since the epoch) as RFC 3339 in UTC, level, event, ids, service, and ``more``.

    An event that is a JSON object already, as structlog's renderer makes them, is not put into a text once again: its
    fields stand beside the others.
    """
    stamp = dt.datetime.fromtimestamp(time, dt.timezone.utc).isoformat(timespec="microseconds")
    fields: dict[str, Any] = {
        "time": stamp.replace("+00:00", "Z"),
        "level": level.lower(),
        "event": event,
        **ids(),
        **({} if service is None else {"service": service}),
        "logger": logger,
        **_own(event),
    }
    # Nobody's extra hides one of ours.
    return safe.json_text({**fields, **more, **fields}, value_bytes=_LINE_BYTES)


def _own(event: str) -> dict[str, Any]:
    if event[:1] != "{" or len(event) > _LINE_BYTES:
        return {}
    try:
        found = json.loads(event)
    except ValueError:
        return {}
    if type(found.get("event")) is not str:
        return {}  # somebody's data
    found.pop("timestamp", None)  # `time` says it
    return found


class Lines(logging.Handler):
    """Writes to what ``sys.stdout`` is at the time; ``service`` is the name that every line tells."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(
                said.message(record),
                time=record.created,
                level=record.levelname,
                logger=record.name,
                more=said.extras(record) | said.exception(record.exc_info),
            )
        except Exception:  # noqa: BLE001 - what every handler of the standard library does
            self.handleError(record)

    def write(self, event: str, *, time: float, level: str, logger: str, more: Mapping[str, Any]) -> None:
        """Write one line."""
        out = sys.stdout
        if out is not None:  # pyright: ignore[reportUnnecessaryComparison] - so it is without a console
            line = json_line(event, time=time, level=level, logger=logger, service=self.service, more=more)
            self.acquire()
            try:
                out.write(line + "\n")
                out.flush()
            finally:
                self.release()
