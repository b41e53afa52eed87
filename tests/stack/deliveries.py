"""Traces sent over several edges, as by programs behind a load balancer, and what of them was acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.stack.posting import Batch, post

_REQUEST: Any = ExportTraceServiceRequest  # generated, without types

SPANS = 5
"""Of a trace, each a call of a model."""
_BATCH = 10  # traces in a request


@dataclass
class Sent:
    """What was acknowledged: when each trace was whole, and how many spans were in requests sent again."""

    service: str
    traces: dict[str, float] = field(default_factory=dict[str, float])
    repeated: int = 0

    @property
    def spans(self) -> int:
        return SPANS * len(self.traces)

    def between(self, start: float, end: float) -> set[str]:
        return {trace for trace, moment in self.traces.items() if start <= moment < end}


class Load:
    """Sends traces at a steady rate until the `with` block ends; each half of a trace goes to another edge.

    A request that is not acknowledged is sent again, to the next edge, until one takes it.
    """

    def __init__(self, service: str, edges: Sequence[str], *, traces_per_second: float) -> None:
        self.sent = Sent(service)
        self._batch = Batch(service, _BATCH, spans=SPANS)
        self._edges = edges
        self._every = _BATCH / traces_per_second
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Sent:
        self._thread.start()
        return self.sent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _send(self) -> None:
        turn, due = 0, time.monotonic()
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            first, second, traces = halves(self._batch.renewed())
            self._post(first, turn, spans=2 * _BATCH)
            self._post(second, turn + 1, spans=3 * _BATCH)
            self.sent.traces.update(dict.fromkeys(traces, time.monotonic()))
            turn, due = turn + 1, due + self._every

    def _post(self, body: bytes, turn: int, *, spans: int) -> None:
        while (status := post(self._edges[turn % len(self._edges)], body)) != 200:
            assert status in {0, 429, 502, 503, 504}, f"refused for good: {status}"
            self.sent.repeated += spans
            turn += 1
            time.sleep(0.05)


def halves(body: bytes) -> tuple[bytes, bytes, list[str]]:
    """The first two spans of each trace of a request, the other three, and the ids of the traces."""
    first, second = (_REQUEST.FromString(body) for _ in range(2))
    traces = [span.trace_id.hex() for span in _spans(first)[::SPANS]]
    for number in reversed(range(SPANS * len(traces))):
        del _spans(second if number % SPANS < 2 else first)[number]
    return first.SerializeToString(), second.SerializeToString(), traces


def _spans(request: Any) -> Any:
    return request.resource_spans[0].scope_spans[0].spans
