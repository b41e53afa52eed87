"""Raw clients: the same calls, whose results stand in responses."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from genai_otel.testing.answer import TEXT
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


# --- streams: a context manager around a response that holds one -------------------------------------


STREAMS: Any = [
    ("v2.chat_stream", "command-a", {"messages": MESSAGES}, "chat"),
    ("chat_stream", "command-r", {"message": CANARY}, "chat"),
    ("generate_stream", "command", {"prompt": CANARY}, "text_completion"),
]
streams = pytest.mark.parametrize("kind", STREAMS, ids=[path for path, *_ in STREAMS])


def opened(caller: Caller, kind: Any, directives: str = "") -> Any:
    path, model, asked, _ = kind
    resource, _, method = path.rpartition(".")
    client = caller.client.v2 if resource else caller.client
    return getattr(client.with_raw_response, method)(model=model + directives, **asked)


@streams
async def test_a_stream_that_is_read(
    balanced: Recorded, said: list[dict[str, Any]], caller: Caller, kind: Any
) -> None:
    async with caller.entered(opened(caller, kind)) as response:
        assert response.headers["content-type"]
        seen, error = await caller.read(response.data)
    span = balanced.span()
    assert error is None
    assert (span.name, outcome(span)) == (f"{kind[3]} {kind[1]}", ("completed", "UNSET", None))
    told = span.attributes
    assert (told["genai_otel.stream.chunks"], told["gen_ai.request.stream"]) == (len(seen), True)
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    if kind[3] == "chat":
        assert told["gen_ai.usage.input_tokens"] == 12
    (answer,) = said[0]["gen_ai.output.messages"]
    assert answer["parts"] == [{"type": "text", "content": TEXT}]


@streams
@pytest.mark.parametrize("count", [0, 2], ids=["not read", "left"])
async def test_a_stream_that_is_not_read_to_its_end(
    balanced: Recorded, caller: Caller, kind: Any, count: int
) -> None:
    async with caller.entered(opened(caller, kind)) as response:
        await caller.take(response.data, count)
    assert outcome(balanced.span()) == ("closed", "UNSET", None)


@streams
async def test_a_stream_that_is_cut(balanced: Recorded, caller: Caller, kind: Any) -> None:
    async with caller.entered(opened(caller, kind, "+cut-after-2")) as response:
        _, error = await caller.read(response.data)
    assert error is not None
    assert outcome(balanced.span()) == ("cut", "ERROR", type(error).__qualname__)


@streams
async def test_a_stream_that_is_refused(balanced: Recorded, caller: Caller, kind: Any) -> None:
    with some_error() as caught:
        async with caller.entered(opened(caller, kind, "+error-404")):
            pass
    assert outcome(balanced.span()) == ("failed", "ERROR", type(caught.value).__qualname__)


@streams
async def test_an_error_of_the_programs_own(balanced: Recorded, caller: Caller, kind: Any) -> None:
    with pytest.raises(KeyError) as caught:
        async with caller.entered(opened(caller, kind)) as response:
            await caller.take(response.data, 1)
            raise KeyError(1)
    assert caught.value.args == (1,)
    assert outcome(balanced.span()) == ("failed", "ERROR", "KeyError")


@streams
async def test_a_manager_that_is_never_entered_is_no_call(
    balanced: Recorded, caller: Caller, kind: Any, model_server: ModelServer
) -> None:
    opened(caller, kind)
    assert balanced.calls() == []
    assert model_server.requests == []
