"""xAI says what an answer cost, and then that is what it cost."""

from __future__ import annotations

from typing import Any

import pytest
from xai_sdk.chat import user
from xai_sdk.proto import usage_pb2

from tests.contract.caller import Caller, settled
from tests.contract.recorded import Recorded, facts

pytestmark = pytest.mark.skipif(
    "cost_in_usd_ticks" not in usage_pb2.SamplingUsage.DESCRIPTOR.fields_by_name,
    reason="this version of the client does not tell",
)


async def test_what_the_vendor_says(balanced: Recorded, caller: Caller) -> None:
    whole: Any = caller.client.whole
    chat = whole.chat.create(model="grok-4+cost-1234", messages=[user("hello")])
    await settled(chat.sample())
    told = facts(balanced)
    assert told["genai_otel.cost.amount"] == told["genai_otel.cost.reported"] == pytest.approx(0.001234)
    assert told["genai_otel.cost.source"] == "provider"
    assert "genai_otel.cost.price_date" not in told
    (point,) = balanced.metrics()["genai_otel.client.cost"]
    assert point.value == pytest.approx(0.001234)
    assert point.attributes["genai_otel.cost.component"] == "other"
