"""Sessions of agents: made, followed, told more; what a turn took is counted once, whoever looks at it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.openai.older import needs
from tests.contract.payload import CANARY
from tests.contract.payloads.openai import PAYLOAD
from tests.contract.recorded import Recorded, outcome
from tests.contract.warm import Warm

pytestmark = pytest.mark.usefixtures("balanced")

AGENT: Any = {"environment": {"type": "none"}, "agent": {"model": "gpt-5", "name": "cook"}, "input": CANARY}
SAID: Any = [
    {
        "type": "agent.session.input.message",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": CANARY}]}],
    }
]
USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.reasoning.output_tokens")


def usage(span: Any) -> tuple[Any, ...]:
    return tuple(span.attributes.get(name) for name in USAGE)


def counted(balanced: Recorded) -> dict[str, int]:
    found: Counter[str] = Counter()
    for point in balanced.metrics().get("gen_ai.client.token.usage", []):
        found[str(point.attributes["gen_ai.token.type"])] += int(point.sum or 0)
    return dict(found)


@pytest.fixture
def sessions(client: Any) -> Any:
    needs(client, "beta.agents.sessions.create")
    return client.beta.agents.sessions


def test_a_session_in_events(balanced: Recorded, sessions: Any) -> None:
    *_, ended, idle = sessions.create(**AGENT, stream=True)
    sessions.turns.retrieve(ended.turn.id, session_id=idle.session.id)
    made, look = balanced.calls()
    assert (made.name, look.name) == ("chat", "fetch_response")
    assert made.attributes["gen_ai.request.model"] == "gpt-5"
    assert made.attributes["gen_ai.response.model"].startswith("gpt-5-")
    assert made.attributes["gen_ai.agent.name"] == "cook"
    assert made.attributes["gen_ai.conversation.id"] == idle.session.id
    assert made.attributes["gen_ai.response.id"] == look.attributes["gen_ai.response.id"] == ended.turn.id
    assert made.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert [usage(span) for span in (made, look)] == [(12, 7, 3), (None,) * 3]
    assert counted(balanced) == {"input": 12, "output": 7}


def test_a_session_that_goes_on(balanced: Recorded, sessions: Any) -> None:
    session = sessions.create(**AGENT)
    sessions.events.create(session.id, events=SAID)
    list(sessions.events.stream(session_id=session.id))
    made, told, followed = balanced.calls()
    assert [span.name for span in (made, told, followed)] == ["chat", "chat", "fetch_response"]
    assert {span.attributes["gen_ai.conversation.id"] for span in balanced.calls()} == {session.id}
    assert [usage(span)[0] for span in (made, told, followed)] == [None, None, 12]


def test_a_turn_through_the_helper(balanced: Recorded, sessions: Any) -> None:
    session = sessions.create(**AGENT)
    with sessions.stream(session.id, input=CANARY) as stream:
        stream.until_done()
    _, followed, told = sorted(balanced.calls(), key=lambda span: span.start_time)
    assert [span.name for span in (followed, told)] == ["fetch_response", "chat"]
    assert counted(balanced) == {"input": 12, "output": 7}


def test_many_turns_add_up(balanced: Recorded, sessions: Any, model_server: ModelServer) -> None:
    turns = [
        {
            "type": "agent.session.turn.completed",
            "turn": {
                "id": f"turn_{number}",
                "status": "completed",
                "usage": {"input_tokens": 5, "output_tokens": 2},
            },
        }
        for number in (1, 2, 2)
    ]
    model_server.reply(events=turns)
    list(sessions.events.stream("sess_1"))
    assert usage(balanced.span())[:2] == (10, 4)


def test_turns_that_fail(balanced: Recorded, sessions: Any) -> None:
    failing = {**AGENT, "agent": {"model": "m+failed"}}
    session = sessions.create(**failing)
    list(sessions.create(**failing, stream=True))
    sessions.turns.retrieve("turn_9", session_id=session.id)
    assert [outcome(span) for span in balanced.calls()] == [
        ("completed", "UNSET", None),
        ("failed", "ERROR", "server_error"),
        ("failed", "ERROR", "server_error"),
    ]


async def test_an_async_client_does_the_same(balanced: Recorded, client: Any) -> None:
    other = PAYLOAD.make(str(client.base_url).removesuffix("/v1/"), asynchronous=True)
    needs(other, "beta.agents.sessions.create")
    sessions = other.beta.agents.sessions
    async for _ in await sessions.create(**AGENT, stream=True):
        pass
    session = await sessions.create(**AGENT)
    async with sessions.stream(session.id, input=CANARY) as stream:
        await stream.until_done()
    await other.close()
    await asyncio.sleep(0)
    assert counted(balanced) == {"input": 24, "output": 14}


CONTENT = """
import json, os, warnings
warnings.simplefilter("ignore")
from genai_otel.testing import telemetry
from tests.contract.payloads.openai import PAYLOAD

recorded = telemetry(capture_content="SPAN_ONLY")
client = PAYLOAD.make(os.environ["MODELS"], False)
agent = {"model": "m+chunks-2", "instructions": "Sing."}
list(client.beta.agents.sessions.create(environment={"type": "none"}, agent=agent, input="hello", stream=True))
for span in recorded.calls():
    print(json.dumps({name: value for name, value in span.attributes.items() if "messages" in name or "inst" in name}))
"""


@pytest.mark.usefixtures("sessions")
def test_content_when_it_is_switched_on(warm: Warm, model_server: ModelServer) -> None:
    (said,) = warm.run(CONTENT, {"MODELS": model_server.base_url}).said
    spoken = {"type": "text", "content": "Hello from"}
    assert {name.removeprefix("gen_ai."): json.loads(value) for name, value in said.items()} == {
        "input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}],
        "system_instructions": [{"type": "text", "content": "Sing."}],
        "output.messages": [{"role": "assistant", "parts": [spoken], "finish_reason": "stop"}],
    }
