"""What was said, when the user wants it: the same whether an answer comes whole or in pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from genai_otel.testing.answer import TEXT
from tests.contract.bodies import chunks, completion, ending
from tests.contract.caller import Caller
from tests.contract.choice import main_streams
from tests.contract.payload import CANARY, Case
from tests.contract.recorded import Recorded
from tests.harness.calls import WEATHER

pytestmark = pytest.mark.usefixtures("balanced")


def texts(messages: Any) -> list[str]:
    parts = [part for message in messages for part in message["parts"]]
    return [part["content"] for part in parts if part["type"] == "text"]


@main_streams()
async def test_question_and_answer(
    balanced: Recorded, said: list[dict[str, Any]], caller: Caller, case: Case
) -> None:
    await caller.call(case)
    await caller.read(await caller.stream(case))
    assert len(balanced.calls()) == 2
    for each in said:
        asked = [*each.get("gen_ai.system_instructions", ()), *each["gen_ai.input.messages"]]
        assert CANARY in str(asked)
        (answer,) = each["gen_ai.output.messages"]
        assert answer["role"] == "assistant"
        assert "".join(texts([answer])) == TEXT
        assert answer.get("finish_reason", "stop") == "stop"
    whole, streamed = said
    assert whole == streamed


@main_streams()
async def test_thoughts_apart_from_the_answer(
    said: list[dict[str, Any]], caller: Caller, model_server: ModelServer, case: Case
) -> None:
    for field in caller.payload.thoughts:
        thought = {"choices": [{"index": 0, "delta": {"role": "assistant", field: "hm"}}]}
        model_server.reply(events=[*chunks(thought, ending()), "[DONE]"])
        await caller.read(await caller.stream(case))
        message = {"role": "assistant", "content": "one two", field: "hm"}
        model_server.reply(completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}]))
        await caller.call(case)
    thought_first = [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "one two"}]
    assert all(each["gen_ai.output.messages"][0]["parts"] == thought_first for each in said)
    assert len(said) == 2 * len(caller.payload.thoughts)


CALLED: Any = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"days": 2}'}}
ROUND: Any = [
    {"role": "user", "content": "how is it?"},
    {"role": "assistant", "tool_calls": [CALLED]},
    {"role": "tool", "tool_call_id": "a", "content": "sunny"},
]


@main_streams()
async def test_tools(balanced: Recorded, said: list[dict[str, Any]], caller: Caller, case: Case) -> None:
    if caller.payload.tools is None:
        pytest.skip("its own tests tell of tools")
    offered = caller.payload.tools(WEATHER)
    await caller.call(case, **offered)
    await caller.read(await caller.stream(case, **offered))
    for span, each in zip(balanced.calls(), said, strict=True):
        assert span.attributes["gen_ai.response.finish_reasons"] == (caller.payload.calling,)
        (answer,) = each["gen_ai.output.messages"]
        (call,) = [part for part in answer["parts"] if part["type"] == "tool_call"]
        assert (call["name"], call["arguments"]) == ("get_weather", {"city": "example", "days": 2})
        assert call["id"]
        assert answer["finish_reason"] == caller.payload.calling
        assert each["gen_ai.tool.definitions"] == [{"type": "function", **WEATHER["function"]}]


def _round(model: str) -> dict[str, Any]:
    return {"model": model, "messages": ROUND}


@main_streams()
async def test_what_a_tool_answered(said: list[dict[str, Any]], caller: Caller, case: Case) -> None:
    if caller.payload.tools is None:
        pytest.skip("its own tests tell of tools")
    await caller.call(replace(case, arguments=_round))
    _, called, answered = said[0]["gen_ai.input.messages"]
    (call,) = called["parts"]
    assert call == {"type": "tool_call", "id": "a", "name": "get_weather", "arguments": {"days": 2}}
    assert (called["role"], answered["role"]) == ("assistant", "tool")
    assert answered["parts"] == [{"type": "tool_call_response", "id": "a", "response": "sunny"}]
