"""Results of evaluations, as they were recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from genai_otel.testing.in_memory import Point, Telemetry

RESULTS, SCORES = "genai_otel.evaluation.results", "genai_otel.evaluation.score"
NAME, LABEL = "gen_ai.evaluation.name", "gen_ai.evaluation.score.label"


def events(telemetry: Telemetry) -> list[Any]:
    """The results as log records."""
    return [
        each.log_record
        for each in telemetry.logs()
        if each.log_record.event_name == "gen_ai.evaluation.result"
    ]


def ids(span: ReadableSpan) -> SpanContext:
    """Trace and span id of an ended span."""
    assert span.context is not None
    return span.context


def point(telemetry: Telemetry, metric: str, name: str) -> Point:
    """The only series of ``metric`` about the evaluation ``name``."""
    (found,) = [each for each in telemetry.metrics()[metric] if each.attributes[NAME] == name]
    return found


@contextlib.contextmanager
def span(name: str = "POST /feedback") -> Generator[trace.Span]:
    """A span of the program's own, such as that of a request."""
    with trace.get_tracer("a program").start_as_current_span(name) as current:
        yield current
