"""What was said by way of litellm, to whichever vendor and by whichever of its functions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payloads.litellm import PAYLOAD
from tests.harness.calls import WEATHER

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]

Said = list[dict[str, Any]]
OPENAI, ANTHROPIC = "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"
MESSAGES: Any = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
    {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
]
TEXT = {"type": "text", "content": "Hello from the local model server."}
ANSWERED = [{"role": "assistant", "parts": [TEXT], "finish_reason": "stop"}]
CHAT = {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED}
PROMPTED = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def at(here: dict[str, Any], model: str) -> dict[str, Any]:
    """The model, at the model server."""
    base = here["api_base"]
    return {**here, "model": model, "api_base": base if model == OPENAI else base.removesuffix("/v1")}


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC])
async def test_a_chat(said: Said, here: dict[str, Any], model: str) -> None:
    asked = {"messages": MESSAGES, **at(here, model)}
    litellm.completion(**asked)
    await litellm.acompletion(**asked)
    assert list(litellm.completion(stream=True, **asked))
    assert [chunk async for chunk in await litellm.acompletion(stream=True, **asked)]
    assert said == [CHAT] * 4


@pytest.mark.parametrize("stream", [False, True])
def test_tools(said: Said, here: dict[str, Any], model_server: ModelServer, stream: bool) -> None:
    model_server.reply(tool_calls={"get_weather": {"city": "Rome"}})
    answer = litellm.completion(messages=MESSAGES, tools=[WEATHER], stream=stream, **at(here, OPENAI))
    if stream:
        assert list(answer)
    (told,) = said
    (tool,) = told["gen_ai.tool.definitions"]
    assert (tool["name"], "parameters" in tool) == ("get_weather", True)
    (message,) = told["gen_ai.output.messages"]
    (call,) = message["parts"]
    assert {**call, "id": ...} == {
        "type": "tool_call",
        "id": ...,
        "name": "get_weather",
        "arguments": {"city": "Rome"},
    }
    assert message["finish_reason"] == "tool_call"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt(said: Said, here: dict[str, Any], stream: bool) -> None:
    answer = litellm.text_completion(prompt="hi", stream=stream, **at(here, OPENAI))
    if stream:
        assert list(answer)
    assert said == [{"gen_ai.input.messages": PROMPTED, "gen_ai.output.messages": ANSWERED}]


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC])
def test_responses(said: Said, here: dict[str, Any], model: str) -> None:
    litellm.responses(input="hi", instructions="be brief", **at(here, model))
    (told,) = said
    assert told["gen_ai.input.messages"] == PROMPTED
    assert told["gen_ai.system_instructions"] == [{"type": "text", "content": "be brief"}]
    assert told["gen_ai.output.messages"] == ANSWERED


def test_pictures_and_sounds(said: Said, here: dict[str, Any]) -> None:
    litellm.image_generation(prompt="hi", **at(here, OPENAI))
    litellm.transcription(file=("a.wav", b"RIFF", "audio/wav"), **at(here, OPENAI))
    litellm.speech(input="hi", voice="alloy", **at(here, OPENAI))
    image, sound, speech = said
    assert image["gen_ai.input.messages"] == speech["gen_ai.input.messages"] == PROMPTED
    assert image["gen_ai.output.messages"][0]["parts"][-1]["modality"] == "image"
    assert sound["gen_ai.input.messages"][0]["parts"][0]["mime_type"] == "audio/wav"
    assert sound["gen_ai.output.messages"] == [{"role": "assistant", "parts": [TEXT]}]


def test_several_at_once(said: Said, here: dict[str, Any]) -> None:
    litellm.batch_completion(messages=[MESSAGES, MESSAGES], **at(here, OPENAI))
    assert said == [CHAT] * 2
