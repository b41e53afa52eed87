"""Lets recorded spans happen again, through our pipeline, with a provider of ours or of the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, set_span_in_context

from genai_otel.guard import Guard
from genai_otel.metrics import COST, COST_UNPRICED, LABELS
from genai_otel.prices import books
from genai_otel.prices.pricer import Pricer
from genai_otel.processing.measure import Reading, client, measured
from genai_otel.processing.processor import Pipeline, apply_changes
from genai_otel.processing.queue import Immediate
from genai_otel.processing.sampler import MeasuringSampler
from genai_otel.processing.series import labels
from tests.golden.recipes.recipe import SAID
from tests.harness.guarding import Kept

SPANS: Final = Path(__file__).parent / "spans"
_TICK: Final = 1_000_000  # nanoseconds between two things that happen
_PRICER: Final = Pricer(books)
_START: Final = 1_767_225_600_000_000_000

Recorded = Mapping[str, Any]
Series = tuple[str, frozenset[tuple[str, Any]]]


@cache
def golden(name: str) -> Mapping[str, Sequence[Recorded]]:
    """The recorded spans of a package, by call."""
    return json.loads((SPANS / f"{name}.json").read_text(encoding="utf-8"))["calls"]


def saying(name: str, text: str) -> Mapping[str, Sequence[Recorded]]:
    """The same with another text in place of what was said."""
    recorded = json.dumps(golden(name)).replace(SAID, json.dumps(text)[1:-1])
    return json.loads(recorded)


@dataclass
class Replayed:
    """What left, and what was measured: count and sum by series, of durations the count alone."""

    spans: list[ReadableSpan] = field(default_factory=list[ReadableSpan])
    measured: dict[Series, tuple[int, float]] = field(default_factory=dict[Series, tuple[int, float]])
    steps: dict[Series, tuple[int, float]] = field(default_factory=dict[Series, tuple[int, float]])
    """The same of agents, tools and workflows, which have labels of their own."""

    def record(self, reading: Reading, context: SpanContext) -> None:
        assert context.is_valid  # exemplars
        for value, (instrument, identity, extra) in measured(reading):
            key = (instrument.name, frozenset(labels((instrument, identity, extra)).items()))
            of_a_call = instrument.labels is LABELS or instrument in (COST, COST_UNPRICED)
            measured_of = self.measured if of_a_call else self.steps
            count, total = measured_of.get(key, (0, 0))
            measured_of[key] = (count + 1, total + (value if instrument.unit != "s" else 0))

    @property
    def owning(self) -> ReadableSpan:
        """The only span that counts."""
        (span,) = [span for span in self.spans if (span.attributes or {}).get("genai_otel.measured")]
        return span


class _Wrapped(SpanExporter):
    """As `genai_otel.pipeline(exporter)`, with a pipeline of its own."""

    def __init__(self, pipeline: Pipeline, exporter: SpanExporter) -> None:
        self._pipeline, self._exporter = pipeline, exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([apply_changes(self._pipeline, span) for span in spans])


def replayed(
    spans: Sequence[Recorded],
    *,
    beside: bool = False,
    keep: bool = True,
    content: bool = False,
    sampled: bool = True,
) -> Replayed:
    """Start and end the spans as they were started and ended."""
    seen = Replayed()
    kept = Kept()
    guard = Guard(kept, content_on_spans=content)
    measure = client(pricer=_PRICER)
    sampler = MeasuringSampler(ALWAYS_ON if sampled else ALWAYS_OFF)
    if beside:
        pipeline = Pipeline(measure, seen, beside=True, keep_attributes=keep)
        provider = _provider(sampler)
        provider.add_span_processor(pipeline)
        provider.add_span_processor(SimpleSpanProcessor(_Wrapped(pipeline, guard)))
    else:
        pipeline = Pipeline(measure, seen, [Immediate(guard)], keep_attributes=keep)
        provider = _provider(sampler, active_span_processor=pipeline)
    happen(provider, spans)
    seen.spans = kept.spans
    return seen


def _provider(sampler: Sampler, **options: Any) -> TracerProvider:
    return TracerProvider(sampler=sampler, resource=Resource({}), shutdown_on_exit=False, **options)


def happen(provider: TracerProvider, spans: Sequence[Recorded]) -> None:
    moments = {span["began"]: span for span in spans} | {span["ended"]: span for span in spans}
    live: dict[int, Any] = {}
    for moment in sorted(moments):
        span = moments[moment]
        if moment == span["began"]:
            parent = live.get(span.get("parent", 0))
            live[moment] = provider.get_tracer(span["scope"]).start_span(
                span["name"],
                context=None if parent is None else set_span_in_context(parent),
                kind=SpanKind[span["kind"]],
                attributes=span["start"],
                start_time=_START + moment * _TICK,
            )
            continue
        living = live[span["began"]]
        began = span["start"]
        living.set_attributes(
            {name: value for name, value in span["end"].items() if began.get(name) != value}
        )
        for event in span["events"]:
            living.add_event(event["name"], event["attributes"], _START + moment * _TICK - _TICK // 2)
        living.set_status(Status(StatusCode[span["status"]], span.get("description")))
        living.end(_START + moment * _TICK)
