"""Traces of a service that runs another tracer, sent as its SDK would send them behind a load balancer."""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_REQUEST: Any = ExportTraceServiceRequest
_VALUE: Any = AnyValue
_KEY_VALUE: Any = KeyValue

SPANS = 5
"""Of a trace: the server's, an agent's and its three calls of a model."""
CALLS = 3
INPUT_TOKENS = (100, 200, 300)
"""Of the three calls; what a back end has counted says which of them it saw."""
_BATCH = 10
_AGAIN = {429, 502, 503, 504}


@dataclass
class Sent:
    """What was acknowledged: when each trace was whole, and the calls in requests that had to be sent again."""

    service: str
    traces: dict[str, float] = field(default_factory=dict[str, float])
    repeated_calls: int = 0

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
            traces = [os.urandom(16) for _ in range(_BATCH)]
            for half in (0, 1):
                self._post(
                    spans_of(self.sent.service, traces, half), turn + half, calls=len(traces) * (1 + half)
                )
            moment = time.monotonic()
            self.sent.traces.update((trace.hex(), moment) for trace in traces)
            turn, due = turn + 1, due + self._every

    def _post(self, body: bytes, turn: int, *, calls: int) -> None:
        while not acknowledged(self._edges[turn % len(self._edges)], body):
            self.sent.repeated_calls += calls
            turn += 1
            time.sleep(0.05)


def acknowledged(edge: str, body: bytes) -> bool:
    """Whether a Collector has taken it; a refusal for good is an HTTPError."""
    request = urllib.request.Request(f"{edge}/v1/traces", body, {"Content-Type": "application/x-protobuf"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        if error.code in _AGAIN:
            return False
        raise
    except OSError:
        return False


def spans_of(service: str, traces: Sequence[bytes], half: int) -> bytes:
    """One request with the first or the second half of each trace: root and agent and a call, or two calls."""
    request = _REQUEST()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(attribute("service.name", service))
    scope = resource.scope_spans.add()
    for trace in traces:
        if half == 0:
            _add(scope, trace, 1, ("POST /ask", 2), {"http.request.method": "POST"})
            _add(scope, trace, 2, ("invoke_agent helper", 1), {"gen_ai.operation.name": "invoke_agent"})
        for call in range(CALLS)[slice(1) if half == 0 else slice(1, None)]:
            _add(scope, trace, 3 + call, ("chat gpt-5", 3), _call(call))
    return request.SerializeToString()


def large(service: str, trace: bytes, kilobytes: int) -> bytes:
    """One request with a trace of one span that has much to say, which no compression makes small."""
    request = _REQUEST()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(attribute("service.name", service))
    notes = {f"shop.note.{number}": os.urandom(25_000).hex() for number in range(kilobytes // 50)}
    _add(resource.scope_spans.add(), trace, 1, ("POST /ask", 2), notes)
    return request.SerializeToString()


def attribute(key: str, value: str | int) -> Any:
    any_value = _VALUE(int_value=value) if isinstance(value, int) else _VALUE(string_value=value)
    return _KEY_VALUE(key=key, value=any_value)


def _call(number: int) -> dict[str, str | int]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5",
        "gen_ai.usage.input_tokens": INPUT_TOKENS[number],
        "gen_ai.usage.output_tokens": 10,
    }


def _add(
    scope: Any, trace: bytes, number: int, named: tuple[str, int], about: Mapping[str, str | int]
) -> None:
    """Span ids are the trace's beginning and the number: the second half finds its parents. Name and kind are one."""
    end = time.time_ns()
    scope.spans.add(
        trace_id=trace,
        span_id=trace[:7] + bytes([number]),
        parent_span_id=b"" if number == 1 else trace[:7] + bytes([min(number - 1, 2)]),
        name=named[0],
        kind=named[1],
        start_time_unix_nano=end - 50_000_000,
        end_time_unix_nano=end,
        attributes=[attribute(key, value) for key, value in about.items()],
    )
