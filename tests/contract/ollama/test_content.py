"""What was said to Ollama and by it, read from the client's own objects."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from genai_otel.clients._ollama_messages import CHAT, GENERATE
from genai_otel.testing import ModelServer
from tests.harness.calls import HELLO, WEATHER

if TYPE_CHECKING:
    import ollama
    from ollama._types import Image
else:
    ollama = pytest.importorskip("ollama")
    Image = ollama._types.Image

TEXT = "Hello from the local model server."


@pytest.fixture
def client(model_server: ModelServer) -> Iterator[Any]:
    made = import_module("tests.contract.payloads.ollama").PAYLOAD.make(model_server.base_url, False)
    yield made
    made.close()


def streamed(content: Any, chunks: Any) -> Any:
    state: dict[Any, Any] = {}
    for chunk in chunks:
        content.chunk(state, chunk)
    return content.final(state)


def said(*parts: Any, finish_reason: str) -> dict[str, Any]:
    return {
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [*parts], "finish_reason": finish_reason},
        ]
    }


def test_messages_of_a_chat() -> None:
    def get_weather(city: str) -> str:
        return city

    call = {"function": {"name": "get_weather", "arguments": {"city": "Rome"}}}
    found = CHAT.request(
        {
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "what is it?", "images": [b"a", "YQ==", "a.png"]},
                ollama.Message(role="assistant", content="", tool_calls=[ollama.Message.ToolCall(**call)]),  # type: ignore[arg-type]
                {"role": "tool", "content": "sunny", "tool_name": "get_weather"},
            ],
            "tools": [WEATHER, get_weather],
        }
    )
    system, user, assistant, tool = found["gen_ai.input.messages"]
    assert system == {"role": "system", "parts": [{"type": "text", "content": "be brief"}]}
    assert user["parts"][1:] == [
        {"type": "blob", "modality": "image", "content": b"a"},
        {"type": "blob", "modality": "image", "content": "YQ=="},
        {"type": "uri", "modality": "image", "uri": "a.png"},
    ]
    called = {"type": "tool_call", "name": "get_weather", "arguments": {"city": "Rome"}}
    assert assistant == {"role": "assistant", "parts": [called]}
    assert tool["name"] == "get_weather"
    assert tool["parts"] == [{"type": "tool_call_response", "response": "sunny"}]
    first, second = found["gen_ai.tool.definitions"]
    assert first["name"] == second["name"] == "get_weather"
    assert "parameters" in first


def test_images_are_named_or_kept_and_never_read() -> None:
    path = pathlib.Path("pictures") / "there_is_none.png"
    found = GENERATE.request({"prompt": "p", "system": "s", "images": [path, Image(value=b"x")]})
    assert found["gen_ai.system_instructions"] == [{"type": "text", "content": "s"}]
    (message,) = found["gen_ai.input.messages"]
    assert message["parts"] == [
        {"type": "text", "content": "p"},
        {"type": "uri", "modality": "image", "uri": str(path)},
        {"type": "blob", "modality": "image", "content": b"x"},
    ]


def test_iterators_are_left_alone() -> None:
    messages = (message for message in HELLO)
    assert CHAT.request({"messages": messages, "tools": iter([WEATHER])}) == {}
    assert next(messages) == HELLO[0]


@pytest.mark.parametrize("stream", [False, True])
def test_answers(client: Any, stream: bool) -> None:
    for content, ask in (
        (CHAT, lambda: client.chat(model="m+length", messages=HELLO, stream=stream)),
        (GENERATE, lambda: client.generate(model="m+length", prompt="hi", stream=stream)),
    ):
        found = streamed(content, ask()) if stream else content.response(ask())
        short = TEXT.rpartition(" ")[0]
        assert found == said({"type": "text", "content": short}, finish_reason="length")


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_and_calls(client: Any, stream: bool) -> None:
    call = {
        "type": "tool_call",
        "name": "get_weather",
        "arguments": {"city": "example", "days": 1},
    }  # the client leaves the minimum out
    answer = client.chat(model="m+tool-calls-2", messages=HELLO, tools=[WEATHER], stream=stream)
    found = streamed(CHAT, answer) if stream else CHAT.response(answer)
    assert found == said(call, call, finish_reason="tool_call")
    if not hasattr(ollama.Message(role="user"), "thinking"):
        return  # older clients leave thoughts out
    answer = client.chat(model="m", messages=HELLO, think=True, stream=stream)
    found = streamed(CHAT, answer) if stream else CHAT.response(answer)
    thought, text = found["gen_ai.output.messages"][0]["parts"]
    assert (thought["type"], text) == ("reasoning", {"type": "text", "content": TEXT})
