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
