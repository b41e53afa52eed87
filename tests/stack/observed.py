"""A Collector between sinks of the test's: what comes out of it, and nothing behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.harness.otlp import Point, Span
from tests.harness.sink import GrpcSink, HttpSink
from tests.stack.collector import Collector


@dataclass
class Seen:
    """What came out of the Collector: traces, and metrics with logs."""

    traces: GrpcSink
    others: HttpSink
    collector: Collector

    def spans(self, service: str) -> list[Span]:
        return [span for span in self.traces.spans() if span.resource["service.name"] == service]

    def points(self, service: str) -> list[Point]:
        return [point for point in self.others.points() if point.resource["service.name"] == service]


class Running:
    """A Collector between sinks, while the block runs; ``more`` are fragments on top of the bundled ones."""

    def __init__(self, state: Path, *more: Path, **env: str) -> None:
        self._traces, self._others = GrpcSink(), HttpSink()
        self._state, self._more, self._env = state, more, env

    def __enter__(self) -> Seen:
        traces, others = self._traces.__enter__(), self._others.__enter__()
        ends = dict.fromkeys(("PROMETHEUS_URL", "LOKI_URL"), others.endpoint)
        address = traces.endpoint.removeprefix("http://")
        self._collector = Collector(
            self._state, *self._more, env={"JAEGER_OTLP": address, **ends, **self._env}
        )
        return Seen(traces, others, self._collector.start())

    def __exit__(self, *_: object) -> None:
        self._collector.kill()
        self._others.__exit__()
        self._traces.__exit__()
