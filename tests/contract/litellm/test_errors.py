"""What an error tells of the vendor's answer: litellm gives each a status of its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY
from tests.contract.payloads.litellm import PAYLOAD
from tests.contract.recorded import Recorded

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]

MESSAGES: Any = [{"role": "user", "content": CANARY}]
NOBODY = "http://127.0.0.1:9"
STATUS = "http.response.status_code"
REQUEST_ID = "genai_otel.response.request_id"
OPENAI, ANTHROPIC = "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("model", "base"), [(OPENAI, f"{NOBODY}/v1"), ("hosted_vllm/m", f"{NOBODY}/v1"), (ANTHROPIC, NOBODY)]
)
def test_nobody_answered(balanced: Recorded, here: dict[str, Any], model: str, base: str) -> None:
    with pytest.raises(litellm.InternalServerError) as caught:
        litellm.completion(model, MESSAGES, **{**here, "api_base": base})
    assert caught.value.status_code == 500
    assert STATUS not in balanced.span().attributes


def test_nobody_answered_in_time(balanced: Recorded, here: dict[str, Any]) -> None:
    with pytest.raises(litellm.Timeout):
        litellm.completion("openai/gpt-4o-mini+hang", MESSAGES, timeout=0.2, **here)
    assert STATUS not in balanced.span().attributes


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_another_vendor_refuses(
    balanced: Recorded, here: dict[str, Any], model_server: ModelServer, asynchronous: bool
) -> None:
    there = {**here, "api_base": model_server.base_url.removesuffix("/v1")}
    with pytest.raises(litellm.RateLimitError):
        if asynchronous:
            await litellm.acompletion(f"{ANTHROPIC}+error-429", MESSAGES, **there)
        else:
            litellm.completion(f"{ANTHROPIC}+error-429", MESSAGES, **there)
    facts = balanced.span().attributes
    assert (facts[STATUS], facts["error.type"]) == (429, "RateLimitError")
    assert facts[REQUEST_ID].startswith("req_")


def test_what_a_program_falls_back_on_has_its_own_error(balanced: Recorded, here: dict[str, Any]) -> None:
    """The error of the first call stands in the chain of the second, which nobody answered."""
    with pytest.raises(litellm.InternalServerError):
        try:
            litellm.completion("openai/gpt-4o-mini+error-400", MESSAGES, **here)
        except litellm.BadRequestError:
            litellm.completion(OPENAI, MESSAGES, **{**here, "api_base": f"{NOBODY}/v1"})
    first, second = (span.attributes for span in balanced.calls())
    assert (first[STATUS], STATUS in second) == (400, False)
    assert (REQUEST_ID in first, REQUEST_ID in second) == (True, False)
