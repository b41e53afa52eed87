"""What OpenAI's client tells of a cost: its tiers, sound by the second, and what gateways say themselves."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.recorded import Recorded, facts

pytestmark = pytest.mark.usefixtures("balanced")

MESSAGES = [{"role": "user", "content": "hello"}]
SOUND = ("a.wav", b"RIFF")


def ask(client: Any, model: str, **extra: Any) -> Any:
    return client.chat.completions.create(model=model, messages=MESSAGES, **extra)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("micros", [0, 1234])
def test_what_a_gateway_says_wins(balanced: Recorded, client: Any, micros: int, *, streams: bool) -> None:
    extra = {"stream": True, "stream_options": {"include_usage": True}} if streams else {}
    answer = ask(client, f"gpt-4o+cost-{micros}", **extra)
    if streams:
        list(answer)
    told = facts(balanced)
    assert told["genai_otel.cost.amount"] == pytest.approx(micros / 1e6)
    assert told["genai_otel.cost.source"] == "provider"
    assert "genai_otel.client.cost.unpriced" not in balanced.metrics()


def test_perplexity_says_it_in_parts(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    used = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    cost = {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006}
    model_server.reply({"id": "1", "model": "sonar", "choices": [choice], "usage": {**used, "cost": cost}})
    ask(client, "sonar")
    assert facts(balanced)["genai_otel.cost.amount"] == pytest.approx(0.006)


@pytest.mark.parametrize(("tier", "cost"), [(None, 0.45), ("flex", 0.225)])
def test_a_tier_of_service_has_its_own_rates(
    balanced: Recorded, client: Any, tier: str | None, cost: float
) -> None:
    extra = {} if tier is None else {"service_tier": tier}
    ask(client, "gpt-5-nano+input-1000000+output-1000000+cached-0", **extra)
    assert facts(balanced)["genai_otel.cost.amount"] == pytest.approx(cost, rel=1e-5)


def test_sound_is_billed_by_the_second(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    model_server.reply({"text": "hello", "usage": {"type": "duration", "seconds": 600}})
    client.audio.transcriptions.create(model="whisper-1", file=SOUND)
    told = facts(balanced)
    assert told["genai_otel.usage.audio_seconds"] == 600
    assert told["genai_otel.cost.amount"] == pytest.approx(0.06)


def test_tokens_of_a_model_that_is_billed_by_the_second_are_no_cost(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    used = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
    model_server.reply({"text": "hello", "usage": used})
    client.audio.transcriptions.create(model="whisper-1", file=SOUND)
    assert "genai_otel.cost.amount" not in facts(balanced)
    (point,) = balanced.metrics()["genai_otel.client.cost.unpriced"]
    assert point.attributes["error.type"] == "unsupported_usage"
