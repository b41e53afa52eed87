"""The LoggerProvider, and the bridge from the program's loggers to it."""

from __future__ import annotations

from typing import Any

from opentelemetry import _logs  # the signal's API has no public name yet

from genai_otel.guard import LogGuard
from genai_otel.runtime.providers import Built, is_unset


def build_logs(built: Built) -> None:
    """Send log records where the standard variables say; nothing is set up where they say nothing."""
    built.logger_provider = _provider(built)
    from genai_otel import logs

    service = str(built.resource.attributes.get("service.name", ""))
    logs.install(
        built.logger_provider,
        content=built.config.content_on_events,
        lines=logs.Lines(service) if built.config.json_logs else None,
        environ=built.asked.environ,
    )


def _provider(built: Built) -> Any:
    existing = built.asked.logger_provider or _logs.get_logger_provider()
    if not is_unset(existing):
        return existing
    made = [*built.make("logs"), *built.asked.log_exporters]
    if not made:
        return None
    from opentelemetry.sdk._logs import LoggerProvider

    from genai_otel.processing.log_queue import LogBatch

    provider = LoggerProvider(built.resource, shutdown_on_exit=False)
    for exporter in made:
        guarded: Any = LogGuard(
            exporter,
            content_on_events=built.config.content_on_events,
            span_bytes=built.config.span_bytes,
            batch_bytes=built.config.batch_bytes,
        )
        provider.add_log_record_processor(LogBatch(guarded))
    _logs.set_logger_provider(provider)
    built.owned.append(provider)
    return provider
