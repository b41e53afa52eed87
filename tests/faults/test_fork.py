"""Children of a traced process: their own telemetry, from zero, on a connection of their own, and no dead-lock."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.harness.process import run
from tests.harness.sink import GrpcSink, HttpSink, Sink

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]

LAZY = {
    "OTEL_BSP_SCHEDULE_DELAY": "600000",
    "OTEL_BLRP_SCHEDULE_DELAY": "600000",
    "OTEL_METRIC_EXPORT_INTERVAL": "600000",
}

# Python 3.12 and newer warn of every fork in a process with threads, and tracing needs threads.
START = """
import logging, os, signal, sys, threading, time, warnings
warnings.filterwarnings("ignore", "This process.*is multi-threaded", DeprecationWarning)
import genai_otel
"""


def instances(sink: Sink) -> dict[str, Counter[str]]:
    """service.instance.id to the names of its spans."""
    found: dict[str, Counter[str]] = {}
    for span in sink.spans():
        found.setdefault(span.resource["service.instance.id"], Counter())[span.name] += 1
    return found


def counts(sink: Sink) -> Counter[str]:
    """service.instance.id to the number of calls that its histogram says."""
    found: Counter[str] = Counter()
    for point in sink.latest("gen_ai.client.operation.duration"):
        found[point.resource["service.instance.id"]] += point.count
    return found


@pytest.mark.parametrize("kind", [HttpSink, GrpcSink])
def test_a_forked_child_reports_itself_from_zero(kind: type[HttpSink | GrpcSink]) -> None:
    script = (
        START
        + """
genai_otel.setup()
from opentelemetry import metrics
from tests.harness.spans import model_span

theirs = metrics.get_meter("app").create_counter("theirs")
for _ in range(5):
    model_span("parent")
    theirs.add(1)
logging.getLogger("app").warning("parent")
assert genai_otel.flush(5)
model_span("parent")  # waits in the queue, which a child must not send again

def child(number):
    model_span(f"child {number}")
    theirs.add(1)
    logging.getLogger("app").warning("child %d", number)

for number in range(2):
    if os.fork() == 0:
        child(number)
        if number == 0:
            assert genai_otel.flush(10)  # what a pool does whose workers end by os._exit
            os._exit(0)
        sys.exit(0)  # runs atexit, as gunicorn's workers do
    assert os.wait()[1] == 0
"""
    )
    with kind() as sink:
        run(script, env={**sink.environment(), **LAZY}).ok()
        spans = instances(sink)
        assert sorted(map(dict, spans.values()), key=str) == [{"child 0": 1}, {"child 1": 1}, {"parent": 6}]
        parent = next(instance for instance, names in spans.items() if "parent" in names)
        assert sorted(str(log.body) for log in sink.logs()) == ["child 0", "child 1", "parent"]
        assert counts(sink) == {instance: 6 if instance == parent else 1 for instance in spans}
        theirs = {point.resource["service.instance.id"]: point.value for point in sink.latest("theirs")}
        assert theirs == {instance: 5 if instance == parent else 1 for instance in spans}
        if kind is HttpSink:  # a connection is never shared: every request is whole, and there are no others
            assert sink.attempts == len(
                [*sink.bodies("traces"), *sink.bodies("metrics"), *sink.bodies("logs")]
            )


def test_a_child_of_a_process_with_open_calls_owns_none_of_them() -> None:
    script = (
        START
        + """
import gc, openai
from genai_otel.testing import ModelServer
genai_otel.setup()
from genai_otel.engine.call import open_calls

with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
    streams = [client.chat.completions.create(model=f"m{n}", messages=[], stream=True) for n in range(3)]
    next(streams[0])
    pid = os.fork()
    if pid == 0:
        assert open_calls() == ()
        streams.clear()  # the child drops its copies
        gc.collect()
        with openai.OpenAI(base_url=server.base_url, api_key="k") as own:
            own.chat.completions.create(model="child", messages=[])
        assert genai_otel.flush(10)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(open_calls()) == 3
    assert all(len(list(stream)) > 0 for stream in streams)
"""
    )
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **LAZY}).ok()
        calls = [span for span in sink.spans() if span.name.startswith("chat ")]
        assert Counter(span.name for span in calls) == Counter(
            ["chat child", "chat m0", "chat m1", "chat m2"]
        )
        assert {span.attributes["genai_otel.outcome"] for span in calls} == {"completed"}
        assert len({span.resource["service.instance.id"] for span in calls}) == 2
        assert sorted(counts(sink).values()) == [1, 3]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str) -> None:
    script = (
        START
        + """
import multiprocessing
from tests.harness.spans import model_span
genai_otel.setup()  # with spawn and forkserver the child runs this, too

def work(number):
    model_span(f"child {number}")

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    model_span("parent")
    children = [context.Process(target=work, args=(number,)) for number in range(2)]
    [child.start() for child in children]
    [child.join() for child in children]
    assert [child.exitcode for child in children] == [0, 0]
"""
    )
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **LAZY}, arguments=[method], timeout=60).ok()
        assert sorted(map(dict, instances(sink).values()), key=str) == [
            {"child 0": 1},
            {"child 1": 1},
            {"parent": 1},
        ]
        assert sorted(counts(sink).values()) == [1, 1, 1]


def test_a_pool_and_a_terminated_child() -> None:
    script = (
        START
        + """
import concurrent.futures, multiprocessing
from tests.harness.spans import model_span
genai_otel.setup()

def sleep(started):
    model_span("terminated")
    started.set()
    time.sleep(30)

context = multiprocessing.get_context("fork")
with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
    list(pool.map(model_span, ["pooled"] * 3))
started = context.Event()
child = context.Process(target=sleep, args=(started,))
child.start()
started.wait()
child.terminate()
child.join(10)
assert child.exitcode == -signal.SIGTERM, child.exitcode
"""
    )
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **LAZY}).ok()
        assert sorted(map(dict, instances(sink).values()), key=str) == [{"pooled": 3}, {"terminated": 1}]


def test_a_hundred_forks_under_load_hang_no_child() -> None:
    """Threads record, collect and export all the time, so that forks meet every lock that there is."""
    script = (
        START
        + """
genai_otel.setup()
from opentelemetry import metrics
from tests.harness.spans import model_span

stop = threading.Event()
theirs = metrics.get_meter("app").create_histogram("theirs")

def load(number):
    round = 0
    while not stop.is_set():
        round += 1
        model_span("load", model=f"m{(number * 7 + round) % 300}")
        theirs.record(round)
        time.sleep(0.0005)

def collect():
    while not stop.is_set():
        genai_otel.flush(1)

threads = [threading.Thread(target=load, args=(n,)) for n in range(4)] + [threading.Thread(target=collect)]
[thread.start() for thread in threads]
bad = []
for number in range(100):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10)  # a child that hangs dies of it
        for _ in range(3):
            model_span("child", model="child")
            theirs.record(1)
        os._exit(0 if number % 5 or genai_otel.flush(8) else 9)
    status = os.waitpid(pid, 0)[1]
    if status:
        bad.append(status)
stop.set()
[thread.join() for thread in threads]
assert not bad, bad
"""
    )
    with HttpSink() as sink:
        settings = {"OTEL_BSP_SCHEDULE_DELAY": "5", "OTEL_METRIC_EXPORT_INTERVAL": "10"}
        run(script, env={**sink.environment(), **settings}, timeout=120).ok()
        children = [span for span in sink.spans() if span.name == "child"]
        assert len(children) >= 60  # the twenty that flush
        assert len({span.resource["service.instance.id"] for span in children}) >= 20
        mine = [
            point.count
            for point in sink.latest("gen_ai.client.operation.duration")
            if point.attributes["gen_ai.request.model"] == "child"
        ]
        assert mine
        assert set(mine) == {3}


def test_a_fork_in_the_middle_of_an_export_that_hangs() -> None:
    script = (
        START
        + """
genai_otel.setup()
from tests.harness.spans import model_span
model_span("parent")
time.sleep(0.5)  # all exporters hold their locks and wait
pid = os.fork()
if pid == 0:
    model_span("child")
    start = time.monotonic()
    assert genai_otel.flush(0.5) is False
    assert time.monotonic() - start < 1
    print("flushed", flush=True)
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    )
    settings = {
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_BLRP_SCHEDULE_DELAY": "50",
        "OTEL_METRIC_EXPORT_INTERVAL": "50",
        "GENAI_OTEL_EXIT_TIMEOUT": "0.5",
    }
    with HttpSink("silent") as sink:
        done = run(script, env={**sink.environment(), **settings}).ok()
        # Parent and child each tried spans and metrics: nobody waits for a lock that nobody holds.
        assert sink.attempts >= 4
    assert done.out == "flushed\n"
    assert done.seconds < 10
