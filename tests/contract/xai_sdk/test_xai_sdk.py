"""Chats of xAI in every way that they have, and what is said there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import xai_sdk
from pydantic import BaseModel
from xai_sdk import chat as say
from xai_sdk.proto import chat_pb2

from genai_otel.clients import _xai_messages as messages
from genai_otel.clients import _xai_results as results
from genai_otel.clients.xai_sdk import SPEC
from genai_otel.spec import Peer
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

_proto: Any = chat_pb2  # its messages are made at run time
_say: Any = say


class Weather(BaseModel):
    """What the model is to say."""

    city: str


def chat_of(caller: Caller, directives: str = "", **settings: Any) -> Any:
    return caller.client.whole.chat.create(
        model=caller.model(directives), messages=[_say.user(CANARY)], **settings
    )


def test_the_request_stands_in_the_chat(balanced: Recorded, model_server: ModelServer) -> None:
    with client(model_server) as made:
        made.chat.create(
            model="grok-4",
            messages=[_say.user(CANARY)],
            conversation_id="a conversation",
            temperature=0.7,
            top_p=0.9,
            max_tokens=99,
            seed=7,
            stop=["one", "two"],
            frequency_penalty=0.1,
            presence_penalty=0.2,
            reasoning_effort="high",
            response_format="json_object",
            previous_response_id="before",
        ).sample()
    facts = balanced.span().attributes
    assert {
        name: facts[name]
        for name in facts
        if name.startswith(("gen_ai.request.", "gen_ai.conv", "gen_ai.out"))
    } == {
        "gen_ai.request.model": "grok-4",
        "gen_ai.conversation.id": "a conversation",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("one", "two"),
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.request.previous_response.id": "before",
        "gen_ai.output.type": "json",
    }


def client(server: ModelServer, **options: Any) -> Any:
    return xai_sdk.Client(
        api_key="sk-test", api_host=f"127.0.0.1:{server.port}", use_insecure_channel=True, **options
    )


async def test_an_answer_that_is_parsed(balanced: Recorded, caller: Caller) -> None:
    _, parsed = await settled(chat_of(caller).parse(Weather))
    assert parsed == Weather(city="example")
    facts = balanced.span().attributes
    assert (facts["gen_ai.output.type"], facts["gen_ai.usage.output_tokens"]) == ("json", 7)


async def test_one_that_does_not_parse_fails(balanced: Recorded, caller: Caller) -> None:
    model_server: Any = caller.server
    model_server.reply("no JSON")
    with pytest.raises(ValueError, match="Invalid JSON"):
        await settled(chat_of(caller).parse(Weather))
    assert outcome(balanced.span()) == ("failed", "ERROR", "ValidationError")


async def test_polling_is_one_call(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    started = caller.client.whole.chat._stub.StartDeferredCompletion
    assert started
    model_server.reply({"request_id": "later"})
    model_server.reply({"status": "PENDING"})
    model_server.reply({"status": "DONE", "response": {"id": "x", "model": "grok", "outputs": []}})
    await settled(chat_of(caller).defer())
    assert len(model_server.requests) == 3
    facts = balanced.span().attributes
    assert (facts["gen_ai.response.id"], facts["genai_otel.outcome"]) == ("x", "completed")


@pytest.mark.filterwarnings("ignore:chat.defer_batch will be deprecated:PendingDeprecationWarning")
async def test_several_deferred_answers(balanced: Recorded, caller: Caller) -> None:
    assert len(await settled(chat_of(caller).defer_batch(2))) == 2
    facts = balanced.span().attributes
    assert facts["gen_ai.response.finish_reasons"] == ("stop", "stop")
    assert facts["gen_ai.request.choice.count"] == 2


@pytest.mark.skipif(not hasattr(say.BaseChat, "_make_compact_request"), reason="not in this version")
async def test_a_context_that_is_compacted(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.whole.chat.compact_context(model="grok-4", messages=[_say.user(CANARY)]))
    facts = balanced.span().attributes
    assert (facts["gen_ai.request.model"], facts["gen_ai.usage.input_tokens"]) == ("grok-4", 12)


# --- usage: reasoning is beside the completion, as the total says --------------------------------


def usage(**counts: int) -> dict[str, Any]:
    said = _proto.GetChatCompletionResponse(usage=counts)
    facts = results.response(_say.Response(said, 0))
    return {name.removeprefix("gen_ai.usage."): value for name, value in facts.items()}


def test_reasoning_is_part_of_the_output() -> None:
    counts = {"prompt_tokens": 32, "completion_tokens": 9, "reasoning_tokens": 94}
    wanted = {"input_tokens": 32, "output_tokens": 103, "reasoning.output_tokens": 94}
    assert usage(**counts, total_tokens=135) == usage(**counts) == wanted
    assert usage(**{**counts, "completion_tokens": 103}, total_tokens=135) == wanted


def test_images_and_what_was_cached_are_part_of_the_input() -> None:
    assert usage(prompt_tokens=50, prompt_image_tokens=20, cached_prompt_text_tokens=8) == {
        "input_tokens": 50,
        "image.input_tokens": 20,
        "cache_read.input_tokens": 8,
        "output_tokens": 0,
    }


def test_turns_with_the_vendors_own_tools_are_one_answer() -> None:
    outputs = [
        {"index": 0, "message": {"role": "ROLE_ASSISTANT", "content": "let me look"}},
        {"index": 1, "message": {"role": "ROLE_TOOL", "content": "found"}},
        {
            "index": 2,
            "finish_reason": "REASON_STOP",
            "message": {"role": "ROLE_ASSISTANT", "content": "it is"},
        },
    ]
    answer = _say.Response(_proto.GetChatCompletionResponse(outputs=outputs), None)
    assert results.response(answer) == {"gen_ai.response.finish_reasons": ("stop",)}
    said = messages.CHAT.response(answer)["gen_ai.output.messages"]
    assert [message["parts"][0]["content"] for message in said] == ["let me look", "it is"]


# --- content -------------------------------------------------------------------------------------


def asked(said: Sequence[Any], **settings: Any) -> Any:
    proto = _proto.GetCompletionsRequest(messages=said, **settings)
    return messages.CHAT.request({field.name: value for field, value in proto.ListFields()})


def test_messages_of_a_chat() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}
    said = [
        _say.system("be brief"),
        _say.user("look", _say.image("https://x/y.png"), _say.file("file-1")),
        _proto.Message(
            role="ROLE_ASSISTANT", reasoning_content="hm", content=[_say.text("ok")], tool_calls=[call]
        ),
        _proto.Message(role="ROLE_TOOL", content=[_say.text("42")]),
    ]
    assert asked(said)["gen_ai.input.messages"] == [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "look"},
                {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
                {"type": "file", "modality": "document", "file_id": "file-1"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "ok"},
                {"type": "tool_call", "id": "a", "name": "f", "arguments": {"x": 1}},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": "42"}]},
    ]


def test_tools_that_are_offered() -> None:
    function = _say.tool("f", "does", {"type": "object"})
    hosted = _proto.Tool(web_search={})
    assert asked([_say.user("hi")], tools=[function, hosted])["gen_ai.tool.definitions"] == [
        {"type": "function", "name": "f", "description": "does", "parameters": '{"type": "object"}'},
        {"type": "web_search", "name": "web_search"},
    ]


async def test_an_answer_and_its_stream_say_the_same(caller: Caller, model_server: ModelServer) -> None:
    model_server.reply("one two three")
    whole = messages.CHAT.response(await caller.call(caller.payload.cases[0]))
    model_server.reply("one two three")
    state: dict[Any, Any] = {}
    seen, _ = await caller.read(await caller.stream(caller.payload.cases[0]))
    for pair in seen:
        assert messages.CHAT.chunk
        messages.CHAT.chunk(state, pair)
    assert messages.CHAT.final
    said = {
        "role": "assistant",
        "finish_reason": "stop",
        "parts": [{"type": "text", "content": "one two three"}],
    }
    assert messages.CHAT.final(state) == whole == {"gen_ai.output.messages": [said]}


# --- whom it talks to ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "peer"),
    [
        ({}, Peer("x_ai", "api.x.ai", 443)),
        ({"api_host": "eu-west-1.api.x.ai"}, Peer("x_ai", "eu-west-1.api.x.ai", 443)),
        ({"api_host": "10.0.0.1:50051", "use_insecure_channel": True}, Peer("x_ai", "10.0.0.1", 50051)),
        ({"api_host": "[::1]:50051", "use_insecure_channel": True}, Peer("x_ai", "::1", 50051)),
        ({"api_host": "ipv4:10.0.0.1:50051", "use_insecure_channel": True}, Peer("x_ai", "10.0.0.1", 50051)),
        ({"api_host": "unix:/run/x", "use_insecure_channel": True}, Peer("x_ai", "/run/x")),
    ],
)
async def test_peers(payload: Payload, asynchronous: bool, options: dict[str, Any], peer: Peer) -> None:
    kind: Any = xai_sdk.AsyncClient if asynchronous else xai_sdk.Client
    made = kind(api_key="sk-test", **options)
    assert SPEC.peer(made.chat.create("grok-4")) == SPEC.peer(made.image) == peer
    await settled(made.close())
