"""What OpenAI's client tells of a cost: its tiers, sound by the second, and what gateways say themselves."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from genai_otel.testing.wire import Reply
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


# --- what is billed by the call ---------------------------------------------------------------------------------------

USED = "input-1000000+output-1000000+cached-0"
TOKENS = 0.15 + 0.6


def searching(client: Any, model: str, *tools: str, streams: bool = False) -> None:
    asked = [{"type": tool} for tool in tools]
    answer = client.responses.create(model=model, input="hello", tools=asked, stream=streams)
    if streams:
        list(answer)


@pytest.mark.parametrize("streams", [False, True])
def test_searches_cost_a_fee_and_pages_that_are_opened_do_not(
    balanced: Recorded, client: Any, *, streams: bool
) -> None:
    searching(client, f"gpt-4o-mini+{USED}+searches-3", "web_search", "file_search", streams=streams)
    told = facts(balanced)
    assert told["genai_otel.usage.web_searches"] == told["genai_otel.usage.file_searches"] == 3
    assert told["genai_otel.cost.amount"] == pytest.approx(TOKENS + 3 * 0.01 + 3 * 0.0025, rel=1e-4)


@pytest.mark.parametrize("status", ["failed", "in_progress"])
def test_a_search_that_did_not_come_to_an_end_costs_nothing(
    balanced: Recorded, model_server: ModelServer, client: Any, status: str
) -> None:
    search = {"id": "ws_1", "type": "web_search_call", "status": status, "action": {"type": "search"}}
    used = {"input_tokens": 1_000_000, "output_tokens": 0, "total_tokens": 1_000_000}
    model_server.reply(
        {"id": "resp_1", "model": "gpt-4o-mini", "status": "completed", "output": [search], "usage": used}
    )
    searching(client, "gpt-4o-mini", "web_search")
    told = facts(balanced)
    assert "genai_otel.usage.web_searches" not in told
    assert told["genai_otel.cost.amount"] == pytest.approx(0.15)


def test_a_fee_that_nobody_has_a_price_of_leaves_the_cost_unknown(
    balanced: Recorded, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    searching(client, "gpt-3.5-turbo", "web_search")
    told = facts(balanced)
    assert told["genai_otel.usage.web_searches"] == 1
    assert "genai_otel.cost.amount" not in told
    (point,) = balanced.metrics()["genai_otel.client.cost.unpriced"]
    assert point.attributes["error.type"] == "unsupported_usage"
    assert "in web_searches" in caplog.text


# --- what a vendor or a gateway says ----------------------------------------------------------------------------------


def test_xai_says_it_in_ticks(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    used = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost_in_usd_ticks": 37_756_000}
    model_server.reply({"id": "1", "model": "grok-4.5", "choices": [choice], "usage": used})
    ask(client, "grok-4.5")
    told = facts(balanced)
    assert told["genai_otel.cost.amount"] == 0.0037756
    assert told["genai_otel.cost.source"] == "provider"


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ({"is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, 0.021),
        ({"is_byok": False, "cost_details": {"upstream_inference_cost": 0.001}}, 0.001),
        ({"is_byok": True, "cost_details": None}, None),
    ],
)
def test_with_a_key_of_ones_own_openrouter_charges_for_itself_alone(
    balanced: Recorded, model_server: ModelServer, client: Any, said: dict[str, Any], amount: float | None
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    used = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.001, **said}
    model_server.reply({"id": "1", "model": "a/b", "choices": [choice], "usage": used})
    ask(client, "a/b")
    told = facts(balanced)
    assert told.get("genai_otel.cost.amount") == (None if amount is None else pytest.approx(amount))


@pytest.mark.parametrize(("said", "known"), [("0.0125", True), ("", False), ("None", False), ("0.0", False)])
@pytest.mark.parametrize("form", ["with_raw_response", "with_streaming_response"])
def test_a_proxy_of_litellm_says_it_in_a_header(
    balanced: Recorded, model_server: ModelServer, client: Any, form: str, said: str, *, known: bool
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    used = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000, "total_tokens": 2_000_000}
    body = {"id": "1", "model": "gpt-4o-mini", "choices": [choice], "usage": used}
    model_server.reply(Reply(body, headers={"x-litellm-response-cost": said}))
    raw = getattr(client.chat.completions, form).create(model="gpt-4o-mini", messages=MESSAGES)
    with contextlib.nullcontext(raw) if hasattr(raw, "parse") else raw as response:
        response.parse()
    told = facts(balanced)
    assert told["genai_otel.cost.amount"] == (0.0125 if known else pytest.approx(TOKENS))
    assert told["genai_otel.cost.source"] == ("provider" if known else "local")
