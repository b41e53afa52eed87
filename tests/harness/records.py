"""Log records as a logger provider gets them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
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
def bridged(
    *, content: bool = False, environ: Mapping[str, str] | None = None
) -> Generator[Kept, None, None]:
    """The program's log records come here; `environ` stands for the environment, which is empty."""
    kept = Kept()
    logs.install(provider_of(kept), content=content, environ=environ or {})
    try:
        yield kept
    finally:
        logs.uninstall()
