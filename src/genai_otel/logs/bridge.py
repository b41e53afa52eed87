"""From a stdlib log record to an OpenTelemetry log record, in the shape of the standard logging instrumentation."""

from __future__ import annotations

import functools
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import get_current

from genai_otel import fence, safe
from genai_otel.context_keys import DESTINATION_KEY, SUPPRESS_KEY
from genai_otel.logs import record as said

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider

# A record of ours or of the SDK says that telemetry has trouble; sending it would make more of it.
_TELEMETRY: Final = frozenset({"opentelemetry", "genai_otel"})
_SEVERITY_TEXT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
# An extra of one of these names is the name of an event; the second is deprecated.
_EVENT_NAMES: Final = ("otel.event.name", "event.name")


class Bridge:
    """Hands the program's log records to a logger provider.

    ``level`` is the lowest level that is sent, ``code`` adds the place in the source, ``content`` says whether what
    is logged in the middle of a model call may leave at DEBUG: model clients log whole requests there.
    """

    def __init__(self, provider: LoggerProvider, *, level: int, code: bool, content: bool) -> None:
        self._provider = provider
        self._level = level
        self._code = code
        self._content = content

    def take(self, record: logging.LogRecord, logger: logging.Logger | None = None) -> None:
        """Send the record, unless it is not wanted; never raises."""
        if record.levelno < self._level or not self.wants(record):
            return
        with fence.contain("logs"):
            if logger is None or (_reaches_root(logger) and not self._stands_back()):
                self._send(record)

    def wants(self, record: logging.LogRecord) -> bool:
        """Whether the record is the program's own, no consequence of sending telemetry, and free to go."""
        if record.name.partition(".")[0] in _TELEMETRY:
            return False
        context = get_current()
        if context.get(SUPPRESS_KEY):  # set in the threads that export
            return False
        return self._content or record.levelno >= logging.INFO or DESTINATION_KEY not in context

    def close(self) -> None:
        """Take back what was added to the handlers of others."""
        for handler in logging.root.handlers:
            handler.removeFilter(self.wants)

    def _stands_back(self) -> bool:
        """Whether a standard handler on the root logger feeds the same provider; it gets our filter then."""
        for handler in logging.root.handlers:
            theirs: Any = getattr(handler, "_logger_provider", None)  # it has no public name
            # Compared by what they give, because theirs may be the API's proxy of ours.
            if theirs is not None and theirs.get_logger(__name__) is self._provider.get_logger(__name__):
                handler.addFilter(self.wants)  # does nothing the second time
                return True
        return False

    def _send(self, record: logging.LogRecord) -> None:
        attributes = _attributes(record, code=self._code)
        names = [attributes.pop(key, None) for key in _EVENT_NAMES]
        self._provider.get_logger(record.name).emit(
            timestamp=int(record.created * 1e9),
            observed_timestamp=time.time_ns(),
            context=get_current(),
            severity_number=_severity(record.levelno),
            severity_text=_SEVERITY_TEXT.get(record.levelname, record.levelname),
            body=safe.utf8(said.message(record)),
            attributes=attributes,
            event_name=next((name for name in names if isinstance(name, str)), None),
        )


def _reaches_root(logger: logging.Logger) -> bool:
    while logger.parent is not None:
        if not logger.propagate:
            return False
        logger = logger.parent
    return True


def _attributes(record: logging.LogRecord, *, code: bool) -> dict[str, Any]:
    found = said.extras(record)
    if code:
        found["code.file.path"] = record.pathname
        found["code.function.name"] = record.funcName
        found["code.line.number"] = record.lineno
    return found | said.exception(record.exc_info)


@functools.cache
def _severity(level: int) -> SeverityNumber:
    """DEBUG, INFO, WARN, ERROR and FATAL begin at 5, 9, 13, 17 and 21, with four steps each."""
    if level < logging.DEBUG:
        return SeverityNumber.UNSPECIFIED
    tens, ones = divmod(min(level, 53), 10)
    return SeverityNumber(1 + 4 * tens + min(ones, 3))
