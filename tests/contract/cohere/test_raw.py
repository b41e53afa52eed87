"""Raw clients: the same calls, whose results stand in responses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller, settled, some_error
from tests.contract.payload import CANARY
from tests.contract.payloads.cohere import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def raw(caller: Caller) -> Any:
    return caller.client.v2.with_raw_response


async def test_chat(balanced: Recorded, raw: Any) -> None:
    response = await settled(raw.chat(model="command-a", messages=MESSAGES))
    assert response.data.message.content[0].text
    assert response.headers["content-type"] == "application/json"
    span = balanced.span()
    assert (span.name, outcome(span)) == ("chat command-a", ("completed", "UNSET", None))
    assert span.attributes["gen_ai.usage.input_tokens"] == 12


async def test_embeddings_and_reranking(balanced: Recorded, raw: Any) -> None:
    await settled(raw.embed(model="embed", texts=[CANARY], input_type="search_query"))
    await settled(raw.rerank(model="rerank", query=CANARY, documents=[CANARY]))
    assert [span.name for span in balanced.calls()] == ["embeddings embed", "rerank rerank"]
    assert balanced.calls()[0].attributes["gen_ai.usage.input_tokens"] == 12


async def test_error(balanced: Recorded, raw: Any) -> None:
    with some_error() as caught:
        await settled(raw.chat(model="command-a+error-404", messages=MESSAGES))
    assert outcome(balanced.span()) == ("failed", "ERROR", type(caught.value).__qualname__)


async def test_first_version(balanced: Recorded, caller: Caller, raw: Any) -> None:
    first = caller.client.with_raw_response
    await settled(first.chat(model="command-r", message=CANARY))
    await settled(first.generate(model="command", prompt=CANARY))
    assert [span.name for span in balanced.calls()] == ["chat command-r", "text_completion command"]
    assert [span.attributes["gen_ai.usage.output_tokens"] for span in balanced.calls()] == [7, 7]
