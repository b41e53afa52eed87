"""Log records as a logger provider gets them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor

from genai_otel import logs


class Kept(LogRecordProcessor):
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def on_emit(self, log_record: Any) -> None:
        self.records.append(log_record)

    def shutdown(self) -> None:
        self.records.clear()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True

    @property
    def bodies(self) -> list[object]:
        return [record.log_record.body for record in self.records]

    def only(self) -> Any:
        assert len(self.records) == 1, self.bodies
        return self.records[0].log_record


def provider_of(*processors: LogRecordProcessor) -> LoggerProvider:
    provider = LoggerProvider(shutdown_on_exit=False)
    for processor in processors:
        provider.add_log_record_processor(processor)
    return provider


@contextmanager
def bridged(**keywords: Any) -> Generator[Kept, None, None]:
    """The program's log records come here; keywords as for `logs.install`, without this process's environment."""
    kept = Kept()
    logs.install(provider_of(kept), **{"environ": {}, **keywords})
    try:
        yield kept
    finally:
        logs.uninstall()
