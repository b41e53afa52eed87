"""Telemetry in memory: readers flush, `clear()` separates tests although series are cumulative."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from genai_otel.testing.in_memory import InMemoryExporters, Telemetry


class Providers:
    """The plain SDK behind the same exporters; batches that only a flush brings out."""

    def __init__(self) -> None:
        self.exporters = InMemoryExporters()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(BatchSpanProcessor(self.exporters.spans))
        self.meters = MeterProvider([self.exporters.metrics], exemplar_filter=AlwaysOnExemplarFilter())
        self.loggers = LoggerProvider()
        self.loggers.add_log_record_processor(BatchLogRecordProcessor(self.exporters.logs))

    def flush(self, timeout: float = 5.0) -> bool:
        milliseconds = int(timeout * 1000)
        return self.tracers.force_flush(milliseconds) and self.loggers.force_flush(milliseconds)

    def call(self, name: str = "chat m") -> None:
        attributes = {"gen_ai.operation.name": name.partition(" ")[0]}
        self.tracers.get_tracer("t").start_span(name, attributes=attributes).end()


@pytest.fixture
def providers() -> Iterator[Providers]:
    made = Providers()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()
    made.loggers.shutdown()


@pytest.fixture
def recorded(providers: Providers) -> Telemetry:
    return Telemetry(providers, providers.exporters)


def test_spans_come_out_of_their_batch(providers: Providers, recorded: Telemetry) -> None:
    providers.call()
    providers.tracers.get_tracer("http").start_span("POST").end()
    assert [span.name for span in recorded.spans()] == ["chat m", "POST"]
    assert recorded.span().name == "chat m"
    recorded.clear()
    assert recorded.spans() == []


def test_the_only_span_is_the_only_one(providers: Providers, recorded: Telemetry) -> None:
    with pytest.raises(AssertionError, match="found 0"):
        recorded.span()
    providers.call()
    providers.call("chat n")
    with pytest.raises(AssertionError, match=r"found 2.*'chat m', 'chat n'"):
        recorded.span()
    assert len(recorded.calls()) == 2


def test_logs_come_out_of_their_batch(providers: Providers, recorded: Telemetry) -> None:
    providers.loggers.get_logger("l").emit(body="hello")
    assert [record.log_record.body for record in recorded.logs()] == ["hello"]
    recorded.clear()
    assert recorded.logs() == []


def test_histograms_and_counters_count_from_the_last_clear(providers: Providers, recorded: Telemetry) -> None:
    meter = providers.meters.get_meter("m")
    histogram, counter = meter.create_histogram("time"), meter.create_counter("count")
    histogram.record(3, {"kind": "a"})
    counter.add(5, {"kind": "a"})
    (point,) = recorded.metrics()["time"]
    assert (point.count, point.sum, sum(point.buckets), point.attributes) == (1, 3, 1, {"kind": "a"})
    assert len(point.buckets) == len(point.bounds) + 1
    recorded.clear()
    assert recorded.metrics() == {}
    histogram.record(4, {"kind": "a"})
    counter.add(1, {"kind": "b"})
    (point,) = recorded.metrics()["time"]
    assert (point.count, point.sum, sum(point.buckets)) == (1, 4, 1)
    assert [exemplar.value for exemplar in point.exemplars] == [4]
    (added,) = recorded.metrics()["count"]
    assert (added.value, added.attributes) == (1, {"kind": "b"})


def test_gauges_and_up_down_counters_say_what_is(providers: Providers, recorded: Telemetry) -> None:
    meter = providers.meters.get_meter("m")
    active, level = meter.create_up_down_counter("active"), meter.create_gauge("level")
    active.add(2)
    recorded.clear()
    level.set(0.5)
    metrics = recorded.metrics()
    assert (metrics["active"][0].value, metrics["level"][0].value) == (2, 0.5)


def test_a_flush_that_fails_is_no_silence(recorded: Telemetry, providers: Providers) -> None:
    providers.flush = lambda timeout=5.0: False
    with pytest.raises(AssertionError, match="could not be flushed"):
        recorded.spans()
