"""Providers of the program's own are used, never replaced and never shut down."""

from __future__ import annotations

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

SCRIPT = """
import gc, sys
import genai_otel, openai
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans, reader, records = InMemorySpanExporter(), InMemoryMetricReader(), InMemoryLogRecordExporter()
traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=600_000))
meters = MeterProvider([reader])
loggers = LoggerProvider()
loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
if sys.argv[1] == "passed":
    handle = genai_otel.setup(tracer_provider=traces, meter_provider=meters, logger_provider=loggers)
    assert trace.get_tracer_provider() is not traces
else:
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(meters)
    _logs.set_logger_provider(loggers)
    handle = genai_otel.setup()
    assert trace.get_tracer_provider() is traces
    assert metrics.get_meter_provider() is meters
assert (handle.tracer_provider, handle.meter_provider, handle.logger_provider) == (traces, meters, loggers)
assert handle.exporters == []
assert genai_otel.setup() is handle  # again: the processor is added once
"""

CALLS = """
import logging
from genai_otel.testing import ModelServer

def points(name):
    data = reader.get_metrics_data()
    return [point for resource in data.resource_metrics for scope in resource.scope_metrics
            for metric in scope.metrics if metric.name == name for point in metric.data.data_points]

with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
    client.chat.completions.create(model="gpt-4o", messages=[])
    stream = client.chat.completions.create(model="dropped", messages=[], stream=True)
    next(stream)
    assert sum(point.value for point in points("genai_otel.client.active_operations")) == 1
    del stream
    gc.collect()
    # The collection ends the dropped call: a record inside a callback of the same provider, under its locks.
    assert sum(point.value for point in points("genai_otel.client.active_operations")) == 0
    assert sorted(point.count for point in points("gen_ai.client.operation.duration")) == [1, 1]
logging.getLogger("app").warning("said")
assert genai_otel.flush(5)  # his queues are flushed, too
names = [span.name for span in spans.get_finished_spans() if "gen_ai.operation.name" in span.attributes]
assert sorted(names) == ["chat dropped", "chat gpt-4o"], names
assert [record.log_record.body for record in records.get_finished_logs()] == ["said"]

assert genai_otel.shutdown(5)
with traces.get_tracer("app").start_as_current_span("after"):
    pass
assert traces.force_flush()
assert "after" in [span.name for span in spans.get_finished_spans()]
meters.get_meter("app").create_counter("after").add(1)
assert points("after")
"""


@pytest.mark.seed_rows("000-11")
@pytest.mark.parametrize("how", ["set", "passed"])
def test_they_are_used_and_left_running(how: str) -> None:
    with HttpSink() as sink:  # the variables name a back end, which is for providers of ours
        done = run(SCRIPT + CALLS, env=sink.environment(), arguments=[how]).ok()
        assert sink.attempts == 0
    said, unpriced = sorted(done.err.splitlines(), reverse=True)
    assert said == "said"
    assert "calls of model 'dropped-2024-07-18'" in unpriced


def test_one_of_his_beside_ours() -> None:
    script = """
    import genai_otel
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    spans = InMemorySpanExporter()
    traces = TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(traces)
    genai_otel.setup()
    from tests.harness.spans import model_span
    model_span()
    assert len(spans.get_finished_spans()) == 1
    """
    with HttpSink() as sink:
        run(script, env=sink.environment()).ok()
        assert sink.spans() == []
        assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
