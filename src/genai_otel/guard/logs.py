"""The last look at log records before they leave: secrets, the content policy, byte budgets."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import attributes as api_attributes
from opentelemetry.attributes import BoundedAttributes

from genai_otel import fence
from genai_otel.guard import content
from genai_otel.guard.budget import fit, size_of, size_of_all
from genai_otel.guard.clean import Cleaner
from genai_otel.guard.parts import BATCH_BYTES, SPAN_BYTES, parts
from genai_otel.safe import REDACTED, cut

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExporter

# Identifiers, times and severity of a record in protobuf.
_RECORD_OVERHEAD: Final = 64
_INFO: Final = 9  # SeverityNumber.INFO
# In older versions attributes are those of spans, which have no mappings, unless it is said.
_WITH_MAPPINGS: Final = (True,) if hasattr(api_attributes, "_clean_extended_attribute") else ()
# A shorter message of an exception could be any word of the record's own.
_SHORTEST_QUOTE: Final = 8


class LogGuard:
    """Wraps ``exporter`` like :class:`genai_otel.guard.Guard`, for log records.

    It has the methods of a ``LogRecordExporter`` without being one: that class has no public name yet.
    """

    def __init__(
        self,
        exporter: LogRecordExporter,
        *,
        content_on_events: bool = False,
        span_bytes: int = SPAN_BYTES,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self.exporter = exporter
        self._record_bytes = span_bytes
        self._batch_bytes = batch_bytes
        self._cleaner = Cleaner(with_content=content_on_events, room=span_bytes)

    def export(self, batch: Sequence[ReadableLogRecord]) -> Any:
        """Export ``batch`` as it may leave; a failure of any part is the result."""
        sized: list[tuple[ReadableLogRecord, int]] = []
        for record in batch:
            before = len(sized)
            with fence.contain("guard.logs"):
                sized.append(self._cleaned(record))
            if len(sized) == before:
                fence.dropped("logs", "unreadable")
        results = [self._exported(part) for part in parts(sized, self._batch_bytes)]
        return next(
            (result for result in results if getattr(result, "name", "") != "SUCCESS"),
            results[0] if results else None,
        )

    def _exported(self, part: Sequence[ReadableLogRecord]) -> Any:
        result = None
        try:
            result = self.exporter.export(part)
        finally:
            if getattr(result, "name", "") != "SUCCESS":
                fence.dropped("logs", fence.EXPORT_FAILED, len(part))
        return result

    def shutdown(self) -> None:
        """Shut the wrapped exporter down."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the wrapped exporter."""
        return self.exporter.force_flush(timeout_millis)

    def _cleaned(self, record: ReadableLogRecord) -> tuple[ReadableLogRecord, int]:
        log = record.log_record
        attributes: dict[str, Any] = dict(log.attributes or {})
        quotes = not self._cleaner.with_content and (
            content.is_genai(attributes) or content.quotes(attributes)
        )
        cleaned = self._cleaner.exception(attributes, quotes=quotes)
        body = self._body(record, attributes, quotes=quotes)
        kept = attributes if cleaned is None else cleaned
        size = _RECORD_OVERHEAD + size_of_all(kept) + size_of(body)
        if size > self._record_bytes:
            if size_of(body) > self._record_bytes // 2:
                body = cut(body, self._record_bytes // 2) if type(body) is str else None
            kept = cleaned = fit(kept, self._record_bytes - _RECORD_OVERHEAD - size_of(body))
            size = _RECORD_OVERHEAD + size_of_all(kept) + size_of(body)
        if cleaned is None and body is log.body:
            return record, size
        changed = copy.copy(log)
        changed.body = body
        if cleaned is not None:
            changed.attributes = _bounded(cleaned, record.dropped_attributes)
        return dataclasses.replace(record, log_record=changed), size

    def _body(self, record: ReadableLogRecord, attributes: dict[str, Any], *, quotes: bool) -> Any:
        log = record.log_record
        if log.body is None:
            return None
        if not self._cleaner.with_content:
            if content.is_content(log.event_name or ""):
                return None
            scope = record.instrumentation_scope
            severity = log.severity_number
            if (
                scope is not None
                and severity is not None
                and severity.value < _INFO
                and content.is_client(scope.name)
            ):
                return REDACTED  # debug lines of clients quote whole requests
            if quotes and type(log.body) is str:
                return self._cleaner.value(_unquoted(log.body, attributes))
        return self._cleaner.value(log.body)


def _unquoted(body: str, attributes: dict[str, Any]) -> str:
    """The body without the message of its exception: ``logger.exception("failed: %s", error)`` quotes it."""
    message = attributes.get(content.EXCEPTION_MESSAGE)
    if type(message) is str and len(message) >= _SHORTEST_QUOTE:
        return body.replace(message, str(attributes.get(content.EXCEPTION_TYPE, REDACTED)))
    return body


def _bounded(attributes: dict[str, Any], dropped: int) -> Mapping[str, Any]:
    """What the SDK knows how many were dropped of; where none was, a dictionary says as much."""
    if not dropped:
        return attributes
    bounded: Any = BoundedAttributes(None, attributes, False, None, *_WITH_MAPPINGS)
    bounded.dropped = dropped
    return bounded
