"""Batches: handed in, fetched, and what their results took counted once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from genai_otel.testing import ModelServer, anthropic_batches
from genai_otel.testing.wire import Event, Reply
from tests.contract.payloads.anthropic import MESSAGES, PAYLOAD
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: dict[str, Any] = {"model": "claude-test", "max_tokens": 99, "messages": MESSAGES}
USAGE = ("input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens")


def usage(span: Any) -> tuple[Any, ...]:
    return tuple(span.attributes.get(f"gen_ai.usage.{name}") for name in USAGE)


def counted(balanced: Recorded) -> dict[str, float]:
    points = balanced.metrics().get("gen_ai.client.token.usage", [])
    return {str(point.attributes["gen_ai.token.type"]): point.sum or 0 for point in points}


@pytest.mark.parametrize("beta", [False, True])
def test_results_are_counted_once(balanced: Recorded, client: Any, beta: bool) -> None:
    batches = (client.beta if beta else client).messages.batches
    batch = batches.create(requests=[{"custom_id": "1", "params": ASKED}])
    for _ in range(3):
        assert [each.result.type for each in batches.results(batch.id)] == ["succeeded", "errored"]
    made, *looks = balanced.calls()
    assert (made.name, {look.name for look in looks}) == ("create_batch", {"fetch_batch"})
    assert {look.attributes["gen_ai.response.id"] for look in looks} == {batch.id}
    assert {look.attributes["genai_otel.stream.chunks"] for look in looks} == {2}
    assert {outcome(look) for look in looks} == {("completed", "UNSET", None)}
    assert {look.attributes["gen_ai.response.model"] for look in looks} == {"claude-test-2024-07-18"}
    assert [usage(look) for look in looks] == [(12, 7, 4, 3), (None,) * 4, (None,) * 4]
    assert counted(balanced) == {"input": 12, "output": 7}


async def test_results_that_are_read_in_a_loop_of_events(
    balanced: Recorded, model_server: ModelServer
) -> None:
    async with PAYLOAD.make(model_server.base_url, True) as client:
        batch = await client.messages.batches.create(requests=[{"custom_id": "1", "params": ASKED}])
        for _ in range(2):
            assert [each.custom_id async for each in await client.messages.batches.results(batch.id)]
    assert counted(balanced) == {"input": 12, "output": 7}


def results(server: ModelServer, *lines: Mapping[str, Any]) -> str:
    """The id of a batch with these results."""
    batch = anthropic_batches.new_id("claude-test")
    listed = {"id": batch, "type": "message_batch", "processing_status": "ended", "results_url": "/"}
    server.reply(listed)
    body = [Event({"custom_id": str(number), "result": line}) for number, line in enumerate(lines)]
    server.reply(Reply(events=body, framing=line_of, content_type="application/x-jsonl"))
    return batch


def line_of(event: Event) -> bytes:
    return json.dumps(event.data).encode() + b"\n"


def message(model: str, tokens: int) -> dict[str, Any]:
    told: Any = {"id": f"msg_{tokens}", "type": "message", "role": "assistant", "content": [], "model": model}
    took = {"input_tokens": tokens, "output_tokens": 1}
    return {"type": "succeeded", "message": {**told, "stop_reason": "end_turn", "usage": took}}


ERRORED: dict[str, Any] = {"type": "errored", "error": {"type": "error"}}


def test_a_batch_of_several_models_names_no_single_one(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    batch = results(model_server, message("a", 1), ERRORED, message("b", 10), message("a", 100))
    list(client.messages.batches.results(batch))
    assert usage(balanced.span())[:2] == (111, 3)
    assert balanced.span().attributes["gen_ai.response.model"] == "_OTHER"


def test_a_batch_of_which_nothing_succeeded_took_nothing_that_was_told(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    list(client.messages.batches.results(results(model_server, ERRORED, ERRORED)))
    assert usage(balanced.span()) == (None,) * 4


def test_a_reading_that_is_left_counts_what_was_read(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    lines = client.messages.batches.results(results(model_server, ERRORED, message("a", 1), message("a", 10)))
    assert [next(lines).custom_id, next(lines).custom_id] == ["0", "1"]
    lines.close()
    assert outcome(balanced.span())[0] == "closed"
    assert usage(balanced.span())[:2] == (1, 1)
