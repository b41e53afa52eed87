"""With other instrumentors on the same client each call is still counted once, whoever is there, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from itertools import combinations
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink

pytestmark = [pytest.mark.process, pytest.mark.rivals]

SCRIPT = """
import asyncio, gc, os
from importlib import metadata
import genai_otel
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.contract.payloads.openai import PAYLOAD

def instrumentor(distribution):
    (entry,) = metadata.distribution(distribution).entry_points.select(group="opentelemetry_instrumentor")
    entry.load()().instrument()

def langfuse():
    import langfuse
    keys = {"public_key": "pk-lf-test", "secret_key": "sk-lf-test"}
    langfuse.Langfuse(**keys, base_url=os.environ["MODELS"], span_exporter=InMemorySpanExporter())
    import langfuse.openai

def logfire():
    import logfire
    logfire.configure(send_to_logfire=False, console=False, metrics=False)
    logfire.instrument_openai()

def openlit():
    import openlit
    openlit.init(disable_batch=True, disable_metrics=True, pricing_json="{}")

STEPS = {
    "ours": genai_otel.setup,
    "genai": lambda: instrumentor("opentelemetry-instrumentation-genai-openai"),
    "openllmetry": lambda: instrumentor("opentelemetry-instrumentation-openai"),
    "openinference": lambda: instrumentor("openinference-instrumentation-openai"),
    "langfuse": langfuse,
    "logfire": logfire,
    "openlit": openlit,
}
for step in os.environ["ORDER"].split():
    STEPS[step]()

client, aclient = (PAYLOAD.make(os.environ["MODELS"], asynchronous) for asynchronous in (False, True))
cases = {case.path: case for case in PAYLOAD.cases}
chat, responses, embeddings = map(cases.get, ("chat.completions.create", "responses.create", "embeddings.create"))
model, usage = PAYLOAD.model, PAYLOAD.usage_in_stream
lookup = {"name": "lookup", "parameters": {"type": "object", "properties": {}}}

def failed(error):
    assert type(error).__name__ == "RateLimitError", error

chat.call(client, model)
chat.call(client, model, tools=[{"type": "function", "function": lookup}])
chat.call(client, model, via="with_raw_response").parse()
list(chat.stream(client, model, **usage))
with chat.help(client, model, **usage) as stream:
    list(stream)
with chat.stream(client, model) as stream:
    next(iter(stream))
responses.call(client, model)
list(responses.stream(client, model))
embeddings.call(client, model)
try:
    chat.call(client, model + "+error-429")
except Exception as error:
    failed(error)

async def main():
    await chat.call(aclient, model)
    async for _ in await chat.stream(aclient, model, **usage):
        pass
    async with await chat.stream(aclient, model) as stream:
        async for _ in stream:
            break
    await responses.call(aclient, model)
    async for _ in await responses.stream(aclient, model):
        pass
    await embeddings.call(aclient, model)
    try:
        await chat.call(aclient, model + "+error-429")
    except Exception as error:
        failed(error)
    await aclient.close()

asyncio.run(main())
gc.collect()  # one of them ends the span of a stream that was left only then
"""
CALLS = 17
WITHOUT_USAGE = 4
"""Two that failed, and two streams that were left."""
TOKENS = Counter(input=12 * (CALLS - WITHOUT_USAGE), output=7 * (CALLS - WITHOUT_USAGE - 2))
"""Embeddings have no output."""

INSTALLED = {distribution.name.lower() for distribution in metadata.distributions()}
OPENLIT = "openlit" in INSTALLED
"""It wants an older client than the others can have, so it has an environment of its own, `rivals-openai-2`."""

THREE = ("genai", "openllmetry", "openinference")
# Without us, too, an error is raised where OpenLIT comes before OpenLLMetry, or Langfuse stands beside the project's.


def _orders() -> list[str]:
    if OPENLIT:
        others = " ".join(THREE)
        return ["ours openlit", "openlit ours", f"ours {others} openlit", f"{others} openlit ours"]
    orders = [order for name in THREE for order in (f"ours {name}", f"{name} ours")]
    for one, other in combinations(THREE, 2):
        orders += [f"ours {one} {other}", f"{one} ours {other}", f"{other} {one} ours"]
    first, second, third = THREE
    orders += [f"ours {first} {second} {third}", f"{third} {second} {first} ours"]
    orders += [f"{second} ours {third} {first}", f"{third} {first} ours {second}"]
    orders += [
        "ours langfuse",
        "langfuse ours",
        f"ours {third} {second} langfuse",
        f"{second} ours langfuse {third}",
    ]
    orders += ["ours logfire", "logfire ours", f"logfire {third} ours {second} {first}"]
    return [*orders, f"ours {second} logfire langfuse {third}"]


@dataclass(frozen=True)
class Seen:
    """What left: spans of model calls, and what was counted."""

    spans: list[Any]
    calls: float
    tokens: Counter[str]
    scopes: set[str]
    said: str

    @property
    def owning(self) -> list[Any]:
        return [span for span in self.spans if span.attributes.get("genai_otel.measured")]


def run(warm: Warm, server: ModelServer, order: str, env: Mapping[str, str] | None = None) -> Seen:
    with HttpSink() as sink:
        wanted = {"MODELS": server.base_url, "ORDER": order, **sink.environment(), **(env or {})}
        said = warm.run(SCRIPT, wanted).out
        durations = sink.latest("gen_ai.client.operation.duration")
        usage = sink.latest("gen_ai.client.token.usage")
        tokens: Counter[str] = Counter()
        for point in usage:
            tokens[point.attributes["gen_ai.token.type"]] += int(point.sum)
        spans = [span for span in sink.spans() if "gen_ai.operation.name" in span.attributes]
        scopes = {point.scope for point in (*durations, *usage)}
        return Seen(spans, sum(point.count for point in durations), tokens, scopes, said)


def is_theirs(order: str) -> bool:
    """Whether one of them owns the TracerProvider, and with it what the exporters send."""
    return "logfire" in order or any(name in order.partition("ours")[0] for name in ("langfuse", "openlit"))


@pytest.mark.parametrize("order", _orders())
def test_one_call_is_one_count(warm: Warm, model_server: ModelServer, order: str) -> None:
    seen = run(warm, model_server, order)
    assert (seen.calls, seen.tokens) == (CALLS, TOKENS)
    assert seen.scopes == {"genai_otel"}
    if is_theirs(order):
        return
    assert len(seen.owning) == CALLS
    assert sum(span.scope == "genai_otel" for span in seen.spans) == CALLS
    rest = [span for span in seen.spans if span not in seen.owning]
    assert len({span.scope for span in seen.spans}) == len(order.split())  # each of them traces, beside us
    assert all(span.attributes.get("genai_otel.owner") is False for span in rest)


@pytest.mark.skipif(OPENLIT, reason="the same in the environment with the newest client")
@pytest.mark.parametrize("name", ["genai", "openllmetry"])  # OpenInference wraps what we do not
def test_who_else_instruments_is_said(warm: Warm, model_server: ModelServer, name: str) -> None:
    said = run(warm, model_server, f"{name} ours").said
    assert "openai is also instrumented by open" in said


@pytest.mark.skipif(OPENLIT, reason="the same in the environment with the newest client")
@pytest.mark.parametrize("ratio", ["0", "0.3"])
@pytest.mark.parametrize(
    "order", ["ours genai openllmetry openinference", "ours openinference openllmetry langfuse"]
)
def test_metrics_are_whole_at_any_sampling_ratio(
    warm: Warm, model_server: ModelServer, order: str, ratio: str
) -> None:
    sampled = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    seen = run(warm, model_server, order, sampled)
    assert (seen.calls, seen.tokens) == (CALLS, TOKENS)
    assert len(seen.owning) < CALLS


@pytest.mark.skipif(OPENLIT, reason="the same in the environment with the newest client")
@pytest.mark.parametrize("ratio", ["0", "1"])
@pytest.mark.parametrize(
    "order",
    [
        "ours genai",
        "ours openinference",
        "ours openllmetry",
        "ours langfuse",
        "ours genai openllmetry openinference",
    ],
)
def test_theirs_alone_are_counted_where_ours_are_off(
    warm: Warm, model_server: ModelServer, order: str, ratio: str
) -> None:
    sampled = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    seen = run(warm, model_server, order, {"GENAI_OTEL_CLIENTS_OFF": "openai", **sampled})
    assert (seen.calls, seen.tokens) == (CALLS, TOKENS)
    assert len(seen.owning) == CALLS * int(ratio)
