"""Where log records wait for an exporter: the SDK's batch processor, and a count of what was lost."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk._logs import ReadWriteLogRecord  # the signal has no public name yet
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

from genai_otel import fence


class LogBatch(BatchLogRecordProcessor):
    """The SDK's batch processor, which drops the oldest record of a full queue; this one counts them."""

    def __init__(self, exporter: Any) -> None:
        super().__init__(exporter)
        # The queue has no public name; without it drops are only in the SDK's own warning.
        self._waiting: Any = getattr(getattr(self, "_batch_processor", None), "_queue", ())
        self._capacity: int = getattr(self._waiting, "maxlen", None) or 1 << 62

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a record."""
        if len(self._waiting) >= self._capacity:
            fence.dropped("logs", "queue_full")
        super().on_emit(log_record)
