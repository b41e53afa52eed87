"""OTLP backends that live in the test process: healthy, refusing, silent, failing, throttling or slow.

with HttpSink() as sink:                      # or GrpcSink()
    run(script, env=sink.environment())
    assert [span.name for span in sink.spans()] == ["chat gpt-4o-mini"]
    assert b"secret" not in sink.everything()
    sink.mode = "silent"
"""

from __future__ import annotations

import gzip
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Literal

from genai_otel.testing.directives import Plan
from genai_otel.testing.http_server import HttpServer
from genai_otel.testing.wire import Event, Reply, Request
from tests.harness import otlp
from tests.harness.patience import eventually

Mode = Literal["up", "refuse", "silent", "error", "throttle", "slow"]

_SIGNALS = ("traces", "metrics", "logs")


class Sink:
    """What was received, whatever the protocol. `mode` may be changed at any time.

    up: accepts. refuse: nobody listens. silent: takes requests and never answers. error: status 500.
    throttle: 429 with Retry-After 1. slow: a byte of the answer per second.
    """

    protocol: str

    def __init__(self, mode: Mode = "up") -> None:
        self._mode: Mode = mode
        self._raw: list[bytes] = []
        self._accepted: list[tuple[str, bytes]] = []
        self._lock = threading.Lock()

    @property
    @abstractmethod
    def endpoint(self) -> str: ...

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        before, self._mode = self._mode, mode
        if (before == "refuse") != (mode == "refuse"):
            self._close() if mode == "refuse" else self._listen()

    @abstractmethod
    def _listen(self) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...

    def environment(self) -> dict[str, str]:
        """The variables that send a process's telemetry here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": self.protocol}

    def receive(self, signal: str, headers: str, body: bytes, *, accept: bool) -> None:
        with self._lock:
            self._raw.append(headers.encode("utf-8", "replace") + b"\n" + body)
            if accept:
                self._accepted.append((signal, body))

    @property
    def attempts(self) -> int:
        """How many requests came, accepted or not."""
        return len(self._raw)

    def everything(self) -> bytes:
        """Every byte that came, headers too, uncompressed: for canaries."""
        return b"\n".join(self._raw)

    def clear(self) -> None:
        with self._lock:
            self._raw.clear()
            self._accepted.clear()

    def bodies(self, signal: str) -> list[bytes]:
        """The accepted requests of a signal: traces, metrics or logs."""
        assert signal in _SIGNALS, signal
        return [body for name, body in list(self._accepted) if name == signal]

    def spans(self, name: str | None = None) -> list[otlp.Span]:
        found = [span for body in self.bodies("traces") for span in otlp.spans(body)]
        return [span for span in found if name in (None, span.name)]

    def points(self, metric: str | None = None) -> list[otlp.Point]:
        """Every exported point in order: a series that is exported five times has five."""
        found = [point for body in self.bodies("metrics") for point in otlp.points(body)]
        return [point for point in found if metric in (None, point.metric)]

    def latest(self, metric: str) -> list[otlp.Point]:
        """The last point of each series of a metric."""
        return list({point.series: point for point in self.points(metric)}.values())

    def metrics(self) -> set[str]:
        """The names of all metrics that came."""
        return {point.metric for point in self.points()}

    def logs(self) -> list[otlp.Log]:
        return [log for body in self.bodies("logs") for log in otlp.logs(body)]

    def wait_for(self, condition: Callable[[Sink], object], *, timeout: float = 10.0) -> None:
        """Until `condition(sink)` holds; AssertionError after `timeout` seconds."""
        eventually(lambda: condition(self), timeout=timeout)


class HttpSink(Sink):
    """OTLP http/protobuf, on `/v1/{traces,metrics,logs}`."""

    protocol = "http/protobuf"

    def __init__(self, mode: Mode = "up") -> None:
        super().__init__(mode)
        self.server = _HttpSinkServer(self)

    @property
    def endpoint(self) -> str:
        return self.server.url

    def _listen(self) -> None:
        self.server.start()

    def _close(self) -> None:
        self.server.stop()

    def __enter__(self) -> HttpSink:
        if self.mode != "refuse":
            self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()


class _HttpSinkServer(HttpServer):
    def __init__(self, sink: Sink) -> None:
        super().__init__(keep=0)
        self._sink = sink

    def respond(self, request: Request) -> tuple[Reply, Plan]:
        body = request.body
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        mode = self._sink.mode
        headers = f"{request.path}\n{request.headers}"
        self._sink.receive(request.route.rpartition("/")[2], headers, body, accept=mode in ("up", "slow"))
        kind = "application/x-protobuf"
        if mode == "silent":
            return Reply(b""), Plan(hang=True)
        if mode == "slow":
            return Reply(events=[Event("x")] * 600, framing=_one_byte, content_type=kind), Plan(
                slow_chunk=1.0
            )
        if mode == "throttle":
            return Reply(b"", 429, {"retry-after": "1"}, kind), Plan()
        return Reply(b"", 500 if mode == "error" else 200, content_type=kind), Plan()


def _one_byte(event: Event) -> bytes:
    return str(event.data).encode()


class GrpcSink(Sink):
    """OTLP over gRPC. Messages stay bytes, so no generated service code is needed."""

    protocol = "grpc"

    def __init__(self, mode: Mode = "up") -> None:
        super().__init__(mode)
        self._server: Any = None  # grpc ships no types
        self._port = 0
        self._released = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _listen(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        import grpc as typed_grpc

        grpc: Any = typed_grpc  # its types are partly unknown
        self._released.clear()
        server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
        for signal in _SIGNALS:
            handler = grpc.unary_unary_rpc_method_handler(self._handler(signal))
            server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(_SERVICES[signal], {"Export": handler})]
            )
        self._port = server.add_insecure_port(f"127.0.0.1:{self._port}")
        server.start()
        self._server = server

    def _close(self) -> None:
        self._released.set()
        if self._server is not None:
            self._server.stop(0).wait(5)
            self._server = None

    def _handler(self, signal: str) -> Callable[[bytes, Any], bytes]:
        def export(body: bytes, context: Any) -> bytes:
            import grpc

            mode = self.mode
            headers = "\n".join(f"{key}: {value}" for key, value in context.invocation_metadata())
            self.receive(signal, headers, body, accept=mode == "up")
            if mode == "throttle":
                context.set_trailing_metadata([("google.rpc.retryinfo-bin", _retry_after(1))])
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")
            if mode == "error":
                context.abort(grpc.StatusCode.INTERNAL, "broken")
            if mode in ("silent", "slow"):  # a unary answer cannot come in pieces: slow is silent here
                self._released.wait(600)
            return b""

        return export

    def __enter__(self) -> GrpcSink:
        self._listen()
        if self.mode == "refuse":
            self._close()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


_SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}


def _retry_after(seconds: int) -> bytes:
    from google.protobuf.duration_pb2 import Duration
    from google.rpc import error_details_pb2

    details: Any = error_details_pb2  # generated, without types
    return details.RetryInfo(retry_delay=Duration(seconds=seconds)).SerializeToString()
