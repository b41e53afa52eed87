"""litellm's messages, which have Anthropic's form whoever answers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.contract.litellm.test_content import ANSWERED, ANTHROPIC, OPENAI, PROMPTED, at
from tests.contract.litellm.test_nested import counted
from tests.contract.payload import CANARY
from tests.contract.payloads.litellm import PAYLOAD
from tests.contract.recorded import Recorded

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]


def asked(content: str) -> Any:
    return {"messages": [{"role": "user", "content": content}], "max_tokens": 64}


@pytest.mark.parametrize(("model", "provider"), [(ANTHROPIC, "anthropic"), (OPENAI, "openai")])
async def test_a_message(balanced: Recorded, here: dict[str, Any], model: str, provider: str) -> None:
    there = {key: value for key, value in at(here, model).items() if "retries" not in key}
    await litellm.anthropic.messages.acreate(**asked(CANARY), **there)
    facts = balanced.calls()[-1].attributes
    assert (facts["gen_ai.provider.name"], facts["gen_ai.operation.name"]) == (provider, "chat")
    assert facts["gen_ai.request.max_tokens"] == 64
    assert facts["gen_ai.response.finish_reasons"] == ("stop",)
    assert counted(balanced) == (1, 12, 7)
    with pytest.raises(Exception, match=r"429|limit|Rate"):
        await litellm.anthropic.messages.acreate(**asked(CANARY), **{**there, "model": f"{model}+error-429"})
    assert balanced.calls()[-1].attributes["http.response.status_code"] == 429


async def test_what_was_said(said: list[dict[str, Any]], here: dict[str, Any]) -> None:
    there = {key: value for key, value in at(here, ANTHROPIC).items() if "retries" not in key}
    await litellm.anthropic.messages.acreate(**asked("hi"), **there)
    assert said == [{"gen_ai.input.messages": PROMPTED, "gen_ai.output.messages": ANSWERED}]
