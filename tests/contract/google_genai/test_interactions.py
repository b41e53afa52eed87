"""Interactions: agents, requests that the client goes on with, steps and events as content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from genai_otel.clients import _google_interactions as interactions
from genai_otel.clients.google_genai import SPEC
from genai_otel.spec import Peer
from genai_otel.testing import ModelServer
from genai_otel.testing.wire import Event
from tests.contract.recorded import Recorded, facts, outcome

genai = pytest.importorskip("google.genai")
pytestmark = [
    pytest.mark.usefixtures("balanced"),
    pytest.mark.skipif(not hasattr(genai.Client, "interactions"), reason="older clients have none"),
]
MODEL = "gemini-3-flash"
STEPS: list[Mapping[str, Any]] = [
    {"type": "thought", "summary": [{"type": "text", "text": "hm"}]},
    {"type": "model_output", "content": [{"type": "text", "text": "hello"}]},
    {"type": "function_call", "id": "c1", "name": "weather", "arguments": {"city": "Bonn"}},
]


def ended(status: str = "completed", **more: Any) -> dict[str, Any]:
    """An interaction as it ends."""
    usage = {"total_input_tokens": 10, "total_output_tokens": 3, "total_thought_tokens": 2}
    identity = {"id": "i1", "model": MODEL, "object": "interaction"}
    return {**identity, "status": status, "usage": usage, "steps": STEPS, **more}


def event(kind: str, **fields: Any) -> Event:
    return Event({"event_type": kind, **fields}, kind)


def test_facts_of_a_request(balanced: Recorded, client: Any) -> None:
    config = {"temperature": 0.5, "top_p": 0.25, "max_output_tokens": 9, "seed": 3, "thinking_level": "low"}
    client.interactions.create(
        model=MODEL, input="hello", generation_config=config, previous_interaction_id="i0"
    )
    got = facts(balanced)
    assert {name: value for name, value in got.items() if ".request." in name} == {
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.25,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.seed": 3,
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.previous_response.id": "i0",
    }


def test_an_agent_has_a_name_and_no_model(balanced: Recorded, client: Any) -> None:
    client.interactions.create(agent="deep-research-preview", input="hello", background=True)
    got = facts(balanced)
    assert got["gen_ai.agent.name"] == "deep-research-preview"
    assert "gen_ai.request.model" not in got
    assert balanced.span().name == "generate_content"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("completed", "stop"), ("incomplete", "length"), ("requires_action", "tool_call"), ("failed", "error")],
)
def test_how_it_ended(
    balanced: Recorded, model_server: ModelServer, client: Any, status: str, reason: str
) -> None:
    model_server.reply(ended(status))
    client.interactions.create(model=MODEL, input="hello", automatic_continuation=False)
    got = facts(balanced)
    assert (got["gen_ai.response.status"], got["gen_ai.response.finish_reasons"]) == (status, (reason,))
    assert (got["gen_ai.usage.input_tokens"], got["gen_ai.usage.output_tokens"]) == (10, 5)
    assert outcome(balanced.span())[0] == ("failed" if status == "failed" else "completed")


@pytest.mark.parametrize("streams", [False, True])
def test_requests_that_follow_one_another_are_one_call_with_all_usage(
    balanced: Recorded, model_server: ModelServer, client: Any, streams: bool
) -> None:
    for body in (ended("requires_continuation", continuation_token="t"), ended()):
        end = [
            event("interaction.created", interaction=body),
            event("interaction.completed", interaction=body),
        ]
        model_server.reply(events=end) if streams else model_server.reply(body)
    result = client.interactions.create(model=MODEL, input="hello", stream=streams)
    if streams:
        assert len(list(result)) == 4
    got = facts(balanced)
    assert (got["gen_ai.usage.input_tokens"], got["gen_ai.usage.output_tokens"]) == (20, 10)
    assert got["gen_ai.response.finish_reasons"] == ("stop",)


def test_an_error_among_the_events_fails_the_call(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    error = {"code": "overloaded", "message": "later"}
    model_server.reply(
        events=[event("interaction.created", interaction=ended("in_progress")), event("error", error=error)]
    )
    for _ in client.interactions.create(
        model=MODEL, input="hello", stream=True, automatic_continuation=False
    ):
        pass
    assert outcome(balanced.span()) == ("failed", "ERROR", "overloaded")


@pytest.mark.parametrize("via", ["with_raw_response", "with_streaming_response"])
def test_raw_responses_are_calls(balanced: Recorded, client: Any, via: str) -> None:
    raw = getattr(client.interactions, via).create(model=MODEL, input="hello")
    if via == "with_streaming_response":
        with raw as response:
            assert response.parse().status == "completed"
    else:
        assert raw.parse().status == "completed"
    assert outcome(balanced.span()) == ("completed", "UNSET", None)


def test_whom_it_talks_to() -> None:
    for options, peer in (
        ({}, Peer("gcp.gemini", "generativelanguage.googleapis.com", 443)),
        ({"http_options": {"base_url": "http://a.example:81"}}, Peer("gcp.gemini", "a.example", 81)),
    ):
        chosen: dict[str, Any] = {"api_key": "sk-test", **options}
        assert SPEC.peer(genai.Client(**chosen).interactions) == peer


# --- content --------------------------------------------------------------------------------------------------------

CALL = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Bonn"}}
TEXT = {"type": "text", "content": "hello"}


@pytest.mark.parametrize(
    ("said", "messages"),
    [
        ("hello", [{"role": "user", "parts": [TEXT]}]),
        ([{"type": "text", "text": "hello"}], [{"role": "user", "parts": [TEXT]}]),
        (
            [
                {"type": "user_input", "content": "hello"},
                {"type": "thought", "summary": [{"type": "text", "text": "hm"}]},
                {"type": "function_call", "id": "c1", "name": "weather", "arguments": {"city": "Bonn"}},
                {"type": "function_result", "call_id": "c1", "result": "sunny"},
            ],
            [
                {"role": "user", "parts": [TEXT]},
                {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, CALL]},
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}],
                },
            ],
        ),
        (
            [{"type": "image", "uri": "gs://b/a.png"}, {"type": "audio", "data": "UklGRg==", "mime_type": "audio/wav"}],
            [
                {
                    "role": "user",
                    "parts": [
                        {"type": "uri", "modality": "image", "uri": "gs://b/a.png"},
                        {
                            "type": "blob",
                            "modality": "audio",
                            "mime_type": "audio/wav",
                            "content": "UklGRg==",
                        },
                    ],
                }
            ],
        ),
        (None, None),
    ],
)  # fmt: skip
def test_what_was_asked(said: Any, messages: Any) -> None:
    got = interactions.CONTENT.request({"input": said, "system_instruction": "be brief"})
    assert got.get("gen_ai.input.messages") == messages
    assert got["gen_ai.system_instructions"] == [{"type": "text", "content": "be brief"}]


SAID = [{"type": "reasoning", "content": "hm"}, TEXT, CALL]


def test_what_was_answered(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    model_server.reply(ended("requires_action"))
    result = client.interactions.create(model=MODEL, input="hello")
    (message,) = interactions.CONTENT.response(result)["gen_ai.output.messages"]
    assert message == {"role": "assistant", "finish_reason": "tool_call", "parts": SAID}


def test_what_was_answered_in_a_stream(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    model_server.reply(
        events=[
            event("interaction.created", interaction=ended("in_progress")),
            event("step.start", index=0, step={"type": "thought"}),
            event(
                "step.delta",
                index=0,
                delta={"type": "thought_summary", "content": {"type": "text", "text": "hm"}},
            ),
            event("step.start", index=1, step={"type": "model_output"}),
            event("step.delta", index=1, delta={"type": "text", "text": "hel"}),
            event("step.delta", index=1, delta={"type": "text", "text": "lo"}),
            event(
                "step.start",
                index=2,
                step={"type": "function_call", "id": "c1", "name": "weather", "arguments": {}},
            ),
            event("step.delta", index=2, delta={"type": "arguments_delta", "arguments": '{"city": "Bonn"}'}),
            event("interaction.completed", interaction=ended("requires_action")),
        ]
    )
    state: dict[Any, Any] = {}
    content = interactions.CONTENT
    assert content.chunk is not None
    assert content.final is not None
    for one in client.interactions.create(model=MODEL, input="hello", stream=True):
        content.chunk(state, one)
    (message,) = content.final(state)["gen_ai.output.messages"]
    assert message == {"role": "assistant", "finish_reason": "tool_call", "parts": SAID}


def test_searches_are_counted_and_no_other_tool(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    tools = [{"type": "google_search", "count": 3}, {"type": "google_maps", "count": 2}]
    usage = {"total_input_tokens": 10, "total_output_tokens": 3, "grounding_tool_count": tools}
    model_server.reply(ended(usage=usage))
    client.interactions.create(model=MODEL, input="hello")
    assert facts(balanced)["genai_otel.usage.web_searches"] == 3
