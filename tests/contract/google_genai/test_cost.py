"""What Google's answers cost where there is more than a price per token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.recorded import Recorded, facts

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.mark.parametrize(("tokens", "cost"), [(200_000, 0.2505), (200_001, 0.5007525)])
def test_above_a_limit_all_tokens_are_dearer(
    balanced: Recorded, client: Any, tokens: int, cost: float
) -> None:
    model = f"gemini-2.5-pro+input-{tokens}+output-50+cached-0"
    client.models.generate_content(model=model, contents="hello")
    told = facts(balanced)
    assert told["gen_ai.usage.input_tokens"] == tokens
    assert told["genai_otel.cost.amount"] == pytest.approx(cost, abs=1e-12)


FEES = [
    ("gemini-2.5-pro", 2.5, 1, 0.035),  # the prompt
    ("gemini-3-flash-preview", 0.5, 3, 3 * 0.014),  # each search
]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("case", FEES)
def test_what_google_searched_for_costs_a_fee(
    balanced: Recorded, client: Any, case: tuple[str, float, int, float], *, streams: bool
) -> None:
    model, tokens, billed, fee = case
    asked = f"{model}+input-1000000+output-3+cached-0+searches-3"
    if streams:
        list(client.models.generate_content_stream(model=asked, contents="hello"))
    else:
        client.models.generate_content(model=asked, contents="hello")
    told = facts(balanced)
    assert told["genai_otel.usage.web_searches"] == billed
    assert told["genai_otel.cost.amount"] == pytest.approx(tokens + fee, abs=1e-4)


def test_no_search_no_fee(balanced: Recorded, client: Any) -> None:
    client.models.generate_content(model="gemini-3-flash-preview+searches-0", contents="hello")
    assert "genai_otel.usage.web_searches" not in facts(balanced)
