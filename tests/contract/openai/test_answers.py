"""Facts of OpenAI's answers, and what they leave alone."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any

import openai
import pytest

from genai_otel.engine import record
from genai_otel.testing import ModelServer
from tests.contract.openai.older import needs
from tests.contract.payloads.openai import MESSAGES, Weather
from tests.contract.recorded import Recorded, outcome
from tests.harness.calls import WEATHER, WEATHER_FLAT
from tests.harness.patience import collect

pytestmark = pytest.mark.usefixtures("balanced")


def test_tool_calls(balanced: Recorded, client: Any) -> None:
    client.chat.completions.create(model="m", messages=MESSAGES, tools=[WEATHER])
    list(client.chat.completions.create(model="m", messages=MESSAGES, tools=[WEATHER], stream=True))
    client.responses.create(model="m", input="hi", tools=[WEATHER_FLAT])
    list(client.responses.create(model="m", input="hi", tools=[WEATHER_FLAT], stream=True))
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in balanced.calls()]
    assert reasons == [("tool_call",)] * 4


def test_structured_output_through_the_helpers(balanced: Recorded, client: Any) -> None:
    needs(client, "chat.completions.stream")
    parsed = client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Weather)
    assert isinstance(parsed.choices[0].message.parsed, Weather)
    with client.chat.completions.stream(model="m", messages=MESSAGES, response_format=Weather) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Weather)
    with client.responses.stream(model="m", input="hi", text_format=Weather) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Weather)
    with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
        assert stream.until_done().current_completion_snapshot.choices
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed"] * 4
    assert [span.attributes.get("gen_ai.output.type") for span in balanced.calls()] == [
        *["json"] * 3,
        None,
    ]


def test_a_completion_that_was_paid_for_and_cannot_be_parsed(balanced: Recorded, client: Any) -> None:
    needs(client, "chat.completions.parse")
    for directive, kind in (
        ("length", openai.LengthFinishReasonError),
        ("content-filter", openai.ContentFilterFinishReasonError),
    ):
        with pytest.raises(kind) as caught:
            client.chat.completions.parse(model=f"m+{directive}", messages=MESSAGES, response_format=Weather)
        span = balanced.calls()[-1]
        assert outcome(span) == ("failed", "ERROR", kind.__qualname__)
        if hasattr(caught.value, "completion"):  # a content filter's has none before 3.0
            assert span.attributes["gen_ai.usage.output_tokens"] == 7


def test_incomplete_and_failed_responses(balanced: Recorded, client: Any) -> None:
    for stream in (False, True):
        for directive in ("length", "content-filter", "failed"):
            answer = client.responses.create(model=f"m+{directive}", input="hi", stream=stream)
            if stream:
                list(answer)
    rows = [
        (
            outcome(span),
            *(span.attributes[f"gen_ai.response.{name}"] for name in ("status", "finish_reasons")),
        )
        for span in balanced.calls()
    ]
    assert (
        rows
        == [
            (("completed", "UNSET", None), "incomplete", ("length",)),
            (("completed", "UNSET", None), "incomplete", ("content_filter",)),
            (("failed", "ERROR", "server_error"), "failed", ("error",)),
        ]
        * 2
    )


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("directives", ["+refusal", ""])
def test_refusal(balanced: Recorded, client: Any, api: str, directives: str, *, streams: bool) -> None:
    how: dict[str, Any] = {"model": f"m{directives}", "stream": streams}
    if api == "chat":
        answer = client.chat.completions.create(messages=MESSAGES, **how)
    else:
        answer = client.responses.create(input="hello", **how)
    if streams:
        list(answer)
    span = balanced.span()
    assert span.attributes.get("genai_otel.refused") == (True if directives else None)
    assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert outcome(span)[0] == "completed"
    (point,) = balanced.metrics()["genai_otel.client.finish_reasons"]
    assert point.attributes["genai_otel.finish_reason"] == ("refusal" if directives else "stop")


EMPTY: list[dict[str, Any]] = [
    {"choices": []},  # as Azure begins
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}}]},
    {"choices": [{"index": 0, "delta": None}]},
]


@pytest.mark.parametrize("refuses", [False, True])
def test_a_refusal_is_seen_in_the_first_chunk_that_says_something(
    balanced: Recorded, model_server: ModelServer, client: Any, *, refuses: bool
) -> None:
    said: list[Mapping[str, Any]] = [{"content": "Hello"}, {"refusal": "I", "content": None}]
    deltas = said[::-1] if refuses else said
    events = [*EMPTY, *({"choices": [{"index": 0, "delta": delta}]} for delta in deltas)]
    end: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    model_server.reply(events=[{"id": "1", "model": "m", **event} for event in (*events, end)])
    list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    told = balanced.span().attributes
    assert told.get("genai_otel.refused") == (True if refuses else None)
    assert told["genai_otel.stream.chunks"] == 6


def test_speech_that_is_streamed_to_a_file(balanced: Recorded, client: Any, tmp_path: Any) -> None:
    with client.audio.speech.with_streaming_response.create(model="m", input="hi", voice="alloy") as sound:
        sound.stream_to_file(tmp_path / "a.mp3")
    assert (tmp_path / "a.mp3").stat().st_size == 1024
    assert outcome(balanced.span())[0] == "completed"


def test_vectors_stay_out_and_cost_nothing(balanced: Recorded, client: Any) -> None:
    client.embeddings.create(model="m", input=["x"], dimensions=4)  # what is imported, is
    begun = time.perf_counter()
    answer = client.embeddings.create(model="m", input=["x"] * 50, dimensions=1536)
    whole = time.perf_counter() - begun
    assert len(answer.data[0].embedding) == 1536
    told = balanced.calls()[1]
    assert len(told.to_json()) < 2_000
    assert (told.end_time or 0) - (told.start_time or 0) < whole * 1e9


def test_the_vendors_own_warnings_come_as_often(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    for recorder in (record.active, None):
        monkeypatch.setattr(record, "active", recorder)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            client.images.create_variation(image=b"x", model="m")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_many_abandoned_streams_leave_nothing(balanced: Recorded, client: Any) -> None:
    for _ in range(100):
        client.chat.completions.create(model="m+chunks-1", messages=MESSAGES, stream=True)
    collect()
    points = balanced.metrics()
    active = [point.value for point in points.get("genai_otel.client.active_operations", [])]
    assert sum(active) == 0
    assert sum(point.count for point in points["gen_ai.client.operation.duration"]) == 100


COMPLETION: Any = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "grok-4",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"},
    ],
}


@pytest.mark.parametrize(
    ("counts", "output"),
    [
        ((1499, 2809, 14428), 4308),  # beside the completion: the total has both
        ((0, 60, 10180), 60),
        ((1499, 1000, 11619), 1499),  # part of the completion
        ((1499, 1000, 11000), 1499),  # a total that proves nothing
        ((1499, 1000, None), 1499),
        ((1499, 0, 11619), 1499),
    ],
)
def test_reasoning_beside_the_completion(
    balanced: Recorded, client: Any, model_server: ModelServer, counts: tuple[Any, ...], output: int
) -> None:
    completion, reasoning, total = counts
    usage = {
        "prompt_tokens": 10120,
        "completion_tokens": completion,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    model_server.reply({**COMPLETION, "usage": usage})
    client.chat.completions.create(model="grok-4", messages=MESSAGES)
    span = balanced.span()
    assert span.attributes["gen_ai.usage.input_tokens"] == 10120
    assert span.attributes["gen_ai.usage.output_tokens"] == output
    assert span.attributes.get("gen_ai.usage.reasoning.output_tokens") == (reasoning or None)
