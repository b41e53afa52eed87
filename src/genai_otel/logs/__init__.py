"""Correlation: the program's log records leave as OTLP log records of the span in which they were logged."""

from genai_otel.logs.install import install, uninstall
from genai_otel.logs.libraries import loguru_patcher, loguru_sink, structlog_processor
from genai_otel.logs.lines import Lines
from genai_otel.logs.others import structlog_json

__all__ = [
    "Lines",
    "install",
    "loguru_patcher",
    "loguru_sink",
    "structlog_json",
    "structlog_processor",
    "uninstall",
]
