"""Groq's own field, its caches and its times."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.bodies import COUNTS, chunks, completion, ending, usage
from tests.contract.caller import Caller, settled
from tests.contract.payloads.groq import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: Any = {"model": "m", "messages": MESSAGES}
TIMES = {"queue_time": 9.0, "prompt_time": 0.25, "completion_time": 0.5, "total_time": 0.75}
TOTALS = {"input_tokens": 100, "output_tokens": 50}


async def streamed(caller: Caller, server: ModelServer, *last: dict[str, Any]) -> Exception | None:
    server.reply(events=[*chunks(*last), "[DONE]"])
    _, error = await caller.read(await settled(caller.client.chat.completions.create(**ASKED, stream=True)))
    return error


@pytest.mark.parametrize(
    "case",
    [
        ({}, {}, {}),
        ({"prompt_tokens_details": {"cached_tokens": 60}}, {}, {"cache_read.input_tokens": 60}),
        ({}, {"dram_cached_tokens": 10, "sram_cached_tokens": 20}, {"cache_read.input_tokens": 30}),
        (
            {"prompt_tokens_details": {"cached_tokens": 60}},
            {"dram_cached_tokens": 10},
            {"cache_read.input_tokens": 60},
        ),
        ({"completion_tokens_details": {"reasoning_tokens": 7}}, {}, {"reasoning.output_tokens": 7}),
    ],
    ids=["plain", "cached", "caches", "both", "reasoning"],
)
async def test_usage_of_an_answer(
    balanced: Recorded, caller: Caller, model_server: ModelServer, case: Any
) -> None:
    told, own, more = case
    field = {"id": "req_1", **({"usage": own} if own else {})}
    model_server.reply(completion(usage={**told, **TIMES}, x_groq=field))
    await settled(caller.client.chat.completions.create(**ASKED))
    span = balanced.span()
    assert usage(span) == {**TOTALS, **more}
    assert span.attributes["genai_otel.response.request_id"] == "req_1"
    assert span.attributes["genai_otel.response.compute_time"] == 0.75


@pytest.mark.parametrize("apart", [False, True], ids=["in its own field", "in a chunk without choices"])
async def test_usage_of_a_stream(
    balanced: Recorded, caller: Caller, model_server: ModelServer, apart: bool
) -> None:
    counts = {**COUNTS, **TIMES, "prompt_tokens_details": {"cached_tokens": 60}}
    own = {"id": "req_1"} if apart else {"id": "req_1", "usage": counts}
    last: dict[str, Any] = {"choices": [], "usage": counts, "x_groq": {"id": "req_1"}}
    assert await streamed(caller, model_server, ending(x_groq=own), *([last] if apart else [])) is None
    span = balanced.span()
    assert usage(span) == {**TOTALS, "cache_read.input_tokens": 60}
    assert span.attributes["genai_otel.response.request_id"] == "req_1"
    assert span.attributes["genai_otel.response.compute_time"] == 0.75


async def test_a_stream_that_is_stopped_early(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    last: dict[str, Any] = {
        "choices": [],
        "x_groq": {"id": "req_1", "error": "over capacity", "usage": COUNTS},
    }
    error = await streamed(caller, model_server, last)
    span = balanced.span()
    assert error is None  # the client tells nobody
    assert outcome(span) == ("failed", "ERROR", "error")
    assert usage(span) == TOTALS
    assert "over capacity" not in str(span.to_json())


async def test_sound_becomes_text(
    said: list[dict[str, Any]], balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    model_server.reply({"text": "one two", "x_groq": {"id": "req_1"}})
    await settled(
        caller.client.audio.transcriptions.create(model="whisper", file=("a.wav", b"RIFF", "audio/wav"))
    )
    assert balanced.span().attributes["genai_otel.response.request_id"] == "req_1"
    (heard,) = said[0]["gen_ai.input.messages"]
    assert heard["parts"][0] == {
        "type": "blob",
        "modality": "audio",
        "mime_type": "audio/wav",
        "content": b"RIFF",
    }
    (answer,) = said[0]["gen_ai.output.messages"]
    assert answer["parts"] == [{"type": "text", "content": "one two"}]


async def test_tools_that_the_vendor_runs(
    said: list[dict[str, Any]], caller: Caller, model_server: ModelServer
) -> None:
    asked = {"index": 0, "type": "search", "arguments": '{"query": "mine"}'}
    tool = {**asked, "output": "deep"}
    message = {"role": "assistant", "content": "one two", "executed_tools": [tool]}
    model_server.reply(completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}]))
    await settled(caller.client.chat.completions.create(**ASKED))
    steps = [{"choices": [{"index": 0, "delta": {"executed_tools": [each]}}]} for each in (asked, tool)]
    assert await streamed(caller, model_server, *steps, ending()) is None
    call = {"type": "search", "arguments": '{"query": "mine"}'}
    for each in said:
        (answer,) = each["gen_ai.output.messages"]
        assert answer["parts"] == [
            {"type": "server_tool_call", "name": "search", "server_tool_call": call},
            {
                "type": "server_tool_call_response",
                "server_tool_call_response": {"type": "search", "output": "deep"},
            },
            {"type": "text", "content": "one two"},
        ]
    assert len(said) == 2
