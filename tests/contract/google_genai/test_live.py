"""Google's Live API: a span for the session and one for each turn of the model, however they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio

from genai_otel.testing import ModelServer
from tests.contract.caller import some_error
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded, collected, outcome
from tests.contract.talker import responses, session

genai = pytest.importorskip("google.genai")
pytestmark = pytest.mark.usefixtures("balanced")

MODEL = "gemini-live"
HELLO = {"role": "user", "parts": [{"text": CANARY}]}
TOOLS = [{"function_declarations": [{"name": "weather", "description": "The weather."}]}]


class Talker:
    """Opens sessions with the model server, which speaks no TLS."""

    def __init__(self, client: Any, server: ModelServer) -> None:
        self.client = client
        self.server = server
        at = server.url.replace("http", "ws")

        def base(*_: Any) -> str:
            return at

        plain: dict[str, Any] = {"_websocket_base_url": base, "_websocket_ssl_ctx": {}}
        client._api_client.__dict__.update(plain)  # the client knows TLS only

    def connect(self, directives: str = "", **config: Any) -> AbstractAsyncContextManager[Any]:
        model = f"{MODEL}+{directives}" if directives else MODEL
        return self.client.live.connect(model=model, config=config or None)


@pytest_asyncio.fixture
async def talker(telemetry: Recorded, payload: Payload, model_server: ModelServer) -> AsyncIterator[Talker]:
    del telemetry
    yield Talker(payload.make(model_server.base_url, True), model_server)
    await asyncio.sleep(0)


async def say(live: Any, text: str = CANARY) -> None:
    await live.send_client_content(turns={"role": "user", "parts": [{"text": text}]}, turn_complete=True)


async def turn(live: Any) -> list[Any]:
    return [message async for message in live.receive()]


async def test_facts_of_a_session_and_of_a_turn(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect(temperature=0.5, response_modalities=["AUDIO"]) as live:
        assert type(live) is genai.live.AsyncSession
        await say(live)
        await turn(live)
    (response,) = responses(balanced)
    found = dict(response.attributes)
    assert found.pop("gen_ai.response.time_to_first_chunk") > 0
    assert found.pop("genai_otel.stream.time_per_chunk") >= 0
    identity = {
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": talker.server.port,
        "genai_otel.outcome": "completed",
    }
    assert found == {
        **identity,
        "gen_ai.operation.name": "generate_content",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.output.type": "speech",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.text.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "gen_ai.usage.text.input_tokens": 7,
        "gen_ai.usage.audio.input_tokens": 5,
        "gen_ai.usage.audio.output_tokens": 4,
        "genai_otel.stream.chunks": 6,
        "genai_otel.measured": True,
    }
    above = session(balanced)
    assert dict(above.attributes) == {**identity, "gen_ai.operation.name": "realtime_session"}


async def test_turns_one_after_the_other(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect() as live:
        for _ in range(3):
            await say(live)
            await turn(live)
        await live.send_realtime_input(text="hello")
        await turn(live)
    found = responses(balanced)
    assert [outcome(span)[0] for span in found] == ["completed"] * 4
    assert all(span.attributes["gen_ai.response.time_to_first_chunk"] > 0 for span in found)


async def test_a_turn_that_nobody_asked_for(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect("slow-chunk-5ms") as live:
        audio = genai.types.Blob(data=b"\0\0", mime_type="audio/pcm")
        await live.send_realtime_input(audio=audio)  # the model finds out by itself that this is all
        await turn(live)
    (response,) = responses(balanced)
    assert response.attributes["genai_otel.stream.chunks"] == 6
    assert "gen_ai.response.time_to_first_chunk" not in response.attributes
    assert outcome(response)[0] == "completed"


async def test_interrupted(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect("slow-chunk-20ms") as live:
        await say(live)
        assert (await anext(aiter(live.receive()))).server_content.model_turn
        await say(live)
        assert any(message.server_content.interrupted for message in await turn(live))
        await turn(live)
    first, second = responses(balanced)
    assert outcome(first) == ("cancelled", "UNSET", None)
    assert first.attributes["gen_ai.response.finish_reasons"] == ("cancelled",)
    assert first.attributes["gen_ai.usage.input_tokens"] == 12
    assert outcome(second)[0] == "completed"


async def test_a_turn_that_calls_a_function(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect(tools=TOOLS) as live:
        await say(live)
        async for message in live.receive():
            if message.tool_call:
                identity = message.tool_call.function_calls[0].id
                answer = genai.types.FunctionResponse(id=identity, name="weather", response={"sky": "blue"})
                await live.send_tool_response(function_responses=answer)
    (response,) = responses(balanced)
    assert outcome(response)[0] == "completed"
    assert response.attributes["genai_otel.stream.chunks"] == 7


async def test_the_content_filter(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect("content-filter") as live:
        await say(live)
        await turn(live)
    assert responses(balanced)[0].attributes["gen_ai.response.finish_reasons"] == ("content_filter",)


async def test_a_lost_connection(balanced: Recorded, talker: Talker) -> None:
    with some_error() as caught:
        async with talker.connect("cut-after-2") as live:
            await say(live)
            await turn(live)
    assert type(caught.value).__name__ in ("APIError", "ConnectionClosedError")  # by version
    assert outcome(responses(balanced)[0]) == ("cut", "ERROR", "ConnectionClosedError")
    assert outcome(session(balanced)) == ("cut", "ERROR", "ConnectionClosedError")


async def test_left_early(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect("hang-after-2") as live:
        await say(live)
        async for _ in live.receive():
            break
    assert outcome(responses(balanced)[0]) == ("closed", "UNSET", None)
    assert outcome(session(balanced)) == ("closed", "UNSET", None)


async def test_closed_by_hand(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect() as live:
        await live.close()
        assert outcome(session(balanced)) == ("completed", "UNSET", None)


async def test_an_exception_of_the_programs(balanced: Recorded, talker: Talker) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with talker.connect("hang-after-2") as live:
            await say(live)
            raise KeyError("mine")
    assert outcome(responses(balanced)[0]) == ("failed", "ERROR", "KeyError")
    assert outcome(session(balanced)) == ("failed", "ERROR", "KeyError")


async def test_cancelled(balanced: Recorded, talker: Talker) -> None:
    async def talk() -> None:
        async with talker.connect("hang-after-2") as live:
            await say(live)
            await turn(live)

    task = asyncio.create_task(talk())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcome(responses(balanced)[0])[0] == "cancelled"
    assert outcome(session(balanced)) == ("cancelled", "UNSET", None)


async def test_refused(balanced: Recorded, talker: Talker, model_server: ModelServer) -> None:
    model_server.stop()
    try:
        with some_error() as caught:
            async with talker.connect():
                pass
    finally:
        model_server.start()
    assert outcome(session(balanced)) == ("failed", "ERROR", type(caught.value).__qualname__)


async def test_never_left(balanced: Recorded, talker: Talker) -> None:
    manager = talker.connect()
    assert type(manager).__name__ == "_AsyncGeneratorContextManager"
    live = await manager.__aenter__()
    await say(live)
    await turn(live)
    del live, manager
    await collected()
    assert outcome(responses(balanced)[0])[0] == "completed"
    assert outcome(session(balanced))[0] in ("abandoned", "closed", "completed")


async def test_fields_of_the_future(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect("unknown-fields") as live:
        await say(live)
        await turn(live)
    assert outcome(responses(balanced)[0])[0] == "completed"


async def test_searches_of_a_turn_are_counted(balanced: Recorded, talker: Talker) -> None:
    async with talker.connect("searches-2") as live:
        await say(live)
        await turn(live)
    (response,) = responses(balanced)
    assert response.attributes["genai_otel.usage.web_searches"] == 2
