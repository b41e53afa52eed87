"""However a process ends, what it has is sent, and it ends as it would without us."""

from __future__ import annotations

import signal
import sys

import pytest

from genai_otel.testing import ModelServer
from tests.harness.process import CRASHES_AT_END, Process, run
from tests.harness.sink import GrpcSink, HttpSink

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

# Far longer than the test, so only the end can have sent anything.
LAZY = {
    "OTEL_BSP_SCHEDULE_DELAY": "600000",
    "OTEL_BLRP_SCHEDULE_DELAY": "600000",
    "OTEL_METRIC_EXPORT_INTERVAL": "600000",
}

START = """
import logging, os, signal, sys, threading, time
import genai_otel
genai_otel.setup()
from tests.harness.spans import model_span
model_span()
logging.getLogger("app").warning("said")
"""

ENDS = {
    "end of the script": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "an exception": ("raise RuntimeError('mine')", 1),
    "an exception in a thread": ("threading.Thread(target=lambda: 1 / 0).start()", 0),
    "SIGINT": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", -signal.SIGINT),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", -signal.SIGTERM),
    "SIGTERM to a waiting thread": (
        "threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start(); threading.Event().wait(5)",
        -signal.SIGTERM,
    ),
    "SIGTERM, and again": (
        "[os.kill(os.getpid(), signal.SIGTERM) for _ in range(3)]; time.sleep(5)",
        -signal.SIGTERM,
    ),
}


@pytest.mark.seed_rows("000-21", "001-15", "003-22")
@pytest.mark.parametrize("end", ENDS)
def test_everything_is_sent_and_the_status_is_the_programs(end: str) -> None:
    code, status = ENDS[end]
    kind = GrpcSink if end in ("end of the script", "SIGTERM") else HttpSink
    with kind() as sink:
        done = run(START + code, env={**sink.environment(), **LAZY})
        assert done.code == status, done.err
        assert len(sink.spans()) == 1
        assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
        assert [log.body for log in sink.logs()] == ["said"]
    assert "genai-otel:" not in done.err
    assert done.err.count("Traceback") == (end in ("an exception", "an exception in a thread", "SIGINT"))


OWN_HANDLER = """
def mine(number, frame):
    print("mine", flush=True)
    sys.exit(7)

{before}
import genai_otel
genai_otel.setup()
{after}
assert signal.getsignal(signal.SIGTERM) is {expected}
from tests.harness.spans import model_span
model_span()
os.kill(os.getpid(), signal.SIGTERM)
time.sleep({rest})
"""


@pytest.mark.parametrize(
    ("before", "after", "expected", "status"),
    [
        ("signal.signal(signal.SIGTERM, mine)", "", "mine", 7),
        ("", "signal.signal(signal.SIGTERM, mine)", "mine", 7),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "", "signal.SIG_IGN", 0),
    ],
    ids=["set before", "set after", "ignored"],
)
def test_a_handler_of_the_programs_own_is_left_alone(
    before: str, after: str, expected: str, status: int
) -> None:
    script = "import os, signal, sys, time" + OWN_HANDLER.format(
        before=before, after=after, expected=expected, rest=0.05
    )
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), **LAZY})
        assert done.code == status, done.err
        assert len(sink.spans()) == 1
    assert done.out == ("mine\n" if status == 7 else "")


def test_set_up_in_another_thread_installs_no_handler() -> None:
    script = """
    import signal, threading
    import genai_otel
    thread = threading.Thread(target=genai_otel.setup)
    thread.start(); thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    from tests.harness.spans import model_span
    model_span()
    """
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **LAZY}).ok()
        assert len(sink.spans()) == 1


def test_a_signal_inside_a_lock_of_an_open_call_does_not_hang() -> None:
    script = """
    import os, signal
    import genai_otel, openai
    from opentelemetry.sdk.trace import SpanProcessor
    handle = genai_otel.setup()
    handle.tracer_provider.add_span_processor(SpanProcessor())  # so the span is the SDK's, which has a lock
    from genai_otel.engine.call import open_calls
    from genai_otel.testing import ModelServer

    with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        next(stream)
        (call,) = open_calls()
        with call.span._lock:  # where set_attribute() is when the signal comes
            print("ending", flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            import time; time.sleep(30)
    """
    with HttpSink() as sink:
        with Process.script(
            script, env={**sink.environment(), **LAZY, "GENAI_OTEL_EXIT_TIMEOUT": "1"}
        ) as process:
            done = process.finish(timeout=25)
        assert done.code == -signal.SIGTERM, done.err
        assert done.seconds_after("ending") < 5


@pytest.mark.parametrize("how", ["return", "SIGTERM"])
def test_calls_that_are_open_at_the_end_are_sent(how: str, model_server: ModelServer) -> None:
    script = """
    import os, signal, sys, threading, time
    import genai_otel, openai
    genai_otel.setup()
    from genai_otel.engine.call import open_calls

    client = openai.OpenAI(base_url=sys.argv[2], api_key="k")
    kept = client.chat.completions.create(model="kept", messages=[], stream=True)
    next(kept)
    cycle = [client.chat.completions.create(model="cycle", messages=[], stream=True)]
    cycle.append(cycle)
    waiting = threading.Thread(
        target=client.chat.completions.create, kwargs={"model": "m+hang", "messages": []}, daemon=True
    )
    waiting.start()
    while len(open_calls()) < 3:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM) if sys.argv[1] == "SIGTERM" else None
    """
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), **LAZY}, arguments=[how, model_server.base_url])
        if not CRASHES_AT_END:
            assert done.code == (-signal.SIGTERM if how == "SIGTERM" else 0), done.err
        calls = [span for span in sink.spans() if span.name.startswith("chat ")]
    outcomes = {span.name: span.attributes["genai_otel.outcome"] for span in calls}
    assert outcomes == dict.fromkeys(("chat kept", "chat cycle", "chat m+hang"), "abandoned")
    assert len(calls) == 3


def test_the_end_twice_and_everything_after_it_is_harmless() -> None:
    script = """
    import logging, sys
    import genai_otel, openai
    assert genai_otel.flush() is True and genai_otel.shutdown() is True  # before setup()
    handle = genai_otel.setup()
    from tests.harness.spans import model_span
    from genai_otel.testing import ModelServer
    from opentelemetry import metrics

    counter = metrics.get_meter("app").create_counter("after")
    model_span("chat before")
    assert handle.shutdown(5) is True
    assert handle.ended
    assert genai_otel.shutdown() is True
    assert handle.flush(1) is True
    model_span("chat after")
    logging.getLogger("app").warning("after")
    counter.add(1)
    with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        assert client.chat.completions.create(model="m", messages=[]).choices
        assert len(list(client.chat.completions.create(model="m", messages=[], stream=True))) > 2
    print("quiet", file=sys.stderr, flush=True)
    assert genai_otel.setup() is handle
    assert genai_otel.setup() is handle
    """
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), **LAZY}).ok()
        assert [span.name for span in sink.spans()] == ["chat before"]
        assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
        assert sink.logs() == []
    before, _, after = done.err.partition("quiet\n")
    assert before in ("", "after\n")  # what Python itself prints for a warning that nobody handles
    assert after.count("setup() after shutdown()") == 1
