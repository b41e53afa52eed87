"""A model vendor gets the bytes that the client would send without us: no trace headers, no baggage."""

import pytest

from genai_otel.testing import ModelServer
from tests.harness.process import run

pytestmark = pytest.mark.process

SCRIPT = """
import asyncio, socket, sys
port, host, prologue = sys.argv[1:]
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda name, *a, **k: resolve("127.0.0.1" if "vendor" in str(name) else name, *a, **k)
exec(prologue)
from openai import AsyncOpenAI, OpenAI
from opentelemetry import baggage, context
context.attach(baggage.set_baggage("user", "42"))
settings = {"base_url": f"http://{host}:{port}/v1", "api_key": "key"}
body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
with OpenAI(**settings) as client:
    client.chat.completions.create(**body)
    for _ in client.chat.completions.create(**body, stream=True):
        pass
    completions = client.chat.completions
    if not hasattr(completions, "stream"):  # its place before openai 1.92
        completions = client.beta.chat.completions
    with completions.stream(**body) as stream:
        stream.get_final_completion()
    client.chat.completions.with_raw_response.create(**body).parse()

async def main():
    async with AsyncOpenAI(**settings) as client:
        await client.chat.completions.create(**body)
        async for _ in await client.chat.completions.create(**body, stream=True):
            pass

asyncio.run(main())
"""
Sent = list[tuple[dict[str, str], bytes]]
SILENT = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
TRACE = {"traceparent", "baggage"}
OWNED = {"tracestate"}  # this call is counted here


def requests(host: str, prologue: str, **env: str) -> Sent:
    """Headers and bodies of the six requests, as the server got them."""
    with ModelServer() as server:
        port = server.url.rpartition(":")[2]
        run(SCRIPT, arguments=[port, host, prologue], env={**SILENT, **env}).ok()
        assert len(server.requests) == 6
        # The port differs from run to run; nothing else may.
        return [
            ({name: value.replace(port, "PORT") for name, value in each.headers.items()}, each.body)
            for each in server.requests
        ]


SET_UP = """
import genai_otel
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
genai_otel.setup(span_exporters=[InMemorySpanExporter()]{more})
"""


@pytest.fixture(scope="module")
def without_us() -> Sent:
    return requests("api.vendor.example", "")


@pytest.mark.parametrize("sampler", ["always_on", "always_off"])
def test_a_vendor_gets_what_it_would_get_without_us(sampler: str, without_us: Sent) -> None:
    assert requests("api.vendor.example", SET_UP.format(more=""), OTEL_TRACES_SAMPLER=sampler) == without_us


@pytest.mark.parametrize(
    ("host", "more"),
    [
        ("127.0.0.1", ""),
        ("localhost", ""),
        ("api.vendor.example", ", propagate_to=['*.vendor.example']"),
    ],
)
def test_hosts_of_ours_get_trace_headers(host: str, more: str) -> None:
    for headers, _ in requests(host, SET_UP.format(more=more)):
        assert set(headers) >= TRACE | OWNED


BY_HAND = """
import sys
exec(sys.argv[1])
from opentelemetry import baggage, context, propagate, trace
context.attach(baggage.set_baggage("user", "42"))
sent = []
for host in ("10.0.0.1", "api.vendor.example"):
    headers = {}
    url = {"url.full": f"https://{host}/"}
    with trace.get_tracer("library").start_as_current_span("GET", kind=trace.SpanKind.CLIENT, attributes=url):
        propagate.inject(headers)
    sent.append(sorted(headers))
print(sent)
"""


@pytest.mark.parametrize("sampler", ["always_on", "always_off", "parentbased_traceidratio"])
def test_other_requests_are_filtered_whether_sampled_or_not(sampler: str) -> None:
    env = {**SILENT, "OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0"}
    done = run(BY_HAND, arguments=[SET_UP.format(more="")], env=env).ok()
    assert done.out.strip() == str([sorted(TRACE), []])
