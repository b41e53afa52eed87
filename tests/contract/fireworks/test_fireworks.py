"""What Fireworks measures, errors that its client hands on as chunks, and messages in Anthropic's words."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.bodies import COUNTS, FAILED, chunks, completion, ending, usage
from tests.contract.caller import Caller, settled, some_error
from tests.contract.payload import CANARY
from tests.contract.payloads.fireworks import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: Any = {"model": "m", "messages": MESSAGES}
TOTALS = {"input_tokens": 100, "output_tokens": 50}


@pytest.mark.parametrize(
    "case",
    [
        ({"cached-prompt-tokens": "60", "server-processing-time": "0.75"}, {}, 60, 0.75),
        ({"fireworks-cached-prompt-tokens": 60, "fireworks-server-processing-time": 0.75}, {}, 60, 0.75),
        ({"cached-prompt-tokens": 40}, {"prompt_tokens_details": {"cached_tokens": 60}}, 60, None),
        ({"cached-prompt-tokens": "much", "server-processing-time": "inf"}, {}, None, None),
        ({}, {"prompt_tokens_details": {"cached_tokens": 60}}, 60, None),
    ],
    ids=["texts", "numbers", "both", "odd", "usage"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_measurements(
    balanced: Recorded, caller: Caller, model_server: ModelServer, case: Any, stream: bool
) -> None:
    measured, told, cached, seconds = case
    if stream:
        last = ending(usage={**COUNTS, **told}, perf_metrics=measured)
        model_server.reply(events=[*chunks(last), "[DONE]"])
    else:
        model_server.reply(completion(usage=told, perf_metrics=measured))
    answer = await settled(
        caller.client.chat.completions.create(**ASKED, perf_metrics_in_response=True, stream=stream)
    )
    if stream:
        await caller.read(answer)
    span = balanced.span()
    assert usage(span) == {**TOTALS, **({} if cached is None else {"cache_read.input_tokens": cached})}
    assert span.attributes.get("genai_otel.response.compute_time") == seconds


@pytest.mark.parametrize("method", ["chat.completions", "completions"])
async def test_an_error_in_a_stream_is_a_chunk(
    balanced: Recorded, caller: Caller, model_server: ModelServer, method: str
) -> None:
    model_server.reply(events=[*chunks(), FAILED, "[DONE]"])
    asked = {"messages": MESSAGES} if method.startswith("chat") else {"prompt": CANARY}
    resource = caller.client.chat.completions if method.startswith("chat") else caller.client.completions
    seen, error = await caller.read(await settled(resource.create(model="m", stream=True, **asked)))
    assert error is None
    assert len(seen) == 3  # the program got it, too
    assert outcome(balanced.span()) == ("failed", "ERROR", "overloaded")


async def test_what_comes_after_an_error_is_no_fact_of_the_call(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    last: dict[str, Any] = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    model_server.reply(events=[*chunks(), FAILED, *chunks(last), "[DONE]"])
    seen, _ = await caller.read(await settled(caller.client.chat.completions.create(**ASKED, stream=True)))
    assert len(seen) > 4
    assert usage(balanced.span()) == {}
    assert "gen_ai.client.token.usage" not in balanced.metrics()


MESSAGE: Any = {
    "model": "m",
    "system": "be brief",
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 9,
    "temperature": 1,
    "top_k": 5,
    "stop_sequences": ["a"],
}


async def test_messages_in_anthropics_words(
    balanced: Recorded, said: list[dict[str, Any]], caller: Caller, model_server: ModelServer
) -> None:
    counts = {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 50}
    body: dict[str, Any] = {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "stop_reason": "end_turn",
    }
    content = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "one two"}]
    model_server.reply({**body, "content": content, "usage": counts})
    await settled(caller.client.messages.create(**MESSAGE))
    span = balanced.span()
    told = span.attributes
    assert (span.name, told["gen_ai.provider.name"]) == ("chat m", "fireworks_ai")
    assert usage(span) == {**TOTALS, "cache_read.input_tokens": 60}
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    assert (told["gen_ai.response.id"], told["gen_ai.response.model"]) == ("msg-1", "m-1")
    assert (told["gen_ai.request.max_tokens"], told["gen_ai.request.top_k"]) == (9, 5)
    assert said[0]["gen_ai.system_instructions"] == [{"type": "text", "content": "be brief"}]
    (answer,) = said[0]["gen_ai.output.messages"]
    assert answer["parts"] == [
        {"type": "reasoning", "content": "hm"},
        {"type": "text", "content": "one two"},
    ]


async def test_messages_that_tell_no_usage(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    body: dict[str, Any] = {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [],
    }
    model_server.reply({**body, "stop_reason": "max_tokens"})
    await settled(caller.client.messages.create(**MESSAGE))
    assert usage(balanced.span()) == {}
    assert balanced.span().attributes["gen_ai.response.finish_reasons"] == ("length",)


async def test_messages_that_are_refused(balanced: Recorded, caller: Caller) -> None:
    with some_error() as caught:
        await settled(caller.client.messages.create(**{**MESSAGE, "model": "m+error-429"}))
    assert outcome(balanced.span()) == ("failed", "ERROR", type(caught.value).__qualname__)
    assert balanced.span().attributes["http.response.status_code"] == 429
