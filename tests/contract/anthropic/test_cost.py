"""What Anthropic's messages cost: caches of two lives, searches, the fast mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payloads.anthropic import MESSAGES
from tests.contract.recorded import Recorded, facts

pytestmark = pytest.mark.usefixtures("balanced")

AMOUNT = "genai_otel.cost.amount"
# 3 tokens of input, 12,304 written to the cache, 550 of output: $0.05439 on the bill (BerriAI/litellm#9812).
BILLED = "claude-3-7-sonnet-20250219+input-12307+written-12304+cached-0+output-550"


def ask(client: Any, model: str, **extra: Any) -> Any:
    return client.messages.create(model=model, max_tokens=99, messages=MESSAGES, **extra)


def parts(recorded: Recorded) -> dict[Any, float]:
    return {
        point.attributes["genai_otel.cost.component"]: point.value
        for point in recorded.metrics()["genai_otel.client.cost"]
    }


@pytest.mark.parametrize("streams", [False, True])
def test_a_call_costs_what_its_vendor_billed(balanced: Recorded, client: Any, *, streams: bool) -> None:
    answer = ask(client, BILLED, stream=streams)
    if streams:
        list(answer)
    assert facts(balanced)[AMOUNT] == pytest.approx(0.054399, abs=1e-12)
    assert parts(balanced) == {
        "input": pytest.approx(3 * 3 / 1e6),
        "cache_write": pytest.approx(12_304 * 3.75 / 1e6),
        "output": pytest.approx(550 * 15 / 1e6),
    }


def test_what_is_kept_for_an_hour_is_dearer(balanced: Recorded, client: Any) -> None:
    ask(client, f"{BILLED}+written-1h-304")
    told = facts(balanced)
    assert told["genai_otel.usage.cache_write_1h.input_tokens"] == 304
    assert told["genai_otel.usage.cache_write_5m.input_tokens"] == 12_000
    assert parts(balanced)["cache_write"] == pytest.approx((12_000 * 3.75 + 304 * 6) / 1e6)
    assert told[AMOUNT] == pytest.approx(0.054399 + 304 * 2.25 / 1e6)


def test_reading_the_cache_and_searching_the_web(balanced: Recorded, client: Any) -> None:
    ask(client, "claude-sonnet-4-5+input-1000+written-0+cached-900+output-0+searches-3")
    assert facts(balanced)["genai_otel.usage.web_searches"] == 3
    assert parts(balanced) == {
        "input": pytest.approx(100 * 3 / 1e6),
        "cache_read": pytest.approx(900 * 0.3 / 1e6),
        "other": pytest.approx(0.03),
    }
