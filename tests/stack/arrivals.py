"""What Jaeger and Prometheus have, counted exactly."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from tests.harness.patience import eventually
from tests.harness.stack import Jaeger, Prometheus
from tests.stack.deliveries import SPANS, Sent
from tests.stack.site import Site

DURATION: Final = "gen_ai_client_operation_duration_seconds_count"
_TOKENS: Final = "gen_ai_client_token_usage_sum"
_INPUT_TOKENS: Final = 12  # of each call
_PATIENCE: Final = 60.0  # seconds that everything may take to come
_QUIET: Final = 10.0  # seconds without news after which nothing more will come: two decisions


@dataclass(frozen=True)
class Arrived:
    """The traces of a service, by sampler: how many different spans of each."""

    by_sampler: tuple[Mapping[str, int], ...]
    twice: int
    """Spans that a Jaeger has more than once."""

    @property
    def traces(self) -> Counter[str]:
        """How many different spans of each trace there are, at all samplers together."""
        have: Counter[str] = Counter()
        for traces in self.by_sampler:
            have.update(traces)
        return have

    @property
    def split(self) -> set[str]:
        """Traces that more than one sampler has."""
        times = Counter(trace for traces in self.by_sampler for trace in traces)
        return {trace for trace, count in times.items() if count > 1}

    def missing(self, sent: Sent) -> dict[str, int]:
        """The acknowledged traces that are not whole, with the number of their spans that did not come."""
        have = self.traces
        return {trace: SPANS - have[trace] for trace in sent.traces if have[trace] < SPANS}


def arrived(jaegers: tuple[Jaeger, ...], service: str) -> Arrived:
    found = [_traces(jaeger, service) for jaeger in jaegers]
    return Arrived(
        tuple({trace: len(set(spans)) for trace, spans in traces.items()} for traces in found),
        sum(len(spans) - len(set(spans)) for traces in found for spans in traces.values()),
    )


def total(prometheus: Prometheus, metric: str, *, over: str = "30m") -> float:
    """What a counter has counted in all its series, each point's rise added up: restarts begin again at zero."""
    found = prometheus.query(f"{metric}[{over}]")
    return sum(_rise([float(value) for _, value in series["values"]]) for series in found)


def all_of(scaled: Site, sent: Sent) -> Arrived:
    """Wait until each span that was acknowledged has come."""
    ended = time.monotonic()
    seen = arrived(scaled.jaegers, sent.service)
    while seen.missing(sent):
        if time.monotonic() > ended + _PATIENCE:
            report(f"after {_PATIENCE:.0f} s", sent, seen)
            pytest.fail(f"{len(seen.missing(sent))} traces are not whole")
        time.sleep(1)
        seen = arrived(scaled.jaegers, sent.service)
    print(f"\n  all there {time.monotonic() - ended:.0f} s after the last was sent")
    return seen


def settled(scaled: Site, sent: Sent) -> Arrived:
    """Wait until nothing has come for longer than a decision takes."""
    seen, since = arrived(scaled.jaegers, sent.service), time.monotonic()
    while time.monotonic() < since + _QUIET:
        time.sleep(1)
        now = arrived(scaled.jaegers, sent.service)
        if now != seen:
            seen, since = now, time.monotonic()
    return seen


def exact(scaled: Site, sent: Sent) -> None:
    """Each call is counted once, whatever happened behind the edges; requests sent again may count twice."""
    where = f'{{service_name="{sent.service}"}}'
    eventually(lambda: total(scaled.prometheus, DURATION + where) >= sent.spans, timeout=20, every=1)
    time.sleep(2)  # what would be counted twice is on its way
    found = total(scaled.prometheus, DURATION + where)
    print(f"  calls sent {sent.spans} (+{sent.repeated} sent again), counted {found:.0f}")
    assert sent.spans <= found <= sent.spans + sent.repeated
    tokens = total(scaled.prometheus, _TOKENS + where.replace("}", ',gen_ai_token_type="input"}'))
    assert tokens == found * _INPUT_TOKENS
    writers = {
        one["metric"].get("collector_instance_id") for one in scaled.prometheus.query(DURATION + where)
    }
    assert writers == {"edge-1", "edge-2"}


def report(what: str, sent: Sent, seen: Arrived) -> None:
    missing = seen.missing(sent)
    came = sent.spans - sum(missing.values())
    print(
        f"\n{what}: spans sent {sent.spans}, arrived {came}, twice {seen.twice};"
        f" traces {len(sent.traces)} = {' + '.join(str(len(traces)) for traces in seen.by_sampler)},"
        f" split {len(seen.split)}, lost {len(missing)}"
        f" of which in part {sum(spans < SPANS for spans in missing.values())}"
    )


def _rise(values: list[float]) -> float:
    pairs = zip([0.0, *values], values, strict=False)
    return sum(value - before if value >= before else value for before, value in pairs)


def _traces(jaeger: Jaeger, service: str) -> dict[str, list[str]]:
    found = jaeger.get("/api/traces", service=service, limit=100000, lookback="1h")["data"]
    return {trace["traceID"]: [span["spanID"] for span in trace["spans"]] for trace in found}
