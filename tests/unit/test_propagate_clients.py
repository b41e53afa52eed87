"""Real HTTP clients with their instrumentations send trace headers to hosts of ours only, sampled or not."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import opentelemetry.propagate
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Tracer, TraceState

import genai_otel
from genai_otel import propagate

pytestmark = pytest.mark.usefixtures("global_propagator")


class _Server(ThreadingHTTPServer):
    seen: list[dict[str, str]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - the base class names any server

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """A server of this machine that is also known as api.vendor.example."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        vendor = host in ("api.vendor.example", b"api.vendor.example")
        return resolve("127.0.0.1" if vendor else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with _Server(("127.0.0.1", 0), _Handler) as http:
        http.seen = []
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def get_httpx(url: str, tracer: Tracer) -> None:
    httpx.get(url, trust_env=False)


def get_httpx_async(url: str, tracer: Tracer) -> None:
    async def get() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(url)

    asyncio.run(get())


def get_httpx2(url: str, tracer: Tracer) -> None:
    pytest.importorskip("httpx2").get(url, trust_env=False)


def get_httpx2_async(url: str, tracer: Tracer) -> None:
    async def get() -> None:
        async with pytest.importorskip("httpx2").AsyncClient(trust_env=False) as client:
            await client.get(url)

    asyncio.run(get())


def get_requests(url: str, tracer: Tracer) -> None:
    with pytest.importorskip("requests").Session() as session:
        session.trust_env = False
        session.get(url)


def get_urllib3(url: str, tracer: Tracer) -> None:
    with pytest.importorskip("urllib3").PoolManager() as pool:
        pool.request("GET", url)


def get_urllib(url: str, tracer: Tracer) -> None:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url):
        pass


def get_aiohttp(url: str, tracer: Tracer) -> None:
    async def get() -> None:
        async with pytest.importorskip("aiohttp").ClientSession() as session, session.get(url):
            pass

    asyncio.run(get())


def get_by_hand(url: str, tracer: Tracer) -> None:
    """As requests' instrumentation does it: the propagator sees the headers of the request, without the host."""
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes={"url.full": url}):
        opentelemetry.propagate.inject(headers)
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request):
            pass


@pytest.mark.parametrize(
    "sampler",
    [ALWAYS_ON, genai_otel.sampler(ALWAYS_OFF), genai_otel.sampler(ParentBased(ALWAYS_ON))],
    ids=["sampled", "dropped", "dropped_by_parent"],
)
@pytest.mark.parametrize(
    ("get", "instrumentor"),
    [
        (get_by_hand, ""),
        (get_httpx, "httpx.HTTPXClientInstrumentor"),
        (get_httpx_async, "httpx.HTTPXClientInstrumentor"),
        (get_httpx2, "httpx.HTTPX2ClientInstrumentor"),
        (get_httpx2_async, "httpx.HTTPX2ClientInstrumentor"),
        # Not among the packages that the tests need; run where they are.
        (get_requests, "requests.RequestsInstrumentor"),
        (get_urllib3, "urllib3.URLLib3Instrumentor"),
        (get_urllib, "urllib.URLLibInstrumentor"),
        (get_aiohttp, "aiohttp_client.AioHttpClientInstrumentor"),
    ],
)
def test_trace_headers_go_to_hosts_of_ours_only(
    server: _Server, get: Callable[[str, Tracer], None], instrumentor: str, sampler: Sampler
) -> None:
    propagate.install()
    port = server.server_address[1]
    provider = TracerProvider(sampler=sampler)
    came = SpanContext(1, 2, is_remote=True, trace_state=TraceState([("theirs", "x")]))
    above = trace.set_span_in_context(NonRecordingSpan(came), baggage.set_baggage("user", "42"))
    with instrumented(instrumentor, provider):
        token = context.attach(above)
        try:
            get(f"http://127.0.0.1:{port}/", provider.get_tracer("test"))
            get(f"http://api.vendor.example:{port}/", provider.get_tracer("test"))
        finally:
            context.detach(token)
    inside, outside = server.seen
    assert set(inside) == {*outside, "traceparent", "tracestate", "baggage"}
    assert inside["tracestate"] == "theirs=x"
    assert inside["traceparent"].startswith(f"00-{1:032x}-")
    assert inside["traceparent"].endswith("-01" if sampler is ALWAYS_ON else "-00")
    assert not outside.keys() & {"traceparent", "tracestate", "baggage"}


@contextmanager
def instrumented(name: str, provider: TracerProvider) -> Generator[None]:
    """The library's instrumentation switched on, where it is installed; nothing for an empty name."""
    if not name:
        yield
        return
    module, _, kind = name.rpartition(".")
    instrumentation: Any = pytest.importorskip(f"opentelemetry.instrumentation.{module}")
    if not hasattr(instrumentation, kind):
        pytest.skip(f"the installed version has no {kind}")
    instrumentor = getattr(instrumentation, kind)()
    before = instrumentor.is_instrumented_by_opentelemetry  # a set-up of another test in this process
    if before:
        instrumentor.uninstrument()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()
        if before:
            instrumentor.instrument()
