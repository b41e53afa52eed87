"""Back ends that are down, slow or killed, and the Collector killed between them: all that was taken arrives."""

from __future__ import annotations

import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.harness.patience import eventually
from tests.harness.stack import Stack, running
from tests.stack.posting import Batch, post
from tests.stack.sending import logging_to

_TRACES, _SPANS, _LINES = 4, 100, 50
BACK_ENDS = ("jaeger", "prometheus", "loki")


class Sent(NamedTuple):
    """What a service has sent, and what of it each back end has."""

    service: str
    traces: list[str]

    def arrived(self, stack: Stack, back_end: str) -> int:
        """Spans in Jaeger, calls in Prometheus, lines in Loki."""
        if back_end == "jaeger":
            found = [stack.jaeger.get(f"/api/traces/{trace}")["data"] for trace in self.traces]
            return sum(len({span["spanID"] for span in each[0]["spans"]}) for each in found if each)
        if back_end == "prometheus":
            calls = (
                f'gen_ai_client_token_usage_count{{service_name="{self.service}",gen_ai_token_type="input"}}'
            )
            return int(stack.prometheus.value(f"sum({calls})") or 0)
        return sum(len(stream["values"]) for stream in stack.loki.query(f'{{service_name="{self.service}"}}'))

    def waits(self, stack: Stack, back_end: str, *, timeout: float = 90) -> float:
        """Seconds until all of it has arrived."""
        began = time.monotonic()
        wanted = _LINES if back_end == "loki" else _TRACES * _SPANS
        eventually(
            lambda: _asked(lambda: self.arrived(stack, back_end)) >= wanted, timeout=timeout, every=0.2
        )
        assert self.arrived(stack, back_end) == wanted
        return time.monotonic() - began


def _asked(question: Callable[[], int]) -> int:
    try:
        return question()
    except OSError:
        return 0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this file's own, because its programs are killed."""
    with running(tmp_path_factory.mktemp("faults"), "otelcol", *BACK_ENDS) as stack:
        yield stack


def send(stack: Stack, service: str) -> Sent:
    """Spans of calls and log records of a service; all of it is acknowledged."""
    batch = Batch(service, _TRACES, spans=_SPANS)
    assert post(stack.otlp_http, batch.renewed()) == 200
    with logging_to(stack.otlp_http, service) as provider:
        logger = provider.get_logger("app")
        for number in range(_LINES):
            logger.emit(body=f"line {number}", timestamp=time.time_ns())
    return Sent(service, batch.trace_ids)


@pytest.mark.parametrize("way", ["down", "slow"])
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_one_that_fails_holds_up_nobody_and_gets_all_of_it_later(own: Stack, back_end: str, way: str) -> None:
    if way == "down":
        own.kill(back_end)
    else:
        own.signal(back_end, signal.SIGSTOP)  # takes connections and never answers
    try:
        sent = send(own, f"{way}-{back_end}")
        others = {each: sent.waits(own, each) for each in BACK_ENDS if each != back_end}
    finally:
        if way == "down":
            own.up(back_end)
        else:
            own.signal(back_end, signal.SIGCONT)
    seconds = sent.waits(own, back_end)
    told = ", ".join(f"{each} {took:.1f} s" for each, took in others.items())
    print(
        f"\n{back_end} {way}: sent {_TRACES * _SPANS} spans and {_LINES} lines; meanwhile {told}; "
        f"{back_end} has all of it {seconds:.1f} s after its return"
    )


def test_a_collector_that_is_killed_between_dead_back_ends_delivers_all_of_it(own: Stack) -> None:
    for back_end in BACK_ENDS:
        own.kill(back_end)
    sent = [send(own, f"killed-{number}") for number in range(5)]
    own.kill("otelcol")
    own.up(*BACK_ENDS, "otelcol")
    seconds = {back_end: max(each.waits(own, back_end) for each in sent) for back_end in BACK_ENDS}
    told = ", ".join(f"{back_end} {took:.1f} s" for back_end, took in seconds.items())
    arrived = f"{5 * _TRACES * _SPANS} spans and {5 * _LINES} lines"
    print(f"\nall down and the Collector killed: {arrived} arrived; after its start {told}")


def test_an_outage_is_caught_up(own: Stack) -> None:
    own.kill("jaeger")
    batch, traces = Batch("outage", 1, spans=500), list[str]()
    for _ in range(60):
        assert post(own.otlp_http, batch.renewed()) == 200
        traces += batch.trace_ids
    own.up("jaeger")
    began = time.monotonic()
    eventually(lambda: _waiting(own, "otlp_grpc/jaeger") == 0, timeout=120, every=0.5)
    seconds = time.monotonic() - began
    sent = Sent("outage", traces)
    eventually(lambda: sent.arrived(own, "jaeger") == 30_000, timeout=60, every=2)
    print(
        f"\noutage: 30,000 spans waited, all have arrived; the queue was empty {seconds:.1f} s after its return"
    )


def _waiting(stack: Stack, exporter: str) -> float:
    url = f"http://127.0.0.1:{stack.ports['OTELCOL_METRICS_PORT']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    sizes = [line for line in lines if line.startswith("otelcol_exporter_queue_size") and exporter in line]
    return sum(float(line.rpartition(" ")[2]) for line in sizes)


def test_a_back_end_that_is_restarted_in_order_loses_nothing(own: Stack) -> None:
    sent = send(own, "restarted")
    for back_end in BACK_ENDS:
        own.down(back_end)
        own.up(back_end)
    for back_end in BACK_ENDS:
        sent.waits(own, back_end)
