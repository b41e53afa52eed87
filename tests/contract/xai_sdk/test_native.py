"""The client's own tracing, which is on with all that is said: off beside ours, or used in its place."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY, Payload
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

SCRIPT = """
import asyncio, os, sys
import genai_otel

early = bool(os.environ.get("EARLY"))
if early:
    import xai_sdk.sync.chat, xai_sdk.aio.chat
genai_otel.setup()
import xai_sdk
from xai_sdk.chat import user

def make(kind):
    host = os.environ["MODELS"].removeprefix("http://").removesuffix("/v1")
    return kind(api_key="sk-test", api_host=host, use_insecure_channel=True)

def chat(client, directives=""):
    return client.chat.create(model="grok-4" + directives, messages=[user("canary-7f3a in the mine")])

client = make(xai_sdk.Client)
chat(client).sample()
list(chat(client).stream())
try:
    chat(client, "+error-429").sample()
except Exception as error:
    assert error.code().name == "RESOURCE_EXHAUSTED"
for _ in chat(client).stream():
    break
client.close()

async def main():
    client = make(xai_sdk.AsyncClient)
    await chat(client).sample()
    async for _ in chat(client).stream():
        pass
    await client.close()

asyncio.run(main())
from opentelemetry.trace import INVALID_SPAN, get_current_span
assert get_current_span() is INVALID_SPAN
"""
CALLS = 6
TOKENS = {"input": 48, "output": 28}
LEFT = {"input": 60, "output": 28}
"""Of a stream that is left early, ours says what the first chunk tells of the prompt."""


def traced(warm: Warm, server: ModelServer, **env: str) -> tuple[list[Any], list[Any], float, Counter[str]]:
    """Our spans, the client's own, calls counted, tokens counted by type."""
    with HttpSink() as sink:
        warm.run(SCRIPT, {"MODELS": server.base_url, **env, **sink.environment()})
        assert CANARY.encode() not in sink.everything()
        spans = sink.spans()
        counted = sum(point.count for point in sink.latest("gen_ai.client.operation.duration"))
        tokens: Counter[str] = Counter()
        for point in sink.latest("gen_ai.client.token.usage"):
            tokens[point.attributes["gen_ai.token.type"]] += int(point.sum)
    ours = [span for span in spans if span.scope == "genai_otel"]
    return ours, [span for span in spans if span.scope.startswith("xai_sdk.")], counted, tokens


def test_its_own_is_off(warm: Warm, model_server: ModelServer, payload: Payload) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server)
    assert (len(ours), len(theirs), counted, tokens) == (CALLS, 0, CALLS, LEFT)


def test_one_that_was_imported_before_is_not_counted(
    warm: Warm, model_server: ModelServer, payload: Payload
) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, EARLY="1")
    assert (len(ours), counted, tokens) == (CALLS, CALLS, LEFT)
    assert len(theirs) == CALLS
    assert all(span.attributes.get("genai_otel.owner") is False for span in theirs)
    assert {span.parent_id for span in theirs} == {span.span_id for span in ours}


def test_native_is_the_clients_spans_alone(warm: Warm, model_server: ModelServer, payload: Payload) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, GENAI_OTEL_CLIENTS_NATIVE="xai_sdk")
    assert (len(ours), len(theirs), counted, tokens) == (0, CALLS, CALLS, TOKENS)
    assert {span.attributes["gen_ai.provider.name"] for span in theirs} == {"x_ai"}


def test_off_is_neither(warm: Warm, model_server: ModelServer, payload: Payload) -> None:
    ours, theirs, counted, _ = traced(warm, model_server, GENAI_OTEL_CLIENTS_OFF="xai_sdk")
    assert (ours, theirs, counted) == ([], [], 0)
