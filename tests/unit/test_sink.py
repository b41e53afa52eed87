"""The OTLP sinks with the real exporters, and the process harness."""

import signal
import time
from collections.abc import Iterator

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.harness.patience import DeadLock, GcLock, collect, eventually
from tests.harness.process import Process, run
from tests.harness.sink import GrpcSink, HttpSink, Mode, Sink

RESOURCE = Resource({"service.name": "shop"})


@pytest.fixture(params=[HttpSink, GrpcSink], ids=["http", "grpc"])
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    with request.param() as running:
        yield running


def span_exporter(sink: Sink, timeout: float = 2) -> SpanExporter:
    if sink.protocol == "grpc":
        return GrpcSpans(sink.endpoint, insecure=True, timeout=timeout)
    return HttpSpans(f"{sink.endpoint}/v1/traces", timeout=timeout)


def one_span() -> ReadableSpan:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("test-scope")
    attributes = {"text": "secret-canary", "number": 7, "share": 0.5, "yes": True, "list": ["a", "b"]}
    with tracer.start_as_current_span("outer"):
        inner = tracer.start_span("inner", kind=SpanKind.CLIENT, attributes=attributes)
        inner.add_event("happened", {"code": 1})
        inner.set_status(Status(StatusCode.ERROR, "went wrong"))
        inner.end()
    return kept.get_finished_spans()[0]


def test_spans_are_decoded_whole(sink: Sink) -> None:
    exporter = span_exporter(sink)
    sent = one_span()
    assert exporter.export([sent]) is SpanExportResult.SUCCESS
    exporter.shutdown()
    got = sink.spans("inner")[0]
    assert got.attributes == {
        "text": "secret-canary",
        "number": 7,
        "share": 0.5,
        "yes": True,
        "list": ["a", "b"],
    }
    assert got.resource["service.name"] == "shop"
    assert (got.scope, got.kind, got.status, got.description) == (
        "test-scope",
        "CLIENT",
        "ERROR",
        "went wrong",
    )
    assert sent.context is not None
    assert sent.parent is not None
    assert (int(got.span_id, 16), int(got.parent_id, 16)) == (sent.context.span_id, sent.parent.span_id)
    assert (got.start, got.end) == (sent.start_time, sent.end_time)
    assert (got.events[0].name, got.events[0].attributes) == ("happened", {"code": 1})
    assert b"secret-canary" in sink.everything()
    assert sink.spans("other") == []


def test_metrics_are_decoded_and_the_latest_point_wins(sink: Sink) -> None:
    exporter = (
        GrpcMetrics(sink.endpoint, insecure=True)
        if sink.protocol == "grpc"
        else HttpMetrics(f"{sink.endpoint}/v1/metrics")
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("test-scope")
    counter, histogram = meter.create_counter("count", "1"), meter.create_histogram("time", "s")
    for amount in (2, 3):
        counter.add(amount, {"kind": "a"})
        histogram.record(amount, {"kind": "a"})
        assert provider.force_flush()
    provider.shutdown()
    assert {point.value for point in sink.points("count")} == {2, 5}
    (latest,) = sink.latest("count")
    assert (latest.value, latest.attributes, latest.kind, latest.cumulative) == (
        5,
        {"kind": "a"},
        "sum",
        True,
    )
    (distribution,) = sink.latest("time")
    assert (distribution.count, distribution.sum, distribution.unit) == (2, 5, "s")
    assert sum(distribution.buckets) == 2
    assert len(distribution.buckets) == len(distribution.bounds) + 1
    assert sink.metrics() >= {"count", "time"}


def test_logs_are_decoded(sink: Sink) -> None:
    exporter = (
        GrpcLogs(sink.endpoint, insecure=True)
        if sink.protocol == "grpc"
        else HttpLogs(f"{sink.endpoint}/v1/logs")
    )
    provider = LoggerProvider(RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("test-scope").emit(
        body={"text": "hello"}, event_name="my.event", severity_text="INFO", attributes={"a": 1}
    )
    provider.shutdown()
    (log,) = sink.logs()
    assert (log.body, log.event, log.severity) == ({"text": "hello"}, "my.event", "INFO")
    assert (log.attributes, log.scope) == ({"a": 1}, "test-scope")


def taken(exporter: SpanExporter) -> bool:
    """Whether the exporter says that its backend took the span; some releases raise where others say no."""
    try:
        return exporter.export([one_span()]) is SpanExportResult.SUCCESS
    except OSError:
        return False


@pytest.mark.parametrize("mode", ["refuse", "silent", "error", "throttle", "slow"])
def test_sick_backends_fail_the_export_and_recover(sink: Sink, mode: Mode) -> None:
    exporter = span_exporter(sink, timeout=0.7)
    sink.mode = mode
    started = time.monotonic()
    assert not taken(exporter)
    if mode in ("silent", "slow"):
        assert time.monotonic() - started >= 0.5
    assert (sink.attempts > 0) == (mode != "refuse")
    sink.mode = "up"
    sink.clear()
    healthy = span_exporter(sink)
    eventually(lambda: taken(healthy))
    assert {span.name for span in sink.spans()} == {"inner"}
    exporter.shutdown()
    healthy.shutdown()


def test_compressed_requests_are_opened() -> None:
    with HttpSink() as sink:
        exporter = HttpSpans(f"{sink.endpoint}/v1/traces", compression=Compression.Gzip)
        exporter.export([one_span()])
        exporter.shutdown()
        assert sink.spans()[0].name == "inner"
        assert b"secret-canary" in sink.everything()


def test_a_process_sends_where_the_sink_says(sink: Sink) -> None:
    script = """
        import os
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
        provider.get_tracer("x").start_span("from a child").end()
        provider.shutdown()
        print("done")
    """
    done = run(script, env=sink.environment()).ok()
    assert done.out == "done\n"
    sink.wait_for(lambda sink: sink.spans("from a child"))


def test_processes_report_signals_errors_and_time() -> None:
    failed = run("import sys; print('out'); sys.exit('err')")
    assert (failed.code, failed.out, failed.err) == (1, "out\n", "err\n")
    with pytest.raises(AssertionError, match="exit code 1"):
        failed.ok()
    script = """
        import signal, sys, time
        def stop(*_):
            print("stopping")
            time.sleep(0.3)
            sys.exit(3)
        signal.signal(signal.SIGTERM, stop)
        print("ready")
        time.sleep(60)
    """
    with Process.script(script) as process:
        process.wait_for("ready")
        process.signal(signal.SIGTERM)
        done = process.finish(timeout=5)
    assert done.code == 3
    assert 0.25 < done.seconds_after("stopping") < 2
    with pytest.raises(AssertionError, match="still running"):
        run("import time; time.sleep(60)", timeout=0.3)
    with Process.script("print('x')") as process, pytest.raises(AssertionError, match="ended without 'y'"):
        process.wait_for("y")


def test_no_setting_of_the_shell_reaches_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shell")
    monkeypatch.setenv("OPENAI_API_KEY", "shell")
    script = "import os; print(sorted(n for n in os.environ if n.startswith(('OTEL_', 'GENAI_', 'OPENAI_'))))"
    assert run(script, env={"OTEL_X": "1"}).out == "['GENAI_OTEL_STRICT', 'OTEL_X']\n"


def test_gc_lock_finds_a_finalizer_that_takes_the_lock() -> None:
    lock = GcLock(patience=0.1)
    found: list[BaseException] = []

    class Finalized:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            try:
                with lock:
                    pass
            except DeadLock as error:
                found.append(error)

    Finalized()
    with lock:
        pass
    assert len(found) == 1
    Finalized()
    collect()
    with lock:
        pass
    assert (len(found), lock.acquisitions) == (1, 3)


def test_eventually_gives_up() -> None:
    with pytest.raises(AssertionError, match="not within"):
        eventually(lambda: False, timeout=0.05)
    assert eventually(lambda: 7) == 7
