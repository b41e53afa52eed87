"""Of what litellm says that a call cost, the vendor's word counts and litellm's own reckoning does not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY
from tests.contract.payloads.litellm import PAYLOAD
from tests.contract.recorded import Recorded, facts

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]

MESSAGES: Any = [{"role": "user", "content": CANARY}]
USAGE = {"stream_options": {"include_usage": True}}


@pytest.mark.parametrize("stream", [False, True])
def test_prices_of_litellm_are_not_the_vendors(
    balanced: Recorded, here: dict[str, Any], model_server: ModelServer, *, stream: bool
) -> None:
    model_server.reply("hi")
    asked = {**here, "stream": True, **USAGE} if stream else here
    answer = litellm.completion("openai/gpt-4o-mini", MESSAGES, **asked)
    if stream:
        list(answer)
    told = facts(balanced)
    assert told["genai_otel.cost.source"] == "local"
    assert "genai_otel.cost.reported" not in told


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_vendor_says_counts(balanced: Recorded, here: dict[str, Any], *, stream: bool) -> None:
    asked = {**here, "stream": True, **USAGE} if stream else here
    answer = litellm.completion("openrouter/openai/gpt-4o-mini+cost-1234", MESSAGES, **asked)
    if stream:
        list(answer)
    told = facts(balanced)
    assert told["genai_otel.cost.source"] == "provider"
    assert told["genai_otel.cost.amount"] == pytest.approx(0.001234)
