"""Trace headers and baggage reach hosts of ours and nobody else."""

import time
import timeit
from typing import Any

import opentelemetry.propagate
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState

import genai_otel
from genai_otel import fence, propagate
from genai_otel.context_keys import DESTINATION_KEY
from genai_otel.propagate import HostFilter

INSIDE = [
    "localhost", "LOCALHOST.", "api.localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "10.1.2.3", "172.16.0.9",
    "192.168.1.1", "169.254.1.1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0", "vllm", "gpu-box-7",
    "ollama.default.svc.cluster.local", "model.corp.internal",
]  # fmt: skip
OUTSIDE = [
    "api.openai.com", "8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "localhost.example.com", "local",
    "notlocal.com", "example.internal.com", "134744072", "0x08080808", "8.8.2056", "", ".", "10.0.0.1.evil.com",
    "internal.", "127.0.0.1.nip.io", "172.32.0.1",
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("global_propagator")


@pytest.mark.parametrize("host", INSIDE)
def test_inside(host: str) -> None:
    assert propagate.is_inside(host)


@pytest.mark.parametrize("host", [host for host in OUTSIDE if host not in ("local", "internal.")])
def test_outside(host: str) -> None:
    assert not propagate.is_inside(host)


@pytest.mark.parametrize(
    ("pattern", "host", "allowed"),
    [
        ("api.corp.com", "api.corp.com", True),
        ("API.corp.com", "api.CORP.com.", True),
        ("api.corp.com", "evil-api.corp.com", False),
        ("*.corp.com", "a.b.corp.com", True),
        ("*.corp.com", "corp.com", False),
        ("*.corp.com", "evilcorp.com", False),
        ("corp.com", "a.corp.com", False),
        ("*", "api.openai.com", True),
        ("", "api.openai.com", False),
        ("*.", "api.openai.com", False),
        ("8.8.8.8", "8.8.8.8", True),
    ],
)
def test_patterns(pattern: str, host: str, allowed: bool) -> None:
    assert HostFilter(opentelemetry.propagate.get_global_textmap(), [pattern]).allows(host) is allowed


def carrier_after(filtered: HostFilter, ctx: Context, **carrier: str) -> dict[str, str]:
    filtered.inject(carrier, ctx)
    return carrier


@pytest.fixture
def filtered() -> HostFilter:
    return HostFilter(opentelemetry.propagate.get_global_textmap(), ["*.corp.com"])


def client_span(attributes: dict[str, Any], kind: SpanKind = SpanKind.CLIENT, **provider: Any) -> Context:
    span = TracerProvider(**provider).get_tracer("test").start_span("call", kind=kind, attributes=attributes)
    return baggage.set_baggage("user", "42", trace.set_span_in_context(span, Context()))


SENT = {"traceparent", "baggage"}


@pytest.mark.parametrize(
    ("attributes", "sent"),
    [
        ({"server.address": "api.openai.com"}, False),
        ({"server.address": "127.0.0.1", "url.full": "http://api.openai.com/"}, True),
        ({"net.peer.name": "api.openai.com"}, False),
        ({"net.peer.name": "localhost"}, True),
        ({"http.host": "localhost:8000"}, True),
        ({"http.host": "api.openai.com:443"}, False),
        ({"http.url": "https://user:pw@api.openai.com:443/v1"}, False),
        ({"url.full": "http://[::1]:8080/v1"}, True),
        ({"server.address": "models.corp.com"}, True),
        ({"server.address": "::1"}, True),
        ({}, True),  # a client of something without a host
    ],
)
def test_the_client_span_decides(filtered: HostFilter, attributes: dict[str, Any], sent: bool) -> None:
    assert set(carrier_after(filtered, client_span(attributes))) == (SENT if sent else set())


def test_spans_of_other_kinds_do_not_decide(filtered: HostFilter) -> None:
    broker = client_span({"server.address": "broker.cloud.example"}, SpanKind.PRODUCER)
    assert set(carrier_after(filtered, broker)) == SENT


@pytest.mark.parametrize(
    ("destination", "host", "sent"),
    [
        ("api.openai.com", None, False),
        ("api.openai.com", "127.0.0.1", False),
        ("127.0.0.1", "login.vendor.com", False),  # the SDK fetches a token elsewhere during the call
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", None, True),
        ("", None, False),
        ("", "localhost", False),
    ],
)
def test_inside_a_call_every_known_host_must_be_allowed(
    filtered: HostFilter, destination: str, host: str | None, sent: bool
) -> None:
    ctx = client_span({} if host is None else {"server.address": host})
    ctx = context.set_value(DESTINATION_KEY, destination, ctx)
    carrier = carrier_after(filtered, ctx)
    assert set(carrier) == ({*SENT, "tracestate"} if sent else set())
    assert carrier.get("tracestate", "genai_otel=owned") == "genai_otel=owned"


@pytest.mark.parametrize(
    ("attributes", "sent"),
    [
        ({"server.address": "api.openai.com"}, False),
        ({"server.address": "127.0.0.1"}, True),
        ({"http.url": "https://api.openai.com/v1"}, False),
        ({"http.url": "http://models.corp.com/v1"}, True),
        ({"url.full": "http://[broken"}, False),
        ({"rpc.system": "grpc"}, True),
    ],
)
def test_a_span_that_is_sampled_out_decides_as_well(
    filtered: HostFilter, attributes: dict[str, Any], sent: bool
) -> None:
    ctx = client_span(attributes, sampler=genai_otel.sampler(ALWAYS_OFF))
    assert not trace.get_current_span(ctx).is_recording()
    assert set(carrier_after(filtered, ctx)) == (SENT if sent else set())


def test_a_host_is_of_its_span_alone(filtered: HostFilter) -> None:
    tracer = TracerProvider(sampler=genai_otel.sampler(ALWAYS_OFF)).get_tracer("test")
    came = SpanContext(1, 2, is_remote=True, trace_state=TraceState([("vendor", "x")]))
    parent = trace.set_span_in_context(NonRecordingSpan(came), Context())
    spans: list[tuple[SpanKind, dict[str, str], bool]] = [
        (SpanKind.CLIENT, {"server.address": "api.openai.com"}, False),
        (SpanKind.INTERNAL, {}, True),
        (SpanKind.CLIENT, {"server.address": "api.openai.com"}, False),
        (SpanKind.CLIENT, {"server.address": "localhost"}, True),
        (SpanKind.PRODUCER, {"server.address": "api.openai.com"}, True),
    ]
    for kind, attributes, sent in spans:  # each below the one before
        span = tracer.start_span("call", parent, kind, attributes)
        parent = trace.set_span_in_context(span, Context())
        carrier = carrier_after(filtered, parent)
        assert carrier.get("tracestate") == ("vendor=x" if sent else None)
        assert dict(span.get_span_context().trace_state) == {"vendor": "x"}


def test_the_host_header_decides_where_nobody_names_the_host(filtered: HostFilter) -> None:
    ctx = client_span({"server.address": "api.openai.com"}, sampler=ALWAYS_OFF)  # not our sampler
    assert set(carrier_after(filtered, ctx, host="api.openai.com")) == {"host"}
    assert set(carrier_after(filtered, ctx, Host="127.0.0.1:80")) == {"Host", *SENT}


def test_unknown_destinations_outside_calls_are_injected(filtered: HostFilter) -> None:
    remote = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    ctx = trace.set_span_in_context(NonRecordingSpan(remote))
    assert set(carrier_after(filtered, ctx)) == {"traceparent"}


class Raising(TextMapPropagator):
    @property
    def fields(self) -> set[str]:
        return {"x-mine"}

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        return baggage.set_baggage("extracted", getter.get(carrier, "x-mine"), context)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        raise ValueError("broken")


def test_extract_and_fields_pass_through_and_inject_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "strict", False)
    filtered = HostFilter(Raising())
    assert filtered.fields == {"x-mine"}
    extracted = filtered.extract({"x-mine": "value"}, Context())
    assert baggage.get_baggage("extracted", extracted) == ["value"]
    filtered.inject(dict[str, str]())
    filtered.inject(None, client_span({"url.full": "http://[broken"}))


def test_decisions_are_remembered_and_bounded(filtered: HostFilter) -> None:
    for number in range(5000):
        filtered.allows(f"host{number}.example.com")
    assert len(filtered._decided) <= 1024  # pyright: ignore[reportPrivateUsage]


def test_a_refused_injection_is_cheap(filtered: HostFilter) -> None:
    ctx = client_span({"server.address": "api.openai.com"})
    runs = timeit.repeat(
        lambda: filtered.inject(dict[str, str](), ctx), timer=time.thread_time, number=1000, repeat=5
    )
    seconds = min(runs) / 1000
    assert seconds < 50e-6  # 4 us on the machine that this was written on


def test_install_wraps_once_and_wraps_a_later_propagator() -> None:
    original = opentelemetry.propagate.get_global_textmap()
    propagate.install(["a.com"])
    propagate.install(["b.com"])
    installed = opentelemetry.propagate.get_global_textmap()
    assert isinstance(installed, HostFilter)
    assert installed.inner is original
    assert (installed.allows("a.com"), installed.allows("b.com")) == (False, True)
    other = Raising()
    opentelemetry.propagate.set_global_textmap(other)
    propagate.install()
    again = opentelemetry.propagate.get_global_textmap()
    assert isinstance(again, HostFilter)
    assert again.inner is other
