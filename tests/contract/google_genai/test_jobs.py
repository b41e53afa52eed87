"""Batches and videos: each look at one is a call, and what it took is counted once."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

MODEL = "gemini-3-flash"
USAGE = ("input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens")


@pytest.fixture
def vertex(balanced: Recorded, payload: Payload, model_server: ModelServer) -> Any:
    return payload.make(model_server.base_url, False, vertexai=True)


def usage(span: Any) -> tuple[Any, ...]:
    return tuple(span.attributes.get(f"gen_ai.usage.{name}") for name in USAGE)


def test_a_batch_is_counted_once_however_often_it_is_looked_at(balanced: Recorded, client: Any) -> None:
    batch = client.batches.create(model=MODEL, src=[{"contents": CANARY}])
    for _ in range(3):
        assert client.batches.get(name=batch.name).dest.inlined_responses[0].response.text
    made, *looks = balanced.calls()
    assert (made.name, {look.name for look in looks}) == (f"create_batch {MODEL}", {"fetch_batch"})
    assert {look.attributes["gen_ai.response.id"] for look in looks} == {batch.name}
    assert {look.attributes["gen_ai.response.model"] for look in looks} == {f"{MODEL}-2024-07-18"}
    assert [span.attributes["gen_ai.response.status"] for span in (made, *looks)] == [
        "queued",
        *["completed"] * 3,
    ]
    assert [usage(look) for look in looks] == [(12, 7, 4, 3), (None,) * 4, (None,) * 4]
    points = balanced.metrics()["gen_ai.client.token.usage"]
    assert sorted(point.sum or 0 for point in points) == [7, 12]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("PENDING", ("queued", "completed", None)),
        ("CANCELLED", ("cancelled", "completed", None)),
        ("FAILED", ("failed", "failed", "failed")),
    ],
)
def test_how_far_a_batch_is(
    balanced: Recorded,
    client: Any,
    model_server: ModelServer,
    state: str,
    told: tuple[str, str, str | None],
) -> None:
    model_server.reply({"name": "batches/1", "metadata": {"state": f"BATCH_STATE_{state}"}})
    client.batches.get(name="batches/1")
    span = balanced.span()
    assert (span.attributes["gen_ai.response.status"], *outcome(span)[::2]) == told
    assert usage(span) == (None,) * 4


def test_a_video_is_made_and_then_looked_at(
    balanced: Recorded, vertex: Any, model_server: ModelServer
) -> None:
    made = vertex.models.generate_videos(model="veo", prompt=CANARY, config={"number_of_videos": 2})
    assert vertex.operations.get(made).done
    name = made.name
    model_server.reply({"name": name, "done": True, "error": {"code": 3, "message": CANARY}})
    vertex.operations.get(made)
    asked, look, failed = balanced.calls()
    assert (asked.name, look.name) == ("generate_content veo", "fetch_response")
    assert asked.attributes["gen_ai.output.type"] == "video"
    assert {span.attributes["gen_ai.response.id"] for span in (asked, look, failed)} == {name}
    statuses = [span.attributes["gen_ai.response.status"] for span in (asked, look, failed)]
    assert statuses == ["in_progress", "completed", "failed"]
    assert outcome(failed) == ("failed", "ERROR", "3")


@pytest.mark.parametrize("method", ["count_tokens", "compute_tokens"])
def test_counting_tokens_uses_none(balanced: Recorded, vertex: Any, method: str) -> None:
    assert getattr(vertex.models, method)(model=MODEL, contents=CANARY)
    assert balanced.span().name == f"count_tokens {MODEL}"
    assert usage(balanced.span()) == (None,) * 4


def test_each_turn_of_functions_that_the_client_calls_is_counted(balanced: Recorded, client: Any) -> None:
    def look_up(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    chat = client.chats.create(model=MODEL, config={"tools": [look_up]})
    assert chat.send_message(CANARY).text
    assert [usage(span)[:2] for span in balanced.calls()] == [(12, 7)] * 2
