"""What every answer tells of its quality for nothing: refusals, lack of room, emptiness; with content off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from genai_otel.testing import ModelServer
from genai_otel.testing.in_memory import Telemetry
from tests.harness.calls import chat

REASONS, EMPTY = "genai_otel.client.finish_reasons", "genai_otel.client.empty_answers"


def told(telemetry: Telemetry) -> tuple[dict[Any, float], float]:
    """Finish reasons with their numbers, and how many answers were empty."""
    metrics = telemetry.metrics()
    reasons = {each.attributes["genai_otel.finish_reason"]: each.value for each in metrics[REASONS]}
    return reasons, sum(each.value for each in metrics.get(EMPTY, ()))


@pytest.mark.seed_rows("003-30")
@pytest.mark.parametrize(
    ("model", "reasons", "empty"),
    [
        ("gpt-4o-mini", {"stop": 1}, 0),
        ("gpt-4o-mini+refusal", {"refusal": 1}, 0),
        ("gpt-4o-mini+content-filter", {"content_filter": 1}, 0),
        ("gpt-4o-mini+length", {"length": 1}, 0),
        ("gpt-4o-mini+output-0", {"stop": 1}, 1),
        ("gpt-4o-mini+output-3+length", {"length": 1}, 1),  # three tokens of reasoning
        ("gpt-4o-mini+output-0+content-filter", {"content_filter": 1}, 0),
    ],
)
def test_a_call_tells(
    model: str, reasons: dict[str, int], empty: int, client: Any, telemetry: Telemetry
) -> None:
    chat(client, model)
    assert told(telemetry) == (reasons, empty)
    attributes = telemetry.span().attributes or {}
    assert attributes.get("genai_otel.refused") is (True if "refusal" in model else None)


@pytest.mark.seed_rows("003-30")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("refuses", [False, True])
def test_a_response_tells_of_its_refusal(
    stream: bool, refuses: bool, client: Any, telemetry: Telemetry
) -> None:
    model = "gpt-4o-mini+refusal" if refuses else "gpt-4o-mini"
    answer = client.responses.create(model=model, input="hello", stream=stream)
    for _ in answer if stream else ():
        pass
    assert told(telemetry) == ({"refusal" if refuses else "stop": 1}, 0)


def test_nobody_says_anything_of_a_call_that_failed(client: Any, telemetry: Telemetry) -> None:
    with pytest.raises(Exception, match="429"):
        chat(client, "error-429")
    assert told(telemetry) == ({"error": 1}, 0)


def test_a_server_without_messages_is_no_refusal(
    model_server: ModelServer, client: Any, telemetry: Telemetry
) -> None:
    client.completions.create(model="gpt-3.5-turbo-instruct", prompt="hello")
    assert told(telemetry) == ({"stop": 1}, 0)
    assert "genai_otel.refused" not in (telemetry.span().attributes or {})


def read_whole(stream: Any) -> None:
    list(stream)


def leave(stream: Any) -> None:
    next(iter(stream))
    stream.close()


@pytest.mark.parametrize(
    ("model", "read", "outcome"),
    [
        ("gpt-4o-mini", read_whole, "completed"),
        ("gpt-4o-mini", leave, "closed"),
        ("gpt-4o-mini+cut-after-2", read_whole, "cut"),
        ("gpt-4o-mini+midstream-error", read_whole, "failed"),
    ],
)
def test_streams_that_the_program_leaves_are_counted(
    model: str, read: Callable[[Any], None], outcome: str, client: Any, telemetry: Telemetry
) -> None:
    stream = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "hello"}], stream=True
    )
    with contextlib.suppress(openai.OpenAIError, httpx2.HTTPError):
        read(stream)
    counted = telemetry.metrics().get("genai_otel.client.incomplete_operations", ())
    expected = {outcome: 1} if outcome == "closed" else {}
    assert {each.attributes["genai_otel.outcome"]: each.value for each in counted} == expected
    assert (telemetry.span().attributes or {})["genai_otel.outcome"] == outcome
