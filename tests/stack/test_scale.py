"""Past one machine: edges, Kafka and samplers as real programs, some of them killed in the middle; see docs/sizing.md.

Each test sends a service of its own and prints what it has seen: spans sent, arrived, split, lost, seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from genai_otel.testing import ModelServer
from tests.harness.patience import eventually
from tests.harness.process import Process
from tests.stack.arrivals import DURATION, all_of, arrived, exact, report, settled
from tests.stack.costs import measure
from tests.stack.deliveries import Load, Sent
from tests.stack.posting import Batch, post
from tests.stack.site import TOPIC, Site, replace, site

WAIT = 5.0  # seconds of a decision in these tests
QUEUE = 300  # spans, of a sampler whose queue is to be full
RATE = 60.0  # traces a second


# Calls of a model, each a tenth of a second after the other.
_PROGRAM = """
import sys, time
import openai, genai_otel

service, calls, model_server = sys.argv[1:]
handle = genai_otel.setup(service_name=service)
client = openai.OpenAI(base_url=model_server, api_key="none", max_retries=0)
for _ in range(int(calls)):
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Good day!"}])
    print("a call")
    time.sleep(0.1)
handle.shutdown()
"""


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    wait = f"{WAIT}s"
    with site(
        tmp_path_factory.mktemp("scale"),
        SAMPLING_DECISION_WAIT=wait,
        SAMPLING_AFTER_ROOT=wait,
        SAMPLING_BASELINE_PERCENT="100",
    ) as running:
        yield running


def test_each_trace_is_whole_on_one_sampler(scaled: Site) -> None:
    sent = run(scaled, "shop-even", 6)
    seen = all_of(scaled, sent)
    report("even", sent, seen)
    assert not seen.split
    assert not seen.twice
    assert all(seen.by_sampler), "a sampler got nothing"
    for sampler in scaled.samplers:  # what the alert PipelineKafkaBehind stands on
        lag = "otelcol_kafka_receiver_offset_lag"
        assert {**sampler.says(lag), **sampler.says(f"{lag}_ratio")}
    exact(scaled, sent)


def test_an_edge_killed_loses_nothing(scaled: Site) -> None:
    def kill() -> None:
        scaled.edges[0].kill()
        time.sleep(3)
        scaled.edges[0].start()

    sent = run(scaled, "shop-edge", 3, kill, 3)
    report("edge killed", sent, all_of(scaled, sent))
    exact(scaled, sent)


def test_a_broker_killed_loses_nothing(scaled: Site) -> None:
    def kill() -> None:
        leader = scaled.brokers.leader(TOPIC)
        scaled.brokers.kill(leader)
        time.sleep(5)
        scaled.brokers.start(leader)

    sent = run(scaled, "shop-broker", 3, kill, 3)
    seen = all_of(scaled, sent)
    report("broker killed", sent, seen)
    assert not seen.split
    exact(scaled, sent)


def test_a_sampler_killed_loses_at_most_the_traces_that_wait(scaled: Site) -> None:
    """With the offsets committed each second nothing comes again: what one wait holds is gone, half of it here."""
    sampler = scaled.samplers[0]
    moments: list[float] = []

    def kill() -> None:
        moments.append(time.monotonic())
        sampler.kill()
        time.sleep(2)
        sampler.start()

    replace(sampler, SAMPLER_COMMIT_INTERVAL="1s")
    sent = run(scaled, "shop-sampler", WAIT + 3, kill, 3)
    seen = settled(scaled, sent)
    report("sampler killed, offsets committed each second", sent, seen)
    waiting = sent.between(moments[0] - WAIT - 2, moments[0] + 1)
    assert seen.missing(sent).keys() <= waiting
    assert not seen.split
    exact(scaled, sent)


def test_a_sampler_replaced_and_one_killed_long_after_its_last_commit_lose_nothing(scaled: Site) -> None:
    """One that is told to end decides on what waits, and commits; what waits at a kill was not committed yet."""
    sampler = scaled.samplers[0]

    def rollout() -> None:
        replace(sampler, SAMPLER_COMMIT_INTERVAL="300s")

    def kill() -> None:
        sampler.kill()
        time.sleep(2)
        sampler.start()

    sent = run(scaled, "shop-interval", 3, rollout, WAIT + 3, kill, 3)
    seen = all_of(scaled, sent)
    report("sampler replaced, and killed before it commits again", sent, seen)
    assert not seen.split
    exact(scaled, sent)


def test_a_back_end_that_is_away_fills_kafka_and_not_the_sampler(scaled: Site) -> None:
    """A sampler whose queue is full waits: it neither drops nor grows, and what it does not read stays in Kafka."""
    behind = scaled.stacks[1]

    def away() -> None:
        behind.kill("jaeger")
        time.sleep(WAIT + 5)
        assert sum(sampler.says("otelcol_exporter_queue_size").values()) <= QUEUE
        behind.up("jaeger")

    sampler = scaled.samplers[1]
    replace(sampler, OTELCOL_QUEUE_ITEMS=str(QUEUE))
    sent = run(scaled, "shop-away", away)
    seen = all_of(scaled, sent)
    report(f"Jaeger away, {QUEUE} spans fit the sampler's queue", sent, seen)
    assert sum(seen.by_sampler[1].values()) > 2 * QUEUE


def test_a_trace_larger_than_kafkas_default_passes(scaled: Site) -> None:
    """With captured content a trace can be larger than the megabyte at which Kafka's clients and brokers stop."""
    notes = {
        f"shop.note.{number}": os.urandom(25_000).hex() for number in range(60)
    }  # 3 MB, not compressible
    assert post(scaled.edges[0].endpoint, Batch("shop-large", 1, said=notes).renewed()) == 200
    seen = eventually(lambda: arrived(scaled.jaegers, "shop-large").traces, timeout=30, every=0.5)
    assert list(seen.values()) == [1]


def test_what_programs_measure_themselves_passes_an_edge_that_dies(scaled: Site) -> None:
    """Totals of a long one, whose edge is away for a while; differences of short ones, which each edge adds up."""
    address = {"OTEL_EXPORTER_OTLP_ENDPOINT": scaled.edges[0].endpoint}
    with ModelServer() as model:
        with Process.script(_PROGRAM, arguments=("shop-long", "40", model.base_url), env=address) as program:
            program.wait_for("a call", timeout=30)
            scaled.edges[0].kill()
            time.sleep(2)
            scaled.edges[0].start()
            program.finish().ok()
        for number in range(4):
            env = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": scaled.edges[number % 2].endpoint,
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
            }
            with Process.script(_PROGRAM, arguments=("shop-short", "3", model.base_url), env=env) as job:
                job.finish().ok()
    for service, written in (("shop-long", {"40"}), ("shop-short", {"6"})):
        of_it = f'{DURATION}{{service_name="{service}"}}'
        calls = 40 if service == "shop-long" else 12
        scaled.prometheus.reaches(f"sum({of_it})", calls)
        assert {one["value"][1] for one in scaled.prometheus.query(of_it)} == written
        print(f"\n{service}: {calls} calls made and counted, in series of {written}")


def test_what_it_costs(scaled: Site) -> None:
    """The figures of docs/sizing.md, and that nothing is lost or counted twice at these rates either."""
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    sent = 0
    for rate in (1_000, 4_000):
        taken, told = measure(scaled, "shop-cost", rate)
        sent += taken
        print(f"  {told}")
    scaled.prometheus.reaches(f'sum({DURATION}{{service_name="shop-cost"}})', sent)


def run(scaled: Site, service: str, *steps: float | Callable[[], None]) -> Sent:
    """Send while the steps pass: seconds to wait, or something to do."""
    edges = [edge.endpoint for edge in scaled.edges]
    with Load(service, edges, traces_per_second=RATE) as sent:
        for step in steps:
            if callable(step):
                step()
            else:
                time.sleep(step)
    return sent
