"""What Cerebras tells beside an answer: times, tokens of images, errors in place of one."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.clients.cerebras import SPEC
from genai_otel.testing import ModelServer
from tests.contract.bodies import COUNTS, FAILED, chunks, completion, ending, usage
from tests.contract.caller import Caller, settled
from tests.contract.payloads.cerebras import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: Any = {"model": "m", "messages": MESSAGES}
TIMES = {"queue_time": 9.0, "prompt_time": 0.25, "completion_time": 0.5, "total_time": 9.75, "created": 1.5}
TOLD = {
    "image_tokens": 9,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 7, "accepted_prediction_tokens": 3},
}
USAGE = {
    "input_tokens": 100,
    "output_tokens": 50,
    "image.input_tokens": 9,
    "cache_read.input_tokens": 60,
    "reasoning.output_tokens": 7,
}


@pytest.mark.parametrize("form", ["whole", "stream", "apart"])
async def test_usage_and_times(
    balanced: Recorded, caller: Caller, model_server: ModelServer, form: str
) -> None:
    told: dict[str, Any] = {"usage": {**COUNTS, **TOLD}, "time_info": TIMES, "system_fingerprint": "fp"}
    if form == "whole":
        model_server.reply(completion(**{**told, "usage": TOLD}))
    else:
        last: list[dict[str, Any]] = (
            [ending(system_fingerprint="fp"), {"choices": [], **told}]
            if form == "apart"
            else [ending(**told)]
        )
        model_server.reply(events=[*chunks(*last), "[DONE]"])
    answer = await settled(caller.client.chat.completions.create(**ASKED, stream=form != "whole"))
    if form != "whole":
        await caller.read(answer)
    span = balanced.span()
    assert usage(span) == USAGE
    assert span.attributes["genai_otel.response.compute_time"] == 0.75


async def test_an_error_in_a_stream(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    model_server.reply(events=[*chunks(), FAILED])
    _, error = await caller.read(await settled(caller.client.chat.completions.create(**ASKED, stream=True)))
    assert error is not None
    assert outcome(balanced.span()) == ("failed", "ERROR", type(error).__qualname__)


def test_usage_of_a_stream_can_be_asked_for() -> None:
    chats = [endpoint for endpoint in SPEC.endpoints if endpoint.with_usage is not None]
    assert len(chats) == len(SPEC.endpoints)
    assert chats[0].with_usage is not None
    assert chats[0].with_usage({"stream": True}) == {"stream_options": {"include_usage": True}}
