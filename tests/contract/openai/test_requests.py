"""Facts of OpenAI's requests."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from genai_otel.testing import ModelServer
from tests.contract.openai.older import needs
from tests.contract.payloads.openai import MESSAGES
from tests.contract.recorded import Recorded, facts, outcome

pytestmark = pytest.mark.usefixtures("balanced")


def test_facts_of_a_chat_request(balanced: Recorded, client: Any) -> None:
    client.chat.completions.create(
        model="m",
        messages=MESSAGES,
        temperature=1,
        top_p=0.5,
        frequency_penalty=0,
        presence_penalty=1,
        max_completion_tokens=50,
        seed=7,
        stop=["a", "b"],
        n=2,
        service_tier="flex",
        reasoning_effort="low",
        response_format={"type": "json_object"},
        logprobs=True,
        user="somebody",
        metadata={"a": "b"},
    )
    told = facts(balanced)
    wanted = {
        "temperature": 1.0,
        "top_p": 0.5,
        "frequency_penalty": 0.0,
        "presence_penalty": 1.0,
        "max_tokens": 50,
        "seed": 7,
        "stop_sequences": ("a", "b"),
        "choice.count": 2,
        "reasoning.level": "low",
    }
    for name, value in wanted.items():
        assert told[f"gen_ai.request.{name}"] == value
        assert type(told[f"gen_ai.request.{name}"]) is type(value)
    assert told["gen_ai.output.type"] == "json"
    assert told["openai.request.service_tier"] == told["openai.response.service_tier"] == "flex"
    assert not [name for name in told if "user" in name or "metadata" in name]


def test_facts_of_a_responses_request(balanced: Recorded, client: Any) -> None:
    needs(client, "responses.create", "conversation")
    client.responses.create(
        model="m",
        input="hi",
        max_output_tokens=9,
        reasoning={"effort": "high"},
        previous_response_id="resp_1",
        conversation={"id": "conv_1"},
        text={"format": {"type": "text"}},
    )
    told = facts(balanced)
    assert told["gen_ai.request.max_tokens"] == 9
    assert told["gen_ai.request.reasoning.level"] == "high"
    assert told["gen_ai.request.previous_response.id"] == "resp_1"
    assert told["gen_ai.conversation.id"] == "conv_1"
    assert told["gen_ai.output.type"] == "text"


def test_arguments_that_are_not_given_are_no_facts(balanced: Recorded, client: Any) -> None:
    not_given: Any = getattr(openai, "omit", openai.NOT_GIVEN)
    client.chat.completions.create(
        model="m", messages=MESSAGES, temperature=not_given, stop=None, n=openai.NOT_GIVEN, stream=False
    )
    told = facts(balanced)
    assert not [name for name in told if name.startswith("gen_ai.request.") and name[15:] != "model"]


def test_arguments_are_neither_changed_nor_consumed(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    headers = {"X-Mine": "1"}
    options = {"include_usage": True}
    list(
        client.chat.completions.create(
            model="m",
            messages=(message for message in MESSAGES),
            stop=["a", "b"],
            stream=True,
            stream_options=options,
            extra_headers=headers,
        )
    )
    sent: Any = model_server.requests[0].json
    assert (sent["messages"], sent["stop"], sent["stream_options"]) == (MESSAGES, ["a", "b"], options)
    assert headers == {"X-Mine": "1"}
    assert outcome(balanced.span())[0] == "completed"


def test_a_response_that_is_named_by_position(balanced: Recorded, client: Any) -> None:
    needs(client, "responses.create", "background")
    made = client.responses.create(model="m", input="hi", background=True)
    assert made.status == "queued"
    assert client.responses.retrieve(made.id).status == "completed"
    events = list(client.responses.retrieve(made.id, stream=True, starting_after=2))
    created, fetched, resumed = (span.attributes for span in balanced.calls())
    assert created["gen_ai.response.status"] == "queued"
    assert "gen_ai.usage.input_tokens" not in created
    for told in (fetched, resumed):
        assert told["gen_ai.operation.name"] == "fetch_response"
        assert told["gen_ai.response.id"] == made.id
        assert told["gen_ai.response.status"] == "completed"
        assert not [name for name in told if "usage" in name]
    assert resumed["gen_ai.request.stream_cursor"] == 2
    assert resumed["genai_otel.stream.chunks"] == len(events)


def test_the_stream_helper_of_a_background_response(balanced: Recorded, client: Any) -> None:
    needs(client, "responses.stream", "response_id")
    made = client.responses.create(model="m", input="hi", background=True)
    with client.responses.stream(response_id=made.id, starting_after=0) as stream:
        assert len(list(stream)) > 2
    assert [span.attributes["gen_ai.operation.name"] for span in balanced.calls()] == [
        "chat",
        "fetch_response",
    ]
