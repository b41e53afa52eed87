"""Streams that nobody reads to the end: the garbage collector may come at any moment, and nothing stays behind."""

from __future__ import annotations

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

GC_IN_EVERY_LOCK = """
import gc, importlib, sys
from tests.harness.patience import GcLock

locks = []
class Counted(GcLock):
    def __init__(self):
        super().__init__()
        locks.append(self)

# The SDK's locks are made by these names; ours is replaced below.
for module in ("aggregation", "_view_instrument_match", "measurement_consumer"):
    importlib.import_module(f"opentelemetry.sdk.metrics._internal.{module}").Lock = Counted
import genai_otel, openai
from genai_otel.testing import ModelServer
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
if sys.argv[1] == "theirs":
    metrics.set_meter_provider(MeterProvider([reader]))
    handle = genai_otel.setup()
else:
    handle = genai_otel.setup(metric_readers=[reader])
    handle._built.sink._lock = Counted()
theirs = metrics.get_meter("app").create_histogram("theirs")

def garbage():
    # A cycle, so that only the collector ends the stream.
    stream = client.chat.completions.create(model="m", messages=[], stream=True)
    next(stream)
    cycle = [stream]
    cycle.append(cycle)

def total(name):
    data = reader.get_metrics_data()
    return [getattr(point, "count", None) or point.value for resource in data.resource_metrics
            for scope in resource.scope_metrics for metric in scope.metrics if metric.name == name
            for point in metric.data.data_points]

with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
    client.chat.completions.create(model="m", messages=[])
    gc.collect()
    gc.freeze()  # what lives on need not be looked at each time
    gc.disable()  # only the locks collect
    for number in range(12):
        garbage()
        theirs.record(1)
        if number % 4 == 0:
            garbage()
            reader.get_metrics_data()
    garbage()
    gc.collect()
    counts = total("gen_ai.client.operation.duration")
    assert sum(counts) == 17, counts
    assert sum(total("genai_otel.client.active_operations")) == 0
assert sum(lock.acquisitions for lock in locks) > 10, len(locks)
assert genai_otel.flush(5)
"""


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_a_collection_inside_every_lock_never_waits_for_it(whose: str) -> None:
    with HttpSink() as sink:
        env = {**sink.environment(), "OTEL_METRICS_EXPORTER": "none"}
        run(GC_IN_EVERY_LOCK, env=env, arguments=[whose]).ok()
        calls = [span for span in sink.spans() if span.name == "chat m"]
        assert len(calls) == 17
        outcomes = [span.attributes["genai_otel.outcome"] for span in calls]
        assert outcomes.count("abandoned") == 16


@pytest.mark.parametrize("streams", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_very_many_leave_no_memory_and_no_open_call(streams: int) -> None:
    script = """
    import gc, sys
    import psutil
    import genai_otel
    genai_otel.setup()
    from genai_otel.engine.call import open_calls
    from tests.benchmarks.workloads import chat_events, client

    create = client(chat_events(10)).chat.completions.create  # the model's answer is there at once

    def abandon(number):
        stream = create(model="m", messages=[], stream=True)
        if number % 2:
            next(stream)  # the others are never read
        if number % 3 == 0:
            cycle = [stream]
            cycle.append(cycle)

    def resident():
        gc.collect()
        genai_otel.flush(10)
        return psutil.Process().memory_info().rss

    first = create(model="m", messages=[], stream=True)
    assert genai_otel.flush(10)  # a point that says 1
    del first
    streams = int(sys.argv[1])
    for number in range(500):
        abandon(number)
    before = resident()
    for number in range(streams):
        abandon(number)
        if number % 1000 == 999:
            genai_otel.flush(10)
    after = resident()
    assert open_calls() == ()
    assert after - before < 5_000_000, (before, after)
    """
    with HttpSink() as sink:
        run(script, env=sink.environment(), arguments=[str(streams)], timeout=120).ok()
        # Two series: those that were never read do not know the model that answered.
        durations = sink.latest("gen_ai.client.operation.duration")
        assert sorted(point.count for point in durations) == [streams // 2 + 250, streams // 2 + 251]
        active = [point.value for point in sink.points("genai_otel.client.active_operations")]
        assert (active[0], active[-1]) == (1, 0)
        assert len(sink.spans()) == streams + 501
