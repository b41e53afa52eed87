"""The parsing call, usage in a stream, tools, and what was said where an answer is one text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

from genai_otel.clients import _writer_messages as messages
from tests.contract.caller import Caller, settled
from tests.contract.payloads.writerai import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "d",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Weather(pydantic.BaseModel):
    """What ``parse`` fills."""

    city: str


async def test_a_parsed_answer_is_one_call(balanced: Recorded, caller: Caller) -> None:
    parsed = await settled(
        caller.client.chat.parse(model="palmyra-x5", messages=MESSAGES, response_format=Weather)
    )
    assert isinstance(parsed.choices[0].message.parsed, Weather)
    span = balanced.span()
    assert outcome(span) == ("completed", "UNSET", None)
    assert span.attributes["gen_ai.output.type"] == "json"
    assert span.attributes["gen_ai.usage.input_tokens"] == 12


async def test_tools_are_the_reason(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.chat.chat(model="palmyra-x5", messages=MESSAGES, tools=[TOOL]))
    stream = await settled(
        caller.client.chat.chat(model="palmyra-x5", messages=MESSAGES, tools=[TOOL], stream=True)
    )
    await caller.read(stream)
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in balanced.calls()]
    assert reasons == [("tool_call",)] * 2


async def test_request_facts(balanced: Recorded, caller: Caller) -> None:
    await settled(
        caller.client.completions.create(
            model="palmyra-x5", prompt="hi", max_tokens=5, random_seed=7, stop="x", temperature=1
        )
    )
    facts = balanced.span().attributes
    assert facts["gen_ai.request.max_tokens"] == 5
    assert facts["gen_ai.request.seed"] == 7
    assert facts["gen_ai.request.stop_sequences"] == ("x",)
    assert facts["gen_ai.request.temperature"] == 1.0


def parts(facts: dict[str, Any], name: str) -> list[Any]:
    return [part["content"] for one in facts.get(f"gen_ai.{name}.messages", ()) for part in one["parts"]]


@pytest.mark.parametrize(
    ("content", "arguments", "result", "chunks"),
    [
        (
            messages.COMPLETIONS,
            {"prompt": "hi"},
            SimpleNamespace(choices=[SimpleNamespace(text="a b")]),
            [SimpleNamespace(value="a"), SimpleNamespace(value=" b")],
        ),
        (
            messages.APPLICATIONS,
            {"inputs": [{"id": "x", "value": ["hi"]}]},
            SimpleNamespace(suggestion="a b"),
            [SimpleNamespace(delta=SimpleNamespace(content=text)) for text in ("a", None, " b")],
        ),
        (
            messages.QUESTIONS,
            {"question": "hi", "graph_ids": ["g"]},
            SimpleNamespace(answer="a b"),
            [SimpleNamespace(data=SimpleNamespace(answer=text)) for text in ("a", " b")],
        ),
        (messages.VISION, {"prompt": "hi"}, SimpleNamespace(data="a b"), []),
        (messages.TRANSLATIONS, {"text": "hi"}, SimpleNamespace(data="a b"), []),
    ],
    ids=["completions", "applications", "questions", "vision", "translations"],
)
def test_what_was_said(content: Any, arguments: Any, result: Any, chunks: list[Any]) -> None:
    assert parts(content.request(arguments), "input") == ["hi"]
    assert parts(content.response(result), "output") == ["a b"]
    state: dict[Any, Any] = {}
    for chunk in chunks:
        content.chunk(state, chunk)
    assert parts(content.final(state), "output") == (["a b"] if chunks else [])
