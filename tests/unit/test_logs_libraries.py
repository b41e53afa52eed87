"""structlog and loguru: the ids of the span in their lines, and their records as log records."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import loguru
import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from genai_otel import logs
from tests.harness.records import bridged


@pytest.fixture(name="tracer")
def _tracer() -> trace.Tracer:
    return TracerProvider(shutdown_on_exit=False).get_tracer("test")


def unpatched(_record: object) -> None:
    """loguru cannot take a patcher back; this one does nothing."""


@pytest.fixture(name="log")
def _log() -> Iterator[Any]:
    log: Any = loguru.logger
    log.remove()
    yield log
    log.remove()
    log.configure(patcher=unpatched)


@pytest.mark.seed_rows("001-37", "002-22")
def test_structlog_says_the_ids_of_the_span(tracer: trace.Tracer) -> None:
    printed: Any = structlog.testing.CapturingLogger()
    log = structlog.wrap_logger(
        printed, processors=[logs.structlog_processor, structlog.processors.JSONRenderer(sort_keys=True)]
    )
    with tracer.start_as_current_span("s") as span:
        log.info("inside")
    log.info("outside")
    inside, outside = (call.args[0] for call in printed.calls)
    assert f'"trace_id": "{span.get_span_context().trace_id:032x}"' in inside
    assert f'"span_id": "{span.get_span_context().span_id:016x}"' in inside
    assert "trace_id" not in outside


def test_structlog_on_the_stdlib_leaves_as_a_log_record(tracer: trace.Tracer) -> None:
    log = structlog.wrap_logger(
        logging.getLogger("app.structlog"), processors=[structlog.stdlib.render_to_log_kwargs]
    )
    with bridged() as kept, tracer.start_as_current_span("s") as span:
        log.error("paid", order=7)
    sent = kept.only()
    assert sent.body == "paid"
    assert sent.attributes["order"] == 7
    assert sent.trace_id == span.get_span_context().trace_id


@pytest.mark.seed_rows("001-02")
def test_loguru_says_the_ids_of_the_span(log: Any, tracer: trace.Tracer) -> None:
    printed: list[str] = []
    log.configure(patcher=logs.loguru_patcher)
    log.add(printed.append, format="{extra[trace_id]}/{extra[span_id]} {message}")
    with tracer.start_as_current_span("s") as span:
        log.info("inside")
    log.info("outside")
    context = span.get_span_context()
    assert [line.rstrip() for line in printed] == [
        f"{context.trace_id:032x}/{context.span_id:016x} inside",
        "/ outside",
    ]


@pytest.mark.seed_rows("001-02")
def test_loguru_leaves_as_log_records(log: Any, tracer: trace.Tracer) -> None:
    log.configure(patcher=logs.loguru_patcher)
    log.add(logs.loguru_sink, level="DEBUG")
    with bridged() as kept, tracer.start_as_current_span("s") as span:
        try:
            raise LookupError("no such order")
        except LookupError:
            log.bind(order=7).exception("failed {}", "here")
    sent = kept.only()
    assert sent.body == "failed here"
    assert sent.severity_text == "ERROR"
    assert sent.trace_id == span.get_span_context().trace_id
    assert sent.attributes["order"] == 7
    assert sent.attributes["exception.message"] == "no such order"
    assert "test_loguru_leaves_as_log_records" in sent.attributes["exception.stacktrace"]
    assert "trace_id" not in sent.attributes
    assert kept.records[0].instrumentation_scope.name == __name__


def test_loguru_follows_level_and_switches_of_the_bridge(log: Any) -> None:
    log.add(logs.loguru_sink, catch=False)
    log.info("nobody listens")
    with bridged(environ={"OTEL_PYTHON_LOG_HANDLER_LEVEL": "error"}) as kept:
        log.info("too low")
        log.error("high enough")
    assert kept.bodies == ["high enough"]
