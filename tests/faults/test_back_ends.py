"""Back ends that are dead, silent, slow or refuse: the program does not notice, its end waits 5 s at most."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness.process import Finished, Process, run
from tests.harness.sink import GrpcSink, HttpSink, Mode, Sink

pytestmark = pytest.mark.process

CASES: list[tuple[type[HttpSink | GrpcSink], Mode]] = [
    (HttpSink, "refuse"),
    (HttpSink, "silent"),
    (HttpSink, "slow"),
    (HttpSink, "error"),
    (HttpSink, "throttle"),
    (GrpcSink, "refuse"),
    (GrpcSink, "silent"),
    (GrpcSink, "error"),
    (GrpcSink, "throttle"),
]

# All three signals go to the same back end.  Timeouts and retries of the exporters are what they are by default.
SCRIPT = """
import json, logging, os, pathlib, time
import genai_otel
genai_otel.setup()
from tests.harness.spans import model_span

def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

def call():
    model_span()
    logging.getLogger("app").warning("a call")

model_span()
print("ready", flush=True)
while not pathlib.Path(os.environ["GATE"]).exists():
    time.sleep(0.05)
flushed = []
flush = timed(lambda: flushed.append(genai_otel.flush(0.5)))
calls = sorted(timed(call) for _ in range(1000))
print("RESULT", json.dumps({"flushed": flushed[0], "flush": flush, "median": calls[500], "slowest": calls[-1]}))
print("ending", flush=True)
"""


def ended(gate: Path) -> dict[str, Finished]:
    """All cases at once, because they mostly wait; they begin together, when all have started."""
    with contextlib.ExitStack() as stack:
        running: dict[str, Process] = {}
        for kind, mode in CASES:
            sink: Any = stack.enter_context(kind(mode))
            env = {**sink.environment(), "GATE": str(gate)}
            running[f"{sink.protocol} {mode}"] = stack.enter_context(Process.script(SCRIPT, env=env))
        for process in running.values():
            process.wait_for("ready", timeout=60)
        gate.touch()
        with ThreadPoolExecutor(len(running)) as pool:
            ends = list(pool.map(Process.finish, running.values()))
    return dict(zip(running, ends, strict=True))


def test_nobody_waits_for_them(tmp_path: Path) -> None:
    wrong: dict[str, object] = {}
    for case, done in ended(tmp_path / "gate").items():
        said = result(done.ok())
        holds = {
            "the end waits 5 s at most": done.seconds_after("ending") < 5.9,  # and the interpreter ends, too
            "calls and log lines do not wait": said["median"] < 0.003 and said["slowest"] < 0.5,
            "flush ends in time": said["flush"] < 1.0,  # half a second was asked for
            "flush says that nothing was taken": said["flushed"] is False,
            "nothing is thrown": "Traceback" not in done.err,
        }
        if not all(holds.values()):
            wrong[case] = (holds, said, done.seconds_after("ending"), done.err)
    assert not wrong


def result(done: Finished) -> dict[str, Any]:
    line = next(line for line in done.out.splitlines() if line.startswith("RESULT "))
    return json.loads(line[7:])


@pytest.mark.parametrize("kind", [HttpSink, GrpcSink])
def test_what_was_not_taken_is_counted_and_flush_says_so_until_the_back_end_is_up_again(
    kind: type[HttpSink | GrpcSink], tmp_path: Path
) -> None:
    script = """
    import logging, os, pathlib, time
    import genai_otel
    from genai_otel import fence
    from tests.harness.spans import model_span

    genai_otel.setup()
    assert genai_otel.flush(5), "nothing but metrics yet"  # the sink is up
    print("down", flush=True)
    while not pathlib.Path(os.environ["GATE"]).exists():
        time.sleep(0.02)
    for _ in range(3):
        model_span()
    logging.getLogger("app").warning("lost")
    assert genai_otel.flush(5) is False
    lost = fence.drops()
    assert lost["spans", "export_failed"] == 3, lost
    assert lost["logs", "export_failed"] == 1, lost
    assert lost["metrics", "export_failed"] > 2, lost
    os.remove(os.environ["GATE"])
    print("up", flush=True)
    while not pathlib.Path(os.environ["GATE"]).exists():
        time.sleep(0.02)
    model_span("chat after")
    assert genai_otel.flush(5) is True
    """
    gate = tmp_path / "gate"
    with kind() as sink:
        env = {**sink.environment(), "GATE": str(gate), "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        with Process.script(script, env=env) as process:
            process.wait_for("down")
            sink.mode = "error"
            gate.touch()
            process.wait_for("up")
            sink.mode = "up"
            gate.touch()
            process.finish().ok()
        assert [span.name for span in sink.spans()] == ["chat after"]
        assert dropped(sink) == {
            ("spans", "export_failed"): 3,
            ("logs", "export_failed"): 1,
            ("metrics", "export_failed"): pytest.approx(10, abs=9),
        }
        # Metrics are cumulative: what failed came with the next export.
        assert [point.count for point in sink.latest("gen_ai.client.operation.duration")] == [4]


def dropped(sink: Sink) -> dict[tuple[str, str], float]:
    return {
        (point.attributes["signal"], point.attributes["reason"]): point.value
        for point in sink.latest("genai_otel.dropped")
    }


def test_a_full_queue_loses_the_oldest_counts_them_and_warns_once() -> None:
    script = """
    import logging, time
    import genai_otel
    from genai_otel import fence
    from tests.harness.spans import model_span

    handle = genai_otel.setup()
    model_span("chat first")
    logging.getLogger("app").warning("first")
    time.sleep(0.5)  # the exporters have these and wait for an answer
    slowest = 0
    for _ in range(600):
        start = time.perf_counter()
        model_span()
        logging.getLogger("app").warning("a line")
        slowest = max(slowest, time.perf_counter() - start)
    assert slowest < 0.2, slowest
    assert fence.drops() == {("spans", "queue_full"): 500, ("logs", "queue_full"): 500}, fence.drops()
    """
    settings = {
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_BSP_MAX_QUEUE_SIZE": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "50",
        "OTEL_BLRP_MAX_QUEUE_SIZE": "100",
        "OTEL_METRICS_EXPORTER": "none",
        "GENAI_OTEL_EXIT_TIMEOUT": "0.2",
    }
    with HttpSink("silent") as sink:
        done = run(script, env={**sink.environment(), **settings}).ok()
    # The SDK says it once in 20 s for whatever was full, so at a boundary of its clock twice.
    assert done.err.count("Queue full, dropping") in (1, 2)
