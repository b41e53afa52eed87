"""The first version of Cohere's API, whose chat is a wrapper that the client makes for itself, and batches."""

from __future__ import annotations

import pytest

from tests.contract.caller import Caller, settled
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED = {
    "message": "canary-7f3a in the mine",
    "chat_history": [{"role": "USER", "message": "canary-7f3a in the mine"}],
}
USAGE = {"input_tokens": 12, "output_tokens": 7, "cache_read.input_tokens": 4}


async def test_chat(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.chat(model="command-r+length", temperature=0, k=5, p=0.5, seed=1, **ASKED))
    span = balanced.span()
    assert span.name == "chat command-r+length"
    facts = span.attributes
    assert {name: facts[f"gen_ai.usage.{name}"] for name in USAGE} == USAGE
    assert facts["gen_ai.response.finish_reasons"] == ("length",)
    assert facts["gen_ai.response.id"]
    assert (facts["gen_ai.request.temperature"], facts["gen_ai.request.top_p"]) == (0.0, 0.5)
    assert (facts["gen_ai.request.top_k"], facts["gen_ai.request.seed"]) == (5, 1)


async def test_stream(balanced: Recorded, caller: Caller) -> None:
    seen, error = await caller.read(caller.client.chat_stream(model="command-r", **ASKED))
    assert error is None
    facts = balanced.span().attributes
    assert {name: facts[f"gen_ai.usage.{name}"] for name in USAGE} == USAGE
    assert facts["gen_ai.response.finish_reasons"] == ("stop",)
    assert (facts["genai_otel.stream.chunks"], facts["gen_ai.request.stream"]) == (len(seen), True)


async def test_stream_that_fails(balanced: Recorded, caller: Caller) -> None:
    await caller.read(caller.client.chat_stream(model="command-r+midstream-error", **ASKED))
    assert balanced.span().attributes["gen_ai.response.finish_reasons"] == ("error",)


async def test_chat_without_a_model(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.chat(**ASKED))
    assert balanced.span().name == "chat"


async def test_batches_are_one_call(balanced: Recorded, caller: Caller) -> None:
    result = await settled(caller.client.embed(model="embed", texts=["canary-7f3a in the mine"] * 200))
    assert len(result.embeddings) == 200
    span = balanced.span()
    assert outcome(span) == ("completed", "UNSET", None)
    assert span.attributes["gen_ai.usage.input_tokens"] == 3 * 12
