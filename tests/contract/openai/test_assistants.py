"""Assistants: a run is asked for, waited for, streamed, gone on with; what it took is counted once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.openai.older import needs
from tests.contract.payload import CANARY
from tests.contract.payloads.openai import PAYLOAD
from tests.contract.recorded import Recorded, outcome
from tests.contract.warm import Warm
from tests.harness.calls import WEATHER

pytestmark = [
    pytest.mark.usefixtures("balanced"),
    pytest.mark.filterwarnings("ignore:The Assistants API:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:use `stream` instead:DeprecationWarning"),
]

RUN: Any = {"thread_id": "thread_1", "assistant_id": "asst_1", "model": "gpt-4o"}
SAID: Any = [{"role": "user", "content": CANARY}]
USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens")


def usage(span: Any) -> tuple[Any, ...]:
    return tuple(span.attributes.get(name) for name in USAGE)


def counted(balanced: Recorded) -> dict[str, float]:
    points = balanced.metrics().get("gen_ai.client.token.usage", [])
    return {str(point.attributes["gen_ai.token.type"]): point.sum or 0 for point in points}


@pytest.fixture
def runs(client: Any) -> Any:
    return client.beta.threads.runs


def test_a_run_that_is_waited_for_is_counted_once(balanced: Recorded, runs: Any) -> None:
    run = runs.create_and_poll(**RUN, additional_messages=SAID, temperature=0.5, max_completion_tokens=9)
    runs.retrieve(run.id, thread_id="thread_1")
    runs.with_raw_response.retrieve(run.id, thread_id="thread_1").parse()
    made, waited, *looks = balanced.calls()
    assert (made.name, waited.name) == ("chat gpt-4o", "fetch_response")
    assert {span.attributes["gen_ai.response.id"] for span in balanced.calls()} == {run.id}
    assert {span.attributes["gen_ai.conversation.id"] for span in balanced.calls()} == {"thread_1"}
    assert made.attributes["gen_ai.agent.id"] == "asst_1"
    assert made.attributes["gen_ai.request.temperature"] == 0.5
    assert made.attributes["gen_ai.request.max_tokens"] == 9
    assert made.attributes["gen_ai.response.status"] == "queued"
    assert waited.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert [usage(span) for span in (made, waited, *looks)] == [(None,) * 3, (12, 7, 4), *[(None,) * 3] * 2]
    assert counted(balanced) == {"input": 12, "output": 7}


def test_a_run_in_events(balanced: Recorded, runs: Any) -> None:
    events = [event.event for event in runs.create(**RUN, stream=True)]
    span = balanced.span()
    assert events[-1] == "thread.run.completed"
    assert span.attributes["genai_otel.stream.chunks"] == len(events)
    assert span.attributes["gen_ai.response.status"] == "completed"
    assert (usage(span), outcome(span)[0]) == ((12, 7, 4), "completed")


@pytest.mark.parametrize("method", ["stream", "create_and_stream"])
def test_a_run_through_the_helper(balanced: Recorded, runs: Any, method: str) -> None:
    with getattr(runs, method)(**RUN) as stream:
        stream.until_done()
        assert stream.get_final_run().status == "completed"
    span = balanced.span()
    assert (span.name, usage(span)) == ("chat gpt-4o", (12, 7, 4))
    assert span.attributes["gen_ai.request.stream"] is True


def test_a_stream_that_is_left(balanced: Recorded, runs: Any) -> None:
    with runs.stream(**RUN) as stream:
        next(iter(stream))
    assert outcome(balanced.span())[0] == "closed"


def test_a_thread_that_is_made_with_its_run(balanced: Recorded, client: Any) -> None:
    asked: Any = {"assistant_id": "asst_1", "thread": {"messages": SAID}}
    client.beta.threads.create_and_run_poll(**asked)
    with client.beta.threads.create_and_run_stream(**asked) as stream:
        stream.until_done()
    made, waited, streamed = balanced.calls()
    assert [span.name for span in (made, waited, streamed)] == ["chat", "fetch_response", "chat"]
    assert [usage(span)[0] for span in (made, waited, streamed)] == [None, 12, 12]


def test_a_run_that_needs_a_tool_of_the_program(balanced: Recorded, runs: Any) -> None:
    tools: Any = [WEATHER]
    first = [event.data for event in runs.create(**RUN, tools=tools, stream=True)][-1]
    answered: Any = {
        "thread_id": "thread_1",
        "tool_outputs": [
            {"tool_call_id": call.id, "output": CANARY}
            for call in first.required_action.submit_tool_outputs.tool_calls
        ],
    }
    with runs.submit_tool_outputs_stream(run_id=first.id, **answered) as stream:
        stream.until_done()
    asked, gone_on = balanced.calls()
    assert asked.attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert gone_on.attributes["gen_ai.response.id"] == first.id
    assert [usage(span)[0] for span in (asked, gone_on)] == [None, 12]
    assert runs.submit_tool_outputs_and_poll(run_id=first.id, **answered).status == "completed"
    assert counted(balanced) == {"input": 12, "output": 7}


def test_runs_that_do_not_complete(balanced: Recorded, runs: Any) -> None:
    for directive in ("failed", "length"):
        list(runs.create(**{**RUN, "model": f"m+{directive}"}, stream=True))
    rows = [
        (
            outcome(span),
            *(span.attributes[f"gen_ai.response.{name}"] for name in ("status", "finish_reasons")),
        )
        for span in balanced.calls()
    ]
    assert rows == [
        (("failed", "ERROR", "server_error"), "failed", ("error",)),
        (("completed", "UNSET", None), "incomplete", ("length",)),
    ]


async def test_an_async_client_does_the_same(balanced: Recorded, client: Any) -> None:
    other = PAYLOAD.make(str(client.base_url).removesuffix("/v1/"), asynchronous=True)
    needs(other, "beta.threads.runs.poll")
    runs = other.beta.threads.runs
    await runs.create_and_poll(**RUN)
    async with runs.stream(**RUN) as stream:
        await stream.until_done()
    await other.close()
    await asyncio.sleep(0)
    assert [usage(span)[0] for span in balanced.calls()] == [None, 12, 12]


CONTENT = """
import json, os, warnings
warnings.simplefilter("ignore")
from genai_otel.testing import telemetry
from tests.contract.payloads.openai import PAYLOAD
from tests.harness.calls import WEATHER

recorded = telemetry(capture_content="SPAN_ONLY")
runs = PAYLOAD.make(os.environ["MODELS"], False).beta.threads.runs
asked = {"thread_id": "thread_1", "assistant_id": "asst_1", "model": "m+chunks-2"}
said = [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
list(runs.create(**asked, additional_messages=said, instructions="Sing.", stream=True))
*_, last = runs.create(**asked, tools=[WEATHER], stream=True)
call = last.data.required_action.submit_tool_outputs.tool_calls[0]
answered = [{"tool_call_id": call.id, "output": "rain"}]
runs.submit_tool_outputs(last.data.id, thread_id="thread_1", tool_outputs=answered)
for span in recorded.calls():
    print(json.dumps({name: value for name, value in span.attributes.items() if "messages" in name or "inst" in name}))
"""


def test_content_when_it_is_switched_on(warm: Warm, model_server: ModelServer) -> None:
    spoken, called, answered = (
        {name.removeprefix("gen_ai."): json.loads(value) for name, value in each.items()}
        for each in warm.run(CONTENT, {"MODELS": model_server.base_url}).said
    )
    assert spoken == {
        "input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}],
        "system_instructions": [{"type": "text", "content": "Sing."}],
        "output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Hello from"}],
                "finish_reason": "stop",
            }
        ],
    }
    (message,) = called["output.messages"]
    (part,) = message["parts"]
    assert (message["finish_reason"], part["type"]) == ("tool_call", "tool_call")
    assert answered == {
        "input.messages": [
            {
                "role": "tool",
                "parts": [{"type": "tool_call_response", "id": part["id"], "response": "rain"}],
            }
        ]
    }
