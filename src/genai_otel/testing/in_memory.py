"""Telemetry kept in memory, for tests: what genai-otel would have sent, after a flush.

    telemetry = genai_otel.testing.telemetry()
    client.chat.completions.create(...)
    assert telemetry.span().attributes["gen_ai.request.model"] == "gpt-4o-mini"
    assert telemetry.metrics()["gen_ai.client.operation.duration"][0].count == 1
    telemetry.clear()

It is the real pipeline with exporters that keep what they get. OpenTelemetry's providers can be set once per
process, so there is one `Telemetry` per process; `clear()` separates the tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics import Exemplar
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.util.types import AttributeValue

_OPERATION = "gen_ai.operation.name"
_FLUSH_SECONDS = 10.0


@dataclass(frozen=True)
class Point:
    """One series of a metric. Counters and gauges have a `value`; histograms have `count`, `sum`, `buckets`.

    Counters and histograms say what was added since the last `Telemetry.clear()`; gauges and up-down counters
    say what is.
    """

    attributes: Mapping[str, AttributeValue]
    value: float = 0
    count: int = 0
    sum: float = 0
    buckets: tuple[int, ...] = ()
    bounds: tuple[float, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    grows: bool = True

    def since(self, earlier: Point | None, moment: int) -> Point:
        """What was added after `earlier`, with the exemplars younger than `moment` (ns since the epoch)."""
        if earlier is None or not self.grows:
            return self
        return replace(
            self,
            value=self.value - earlier.value,
            count=self.count - earlier.count,
            sum=self.sum - earlier.sum,
            buckets=tuple(now - then for now, then in zip(self.buckets, earlier.buckets, strict=True)),
            exemplars=tuple(exemplar for exemplar in self.exemplars if exemplar.time_unix_nano >= moment),
        )


class _Flushes(Protocol):
    def flush(self, timeout: float = ...) -> bool: ...


class Telemetry:
    """Spans, metrics and logs of this process; every reader flushes first."""

    def __init__(self, source: _Flushes, exporters: InMemoryExporters) -> None:
        self._source = source
        self._exporters = exporters
        self._cleared: dict[object, Point] = {}
        self._moment = 0

    def spans(self) -> list[ReadableSpan]:
        """All finished spans in the order of their end, those of other instrumentations too."""
        self._flush()
        return list(self._exporters.spans.get_finished_spans())

    def calls(self) -> list[ReadableSpan]:
        """The finished spans of model calls, agents and tools: those with an operation name."""
        return [span for span in self.spans() if span.attributes and _OPERATION in span.attributes]

    def span(self) -> ReadableSpan:
        """The only such span; AssertionError, with the names of all spans, when there is none or more than one."""
        calls = self.calls()
        names = [span.name for span in self.spans()]
        assert len(calls) == 1, f"expected one span of a model call, found {len(calls)}; all spans: {names}"
        return calls[0]

    def metrics(self) -> dict[str, list[Point]]:
        """Name to series; series and metrics without anything new since `clear()` are left out."""
        self._flush()
        found: dict[str, list[Point]] = {}
        for (name, key), whole in self._points():
            point = whole.since(self._cleared.get((name, key)), self._moment)
            if point.value or point.count or not point.grows:
                found.setdefault(name, []).append(point)
        return found

    def logs(self) -> list[ReadableLogRecord]:
        """The log records, events among them."""
        self._flush()
        return list(self._exporters.logs.get_finished_logs())

    def clear(self) -> None:
        """Forget everything so far; counters and histograms count from here."""
        self._flush()
        self._exporters.spans.clear()
        self._exporters.logs.clear()
        self._cleared = dict(self._points())
        self._moment = time.time_ns()

    def _flush(self) -> None:
        assert self._source.flush(_FLUSH_SECONDS), "telemetry could not be flushed"

    def _points(self) -> Iterator[tuple[tuple[str, object], Point]]:
        data = self._exporters.metrics.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in _read(metric.data):
                        key = tuple(sorted((name, repr(value)) for name, value in point.attributes.items()))
                        yield (metric.name, (scope.scope.name, key)), point


class InMemoryExporters:
    """The in-memory ends of the three signals. Made late: the SDK is imported only when it is needed."""

    def __init__(self) -> None:
        from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.spans = InMemorySpanExporter()
        self.metrics: InMemoryMetricReader = InMemoryMetricReader()
        self.logs = InMemoryLogRecordExporter()


def _read(data: Any) -> Iterable[Point]:
    """The points of a sum, gauge or histogram in one shape."""
    grows = getattr(data, "is_monotonic", hasattr(data, "aggregation_temporality"))  # a gauge has neither
    for point in data.data_points:
        attributes = dict(point.attributes or {})
        exemplars = tuple(point.exemplars)
        if hasattr(point, "value"):
            yield Point(attributes, value=point.value, exemplars=exemplars, grows=grows)
        else:
            buckets: Sequence[int] = getattr(point, "bucket_counts", ())
            bounds: Sequence[float] = getattr(point, "explicit_bounds", ())
            yield Point(
                attributes,
                count=point.count,
                sum=point.sum,
                buckets=tuple(buckets),
                bounds=tuple(bounds),
                exemplars=exemplars,
            )


_lock = threading.Lock()
_telemetry: Telemetry | None = None


def telemetry(**settings: object) -> Telemetry:
    """Set genai-otel up with in-memory exporters; the same object on every call.

    `settings` are those of `genai_otel.setup`; they count in the first call. Raises RuntimeError when
    genai-otel was set up before without this function: readers cannot be added to a running provider.
    """
    global _telemetry  # noqa: PLW0603 - one per process, because OpenTelemetry's providers are
    with _lock:
        if _telemetry is None:
            from genai_otel import runtime

            if runtime.current() is not None:
                raise RuntimeError("call genai_otel.testing.telemetry() before genai_otel.setup()")
            exporters = InMemoryExporters()
            handle = runtime.setup(
                span_exporters=[exporters.spans],
                metric_readers=[exporters.metrics],
                log_exporters=[exporters.logs],
                **settings,
            )
            _telemetry = Telemetry(handle, exporters)
        return _telemetry
