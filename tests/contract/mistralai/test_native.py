"""The client's own tracing beside ours: each call is counted once, and what was said stays where it was said."""

from __future__ import annotations

from collections import Counter
from importlib import metadata
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY, Payload
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

FIRST = metadata.version("mistralai").startswith("1.")
"""The first major adds a span wherever there is a tracer provider, which names no operation, and has no switch."""

SCRIPT = """
import asyncio, os
import genai_otel
from tests.contract.payloads.mistralai import MESSAGES, PAYLOAD

genai_otel.setup()
asked = {"model": PAYLOAD.model, "messages": MESSAGES}
client = PAYLOAD.make(os.environ["MODELS"], False, native=True)
client.chat.complete(**asked)
list(client.chat.stream(**asked))
client.embeddings.create(model=PAYLOAD.model, inputs=["canary-7f3a in the mine"])
try:
    client.chat.complete(**{**asked, "model": PAYLOAD.model + "+error-429"})
except Exception as error:
    assert type(error).__name__ == "SDKError"
client.close()

async def main():
    client = PAYLOAD.make(os.environ["MODELS"], True, native=True)
    await client.chat.complete_async(**asked)
    await client.close()

asyncio.run(main())
"""
CALLS = 5


def traced(
    warm: Warm, server: ModelServer, env: dict[str, str]
) -> tuple[list[Any], list[Any], float, Counter[str]]:
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
    return ours, [span for span in spans if span.scope == "mistralai_sdk_tracer"], counted, tokens


def test_its_own_is_off_where_it_has_a_switch(
    warm: Warm, model_server: ModelServer, payload: Payload
) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, {})
    assert (len(ours), counted, tokens) == (CALLS, CALLS, {"input": 48, "output": 21})
    assert len(theirs) == (CALLS if FIRST else 0)


@pytest.mark.skipif(FIRST, reason="the first major has no switch")
def test_one_that_is_switched_on_is_not_counted(
    warm: Warm, model_server: ModelServer, payload: Payload
) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, {"MISTRAL_SDK_TELEMETRY": "global"})
    assert (len(ours), counted, tokens) == (CALLS, CALLS, {"input": 48, "output": 21})
    assert len(theirs) == CALLS
    assert all(span.attributes.get("genai_otel.owner") is False for span in theirs)
    assert {span.parent_id for span in theirs} == {span.span_id for span in ours}


@pytest.mark.skipif(FIRST, reason="what the first major says cannot be counted")
def test_native_is_the_clients_spans_alone(warm: Warm, model_server: ModelServer, payload: Payload) -> None:
    ours, theirs, counted, _ = traced(warm, model_server, {"GENAI_OTEL_CLIENTS_NATIVE": "mistralai"})
    assert (len(ours), len(theirs)) == (0, counted)
    assert counted >= CALLS - 1  # some versions do not trace what fails
