"""Who asks, as far as it goes: to other processes, and as labels of metrics, which are few whatever callers say."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import HttpSink
from tests.harness.web import address, serve

pytestmark = pytest.mark.process

INNER = """
import genai_otel
genai_otel.setup()
from fastapi import FastAPI

app = FastAPI()

@app.get("/ask")
async def ask():
    with genai_otel.inference(provider="mine", model="m"):
        return {}
"""

OUTER = """
import os
import genai_otel
genai_otel.setup(metric_keys=["tenant", "plant.id"])
import httpx
from fastapi import FastAPI, Request
from opentelemetry import trace

app = FastAPI()

@app.get("/items/{number}")
async def item(number: int, request: Request):
    tenant = request.headers.get("x-tenant")
    with trace.get_tracer("mine").start_as_current_span("own"), genai_otel.context(tenant=tenant, user="ada"):
        async with httpx.AsyncClient() as client:
            await client.get(os.environ["INNER"] + "/ask")
        with genai_otel.inference(provider="mine", model="m") as call:
            call.response(input_tokens=1)
    return {}

@app.get("/broken")
async def broken():
    with genai_otel.context(tenant="acme"):
        raise RuntimeError("ours")
"""


def status(url: str, **headers: str) -> int:
    """Of an answer to a client that nobody traces."""
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.seed_rows("002-06", "002-29")
@pytest.mark.parametrize("ratio", ["1.0", "0.0"])
def test_a_tenant_reaches_the_next_service_and_the_metrics_of_this_one(
    ratio: str, tmp_path: Path, sink: HttpSink
) -> None:
    distribution(tmp_path, "told", modules={"inner": INNER, "outer": OUTER})
    sampling = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    with (
        serve(tmp_path, "inner", sink, GENAI_OTEL_ACCEPT_BAGGAGE="tenant,user", **sampling) as inner,
        serve(tmp_path, "outer", sink, INNER=address(inner), **sampling) as outer,
    ):
        base = address(outer)
        statuses = [status(f"{base}/items/7", x_tenant=tenant) for tenant in ("acme", "acme", "other")]
        assert [*statuses, status(f"{base}/items/7"), status(f"{base}/broken")] == [200, 200, 200, 200, 500]
        for server in (outer, inner):
            server.signal(signal.SIGTERM)
            server.finish()
    calls = [span for span in sink.spans() if span.scope == "genai_otel"]
    if ratio == "1.0":
        assert {span.attributes.get("genai_otel.tenant") for span in calls} == {"acme", "other", None}
        assert all(span.attributes["user.hash"] for span in calls)
    else:
        assert sink.spans() == []
    requests = sorted(
        (point.attributes.get("genai_otel.tenant", ""), point.attributes["http.route"], point.count)
        for point in sink.latest("http.server.request.duration")
        if point.resource["service.name"] == "outer"
    )
    assert requests == [
        ("", "/items/{number}", 1),
        ("acme", "/broken", 1),
        ("acme", "/items/{number}", 2),
        ("other", "/items/{number}", 1),
    ]
    tokens = {
        point.attributes.get("genai_otel.tenant"): point.sum
        for point in sink.latest("gen_ai.client.token.usage")
    }
    assert tokens == {"acme": 2, "other": 1, None: 1}
    labels = {name for point in sink.points() for name in point.attributes}
    assert not {name for name in labels if name.startswith(("user", "session", "enduser"))}
    (untouched,) = [
        point
        for point in sink.latest("http.server.request.duration")
        if point.resource["service.name"] == "inner"
    ]
    assert (untouched.count, "genai_otel.tenant" in untouched.attributes) == (4, False)


def test_baggage_of_anybody_is_not_believed(tmp_path: Path, sink: HttpSink) -> None:
    distribution(tmp_path, "told", modules={"inner": INNER})
    with serve(tmp_path, "inner", sink) as inner:
        assert status(f"{address(inner)}/ask", baggage="genai_otel.tenant=acme,user.id=root") == 200
        inner.signal(signal.SIGTERM)
        inner.finish()
    assert len(sink.spans()) == 2
    assert not [span for span in sink.spans() if {"genai_otel.tenant", "user.id"} & span.attributes.keys()]


OPEN = """
import genai_otel
from genai_otel.testing import telemetry

recorded = telemetry(metric_keys=["tenant"])
with genai_otel.context(tenant="acme", user="ada"), genai_otel.agent("planner"), genai_otel.serve(model="tiny"):
    with genai_otel.inference(provider="mine", model="m"):
        for name in ("genai_otel.agent.active", "genai_otel.client.active_operations",
                     "genai_otel.server.active_requests"):
            (point,) = recorded.metrics()[name]
            print(point.value, sorted(point.attributes.items())[-1])
(point,) = recorded.metrics()["gen_ai.invoke_agent.duration"]
print(point.attributes)
"""


@pytest.mark.seed_rows("002-47", "002-07")
def test_what_is_open_and_what_agents_do_has_the_labels_too() -> None:
    said = "1 ('genai_otel.tenant', 'acme')"
    duration = "{'gen_ai.agent.name': 'planner', 'genai_otel.tenant': 'acme'}"
    assert run(OPEN).ok().out.splitlines() == [said, said, said, duration]


MANY = """
import genai_otel
from genai_otel.testing import telemetry

recorded = telemetry(metric_keys=["tenant"])
for number in range(250):
    with genai_otel.context(tenant=f"{number:0100}", user=f"u{number}"):
        with genai_otel.inference(provider="mine", model="m") as call:
            call.response(input_tokens=1)
points = recorded.metrics()["gen_ai.client.token.usage"]
counts = {point.attributes["genai_otel.tenant"]: point.count for point in points}
print(len(points), counts.pop("__other__"), set(counts.values()), sum(point.sum for point in points))
print({len(name) for name in counts}, {name for point in points for name in point.attributes if "user" in name})
print(len({span.attributes["genai_otel.tenant"] for span in recorded.spans()}))
"""


@pytest.mark.seed_rows("001-10", "001-12", "003-33")
@pytest.mark.parametrize("owner", ["ours", "the user's"])
def test_labels_are_bounded_and_sums_stay_right(owner: str) -> None:
    theirs = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from genai_otel.testing import in_memory
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
in_memory.InMemoryExporters.metrics = property(lambda _: reader, lambda _, __: None)
"""
    script = MANY.replace("0100", "060") if owner == "ours" else theirs + MANY.replace("0100", "060")
    assert run(script).ok().out.splitlines() == ["101 150 {1} 250", "{60} set()", "250"]


COST = """
import genai_otel
from genai_otel.testing import telemetry

recorded = telemetry(metric_keys=["tenant"])
with genai_otel.context(tenant="acme"):
    with genai_otel.inference(provider="openai", model="gpt-4o-mini") as call:
        call.response(input_tokens=1000, output_tokens=10)
    with genai_otel.serve(provider="openai", model="gpt-4o-mini") as served:
        served.response(input_tokens=1000, output_tokens=10)
print([(span.kind.name, "genai_otel.cost.amount" in span.attributes) for span in recorded.calls()])
points = recorded.metrics()["genai_otel.client.cost"]
print([(point.attributes["genai_otel.cost.component"], point.attributes["genai_otel.tenant"]) for point in points])
(amount,) = [value for span in recorded.calls() if (value := span.attributes.get("genai_otel.cost.amount"))]
print(abs(sum(point.value for point in points) - amount) < 1e-12)
"""


@pytest.mark.seed_rows("003-33")
def test_who_asks_pays_and_for_whom_is_a_label_of_the_cost() -> None:
    assert run(COST).ok().out.splitlines() == [
        "[('CLIENT', True), ('SERVER', False)]",
        "[('input', 'acme'), ('output', 'acme')]",
        "True",
    ]


EXIT = """
import os, sys
import genai_otel

genai_otel.setup()
call = genai_otel.inference(provider="mine", model="forgotten").start()
served = genai_otel.serve(provider="mine", model="served").start()
if os.fork() == 0:  # a child does not own its parent's
    call.end()
    served.end()
    os._exit(0)
os.wait()
with genai_otel.inference(provider="mine", model="streamed") as streamed:
    next(streamed.stream([1, 2]))
    sys.exit(3)
"""


def test_calls_that_are_open_when_the_process_ends(sink: HttpSink) -> None:
    assert run(EXIT, env=sink.environment()).code == 3
    assert sorted((span.name, span.attributes["genai_otel.outcome"]) for span in sink.spans()) == [
        ("chat forgotten", "abandoned"),
        ("chat served", "abandoned"),
        ("chat streamed", "cancelled"),
    ]
