"""OTLP requests as plain data: what a backend would know after decoding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# The classes are generated and their base ships no types.
_TRACES: Any = ExportTraceServiceRequest
_METRICS: Any = ExportMetricsServiceRequest
_LOGS: Any = ExportLogsServiceRequest

Attributes = dict[str, Any]  # the values of OTLP: text, numbers, truth values, bytes, lists and maps of them

_STATUS: tuple[str, ...] = ("UNSET", "OK", "ERROR")
_KINDS: tuple[str, ...] = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


@dataclass(frozen=True)
class SpanEvent:
    name: str
    attributes: Attributes


@dataclass(frozen=True)
class Span:
    """Ids are hexadecimal text, `parent_id` is empty at a root; times are nanoseconds since the epoch."""

    name: str
    attributes: Attributes
    resource: Attributes
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    status: str
    description: str
    start: int
    end: int
    events: tuple[SpanEvent, ...]
    links: int
    dropped_attributes: int


@dataclass(frozen=True)
class Point:
    """One exported value of one series; `kind` is sum, gauge or histogram."""

    metric: str
    unit: str
    kind: str
    attributes: Attributes
    resource: Attributes
    scope: str
    start: int
    time: int
    value: float = 0
    count: int = 0
    sum: float = 0
    buckets: tuple[int, ...] = ()
    bounds: tuple[float, ...] = ()
    exemplars: tuple[str, ...] = field(default=())  # the trace ids that they point to
    cumulative: bool = True

    @property
    def series(self) -> tuple[object, ...]:
        """What makes two points values of the same series."""
        return (self.metric, self.scope, _key(self.resource), _key(self.attributes))


@dataclass(frozen=True)
class Log:
    body: object
    event: str
    severity: str
    attributes: Attributes
    resource: Attributes
    scope: str
    trace_id: str
    span_id: str


def _key(attributes: Attributes) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in attributes.items()))


def value(any_value: Any) -> Any:
    """An AnyValue as the Python value that it stands for."""
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(element) for element in any_value.array_value.values]
    if kind == "kvlist_value":
        return attributes(any_value.kvlist_value.values)
    return getattr(any_value, kind) if kind else None


def attributes(pairs: Iterable[Any]) -> Attributes:
    return {pair.key: value(pair.value) for pair in pairs}


def spans(body: bytes) -> Iterator[Span]:
    for group in _TRACES.FromString(body).resource_spans:
        resource = attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield Span(
                    name=span.name,
                    attributes=attributes(span.attributes),
                    resource=resource,
                    scope=scoped.scope.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=_KINDS[int(span.kind)],
                    status=_STATUS[int(span.status.code)],
                    description=span.status.message,
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    events=tuple(
                        SpanEvent(event.name, attributes(event.attributes)) for event in span.events
                    ),
                    links=len(span.links),
                    dropped_attributes=span.dropped_attributes_count,
                )


def points(body: bytes) -> Iterator[Point]:
    for group in _METRICS.FromString(body).resource_metrics:
        resource = attributes(group.resource.attributes)
        for scoped in group.scope_metrics:
            for metric in scoped.metrics:
                kind = str(metric.WhichOneof("data"))
                data = getattr(metric, kind)
                for point in data.data_points:
                    yield Point(
                        metric=metric.name,
                        unit=metric.unit,
                        kind=kind,
                        attributes=attributes(point.attributes),
                        resource=resource,
                        scope=scoped.scope.name,
                        start=point.start_time_unix_nano,
                        time=point.time_unix_nano,
                        exemplars=tuple(exemplar.trace_id.hex() for exemplar in point.exemplars),
                        cumulative=getattr(data, "aggregation_temporality", 2) == 2,
                        **_numbers(point),
                    )


def _numbers(point: Any) -> dict[str, Any]:
    if not hasattr(point, "bucket_counts"):
        return {"value": getattr(point, point.WhichOneof("value"))}
    return {
        "count": point.count,
        "sum": point.sum,
        "buckets": tuple(point.bucket_counts),
        "bounds": tuple(point.explicit_bounds),
    }


def logs(body: bytes) -> Iterator[Log]:
    for group in _LOGS.FromString(body).resource_logs:
        resource = attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            for record in scoped.log_records:
                yield Log(
                    body=value(record.body),
                    event=record.event_name,
                    severity=record.severity_text,
                    attributes=attributes(record.attributes),
                    resource=resource,
                    scope=scoped.scope.name,
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                )
