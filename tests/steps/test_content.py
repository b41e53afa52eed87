"""What steps are given and what they give: recorded only where the content policy lets it, bounded, without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

import genai_otel
from genai_otel.engine import record
from genai_otel.engine.record import ContentPolicy
from tests.contract.recorded import Recorded

CANARY = "the canary sings"


@genai_otel.tool
def look_up(city: str, *, days: int = 3, key: str = "") -> dict[str, Any]:
    return {"city": city, "forecast": ["sun"] * days}


@genai_otel.agent
def answer(question: str) -> str:
    return f"about {question}"


@genai_otel.retrieval("papers", top_k=2)
def search(query: str) -> list[dict[str, Any]]:
    return [{"id": "p1", "score": 0.9, "text": query}]


def run_all() -> None:
    look_up(CANARY, key="sk-proj-" + "a" * 48)
    answer(CANARY)
    search(CANARY)
    with pytest.raises(KeyError), genai_otel.task("failing"):
        raise KeyError(CANARY)
    with genai_otel.tool("by hand") as step:
        step.arguments(city=CANARY)
        step.result([CANARY])


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content on spans, up to where the guard of the exporter looks."""
    assert record.active is not None
    monkeypatch.setattr(record.active, "content", ContentPolicy(True, False, 1024))


def test_nothing_of_it_is_recorded_by_default(telemetry: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    run_all()
    for span in telemetry.spans():
        assert CANARY not in repr((span.name, dict(span.attributes), span.events, span.status.description))
    assert "arguments" not in repr([dict(span.attributes) for span in telemetry.spans()])


def ended(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The spans that end from here on, with their attributes, before the guard of the exporter looks at them."""
    kept: list[Any] = []

    def keep(call: Any, attributes: Any) -> None:
        kept.append((call.span, attributes))

    assert record.active is not None
    monkeypatch.setattr(vars(record.active)["_steps"], "ended", keep)
    return kept


@pytest.mark.usefixtures("content")
def test_it_is_recorded_where_it_is_wanted(telemetry: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ended(monkeypatch)
    run_all()
    tool, agent, retrieval, failed, by_hand = [attributes for _, attributes in kept]
    arguments = json.loads(tool["gen_ai.tool.call.arguments"])
    assert arguments["city"] == CANARY
    assert "aaaa" not in tool["gen_ai.tool.call.arguments"]
    assert json.loads(tool["gen_ai.tool.call.result"]) == {"city": CANARY, "forecast": ["sun"] * 3}
    assert json.loads(agent["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": CANARY}]}
    ]
    (message,) = json.loads(agent["gen_ai.output.messages"])
    assert (message["role"], message["parts"][0]["content"]) == ("assistant", f"about {CANARY}")
    assert retrieval["gen_ai.retrieval.query.text"] == CANARY
    assert json.loads(retrieval["gen_ai.retrieval.documents"])[0]["text"] == CANARY
    assert failed["error.type"] == "KeyError"
    (event,) = kept[3][0].events
    assert (event.name, event.attributes["exception.type"]) == ("exception", "KeyError")
    assert json.loads(by_hand["gen_ai.tool.call.arguments"]) == {"city": CANARY}
    assert json.loads(by_hand["gen_ai.tool.call.result"]) == [CANARY]


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError("not to be asked")

    __str__ = __repr__


@pytest.mark.usefixtures("content")
def test_any_value_is_taken_and_bounded(telemetry: Recorded) -> None:
    @genai_otel.tool
    def odd(*values: Any, **more: Any) -> Any:
        return values

    circular: list[Any] = []
    circular.append(circular)
    values = (Odd(), circular, b"\xff" * 10_000, "x" * 100_000, float("nan"), 2**70)
    assert odd(*values, self=1) == values
    with pytest.raises(TypeError):
        look_up()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    assert [span.attributes["genai_otel.outcome"] for span in telemetry.calls()] == ["completed", "failed"]


@pytest.mark.usefixtures("content")
def test_arguments_are_those_that_were_given(telemetry: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ended(monkeypatch)

    @genai_otel.tool
    def emptying(items: list[int]) -> int:
        items.clear()
        return len(items)

    assert emptying([1, 2]) == 0
    assert json.loads(kept[0][1]["gen_ai.tool.call.arguments"]) == {"items": [1, 2]}
