"""Conversations and responses: what only they tell."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from genai_otel.clients import _mistral_results as own
from genai_otel.testing import ModelServer
from genai_otel.testing.wire import Event
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def client(payload: Payload, telemetry: Recorded, model_server: ModelServer) -> Any:
    del telemetry
    made = payload.make(model_server.base_url, False)
    yield made
    made.close()


def test_an_agent_is_asked_with_arguments_of_its_own(balanced: Recorded, client: Any) -> None:
    client.beta.conversations.start(
        agent_id="ag_1", inputs=CANARY, completion_args={"temperature": 1, "max_tokens": 9, "stop": "x"}
    )
    told = balanced.span().attributes
    assert (told["gen_ai.agent.id"], told["gen_ai.request.temperature"]) == ("ag_1", 1.0)
    assert (told["gen_ai.request.max_tokens"], told["gen_ai.request.stop_sequences"]) == (9, ("x",))
    assert "gen_ai.request.model" not in told


def test_what_the_vendors_tools_bring_in_is_input(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    output = {"type": "message.output", "content": "hi", "model": "m"}
    for counted in ({"prompt_tokens": 3, "connector_tokens": None}, {"completion_tokens": 5}, {}):
        model_server.reply({"conversation_id": "conv_1", "outputs": [output], "usage": counted})
        client.beta.conversations.start(model="m", inputs=CANARY)
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    got = [tuple(span.attributes.get(name) for name in names) for span in balanced.calls()]
    assert got == [(3, None), (None, 5), (None, None)]


def test_an_error_among_the_events_is_one(balanced: Recorded, client: Any, model_server: ModelServer) -> None:
    kind = "conversation.response.error"
    model_server.reply(events=[Event({"type": kind, "message": CANARY, "code": 1100}, kind)])
    with client.beta.conversations.start_stream(model="m", inputs=CANARY) as stream:
        assert [event.data.type for event in stream] == [kind]
    assert outcome(balanced.span()) == ("failed", "ERROR", "error")


def test_a_response_has_nothing_of_openai_alone(balanced: Recorded, client: Any) -> None:
    if not hasattr(client, "responses"):
        pytest.skip("not in this version of the client")
    client.responses.create(model="m", input=CANARY)
    list(client.responses.create(model="m", input=CANARY, stream=True))
    assert not [name for span in balanced.calls() for name in span.attributes if name.startswith("openai.")]


# --- what was said -------------------------------------------------------------------------------


def test_messages_of_a_conversation() -> None:
    asked = own.CONVERSATION.request({
        "instructions": "be kind",
        "inputs": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"type": "function.call", "tool_call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function.result", "tool_call_id": "a", "result": "42"},
        ],
    })  # fmt: skip
    assert [(each["role"], each["parts"]) for each in asked["gen_ai.input.messages"]] == [
        ("user", [{"type": "text", "content": "hi"}]),
        ("assistant", [{"type": "tool_call", "id": "a", "name": "f", "arguments": {}}]),
        ("tool", [{"type": "tool_call_response", "id": "a", "response": "42"}]),
    ]
    assert asked["gen_ai.system_instructions"] == [{"type": "text", "content": "be kind"}]


def said(read: Callable[[], dict[str, Any]]) -> Any:
    return read()["gen_ai.output.messages"][0]["parts"]


def test_an_answer_whole_and_in_events() -> None:
    call = {"type": "function.call", "tool_call_id": "a", "name": "f", "arguments": '{"x": 1}'}
    whole = {"outputs": [{"type": "message.output", "content": "Hello there"}, call]}
    wanted = [
        {"type": "text", "content": "Hello there"},
        {"type": "tool_call", "id": "a", "name": "f", "arguments": {"x": 1}},
    ]
    assert said(lambda: own.CONVERSATION.response(whole)) == wanted
    state: dict[Any, Any] = {}
    for index, kind, more in (
        (0, "message.output.delta", {"content": "Hello"}),
        (0, "message.output.delta", {"content": " there"}),
        (1, "function.call.delta", {"tool_call_id": "a", "name": "f", "arguments": '{"x"'}),
        (1, "function.call.delta", {"tool_call_id": "a", "name": "f", "arguments": ": 1}"}),
    ):
        data = SimpleNamespace(type=kind, output_index=index, **more)
        assert own.CONVERSATION.chunk is not None
        own.CONVERSATION.chunk(state, SimpleNamespace(data=data))
    assert own.CONVERSATION.final is not None
    assert own.CONVERSATION.final(state)["gen_ai.output.messages"][0]["parts"] == wanted


def test_searches_of_the_vendors_are_counted_and_no_other_tool(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    output = {"type": "message.output", "content": "hi", "model": "m"}
    used = {"web_search": 2, "web_search_premium": 1, "code_interpreter": 4}
    counted = {"prompt_tokens": 3, "completion_tokens": 1, "connectors": used}
    model_server.reply({"conversation_id": "conv_1", "outputs": [output], "usage": counted})
    client.beta.conversations.start(model="m", inputs=CANARY)
    assert balanced.span().attributes["genai_otel.usage.web_searches"] == 3
