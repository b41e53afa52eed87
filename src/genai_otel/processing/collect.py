"""Hands our own series to the metric readers of a MeterProvider that we made.

A reader asks its provider through one callback, which the provider sets when it takes the reader.  We put ours around
it: the SDK's metrics first, then our series as public point classes, in the reader's own temporality.  That is the
one place where every kind of reader (periodic, Prometheus, in memory) passes, and the reader's own class stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.metrics import Counter, Exemplar, Histogram
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricReader,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramPoints
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from genai_otel.metrics import Instrument
from genai_otel.processing.series import Series, SeriesSink, Snapshot


def attach(
    reader: MetricReader, sink: SeriesSink, scope: InstrumentationScope, resource: Callable[[], Resource]
) -> None:
    """Let ``reader`` receive the series of ``sink`` beside what its MeterProvider gives it."""
    inner: Any = reader  # the callback and the temporality have no public names; a test guards them
    if inner._collect is not None:  # noqa: SLF001
        inner._set_collect_callback(_Collection(inner._collect, sink, scope, resource))  # noqa: SLF001


class _Collection:
    """What one reader collects, with what it has been given before where it wants deltas."""

    def __init__(
        self,
        collect: Callable[..., Any],
        sink: SeriesSink,
        scope: InstrumentationScope,
        resource: Callable[[], Resource],
    ) -> None:
        self._collect = collect
        self._sink = sink
        self._scope = scope
        self._resource = resource
        self._given: dict[Series, Snapshot] = {}
        self._since = 0

    def __call__(self, reader: MetricReader, timeout_millis: float = 10_000) -> MetricsData | None:
        data: MetricsData | None = self._collect(reader, timeout_millis=timeout_millis)
        metrics = self._metrics(reader)
        if not metrics:
            return data
        if data is None or not data.resource_metrics:
            ours = ScopeMetrics(self._scope, metrics, self._scope.schema_url or "")
            return MetricsData([ResourceMetrics(self._resource(), [ours], "")])
        first, *rest = data.resource_metrics
        return MetricsData(
            [ResourceMetrics(first.resource, self._merged(first, metrics), first.schema_url), *rest]
        )

    def _merged(self, first: ResourceMetrics, metrics: list[Metric]) -> list[ScopeMetrics]:
        scopes = list(first.scope_metrics)
        for index, scope in enumerate(scopes):
            if scope.scope == self._scope:
                scopes[index] = ScopeMetrics(scope.scope, [*scope.metrics, *metrics], scope.schema_url)
                return scopes
        return [*scopes, ScopeMetrics(self._scope, metrics, self._scope.schema_url or "")]

    def _metrics(self, reader: MetricReader) -> list[Metric]:
        preferred: Any = reader
        temporality = preferred._instrument_class_temporality  # noqa: SLF001 - as the SDK itself reads it
        found: list[Metric] = []
        collected = self._sink.collect()
        for instrument, snapshots in collected.items():
            kind = Histogram if instrument.buckets else Counter
            delta = _wanted(temporality, kind) is AggregationTemporality.DELTA
            metric = self._metric(instrument, snapshots, delta=delta)
            if metric is not None:
                found.append(metric)
        self._since = time.time_ns()
        return found

    def _metric(self, instrument: Instrument, snapshots: list[Snapshot], *, delta: bool) -> Metric | None:
        temporality = AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE
        points = [point for one in snapshots if (point := self._point(one, delta=delta)) is not None]
        if not points:
            return None
        if instrument.buckets:
            data: Any = HistogramPoints(points, temporality)
        else:
            data = Sum(points, temporality, is_monotonic=True)
        return Metric(instrument.name, instrument.description, instrument.unit, data)

    def _point(self, now: Snapshot, *, delta: bool) -> Any:
        series = now.series
        before = self._given.get(series) if delta else None
        if delta:
            if before is not None and before.count == now.count:
                return None
            self._given[series] = now
        start = series.start if before is None else before.time
        exemplars = [
            Exemplar({}, value, at, sampled.span_id, sampled.trace_id)
            for value, at, sampled in filter(None, now.exemplars)
            if sampled is not None and at > self._since
        ]
        total = now.sum - (before.sum if before else 0)
        if not series.bounds:
            return NumberDataPoint(series.attributes, start, now.time, total, exemplars)
        old = before.buckets if before else (0,) * len(now.buckets)
        # Of the time between two collections the extremes are not known.
        low: Any = now.min if before is None else None
        high: Any = now.max if before is None else None
        return HistogramDataPoint(
            series.attributes,
            start,
            now.time,
            now.count - (before.count if before else 0),
            total,
            tuple(new - was for new, was in zip(now.buckets, old, strict=True)),
            series.bounds,
            low,
            high,
            exemplars,
        )


def _wanted(temporality: dict[type, AggregationTemporality], kind: type) -> AggregationTemporality | None:
    """What a reader prefers for a kind of instrument; it keys its choice by the SDK's subclasses of the public ones."""
    return next((value for key, value in temporality.items() if issubclass(key, kind)), None)
