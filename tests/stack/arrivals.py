"""What Jaeger and Prometheus have, counted exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.harness.stack import Jaeger, Prometheus
from tests.stack.foreign import SPANS, Sent


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


def _rise(values: list[float]) -> float:
    pairs = zip([0.0, *values], values, strict=False)
    return sum(value - before if value >= before else value for before, value in pairs)


def _traces(jaeger: Jaeger, service: str) -> dict[str, list[str]]:
    found = jaeger.get("/api/traces", service=service, limit=100000, lookback="1h")["data"]
    return {trace["traceID"]: [span["spanID"] for span in trace["spans"]] for trace in found}
