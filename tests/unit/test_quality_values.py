"""What a result may say: scores, labels, ratings, and what is refused."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN

import genai_otel
from genai_otel import fence
from genai_otel.quality.definitions import MOST_LABELS
from genai_otel.testing.in_memory import Telemetry
from tests.harness.calls import chat
from tests.harness.results import LABEL, NAME, RESULTS, SCORES, events, point, span


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What we said; clients log their requests, too, where a test before this one has raised their level."""
    return [record.getMessage() for record in caplog.records if record.name == "genai_otel"]


@pytest.mark.seed_rows("002-10", "003-29")
@pytest.mark.parametrize(
    ("value", "score", "label", "ends"),
    [
        (True, 1.0, "true", (0, 1)),
        (False, 0.0, "false", (0, 1)),
        (4, 4.0, None, (1, 5)),
        ("funny", None, "funny", (None, None)),
    ],
)
def test_feedback_keeps_its_own_scale(
    value: Any, score: float | None, label: str | None, ends: Any, *, client: Any, telemetry: Telemetry
) -> None:
    chat(client)
    name = f"said {value}"
    assert genai_otel.record_feedback(genai_otel.response_ref(), value, user_hash="u1", name=name)
    (event,) = events(telemetry)
    attributes = dict(event.attributes)
    assert attributes.get("gen_ai.evaluation.score.value") == score
    assert attributes.get(LABEL) == label
    low, high = (attributes.get(f"genai_otel.evaluation.score.{end}") for end in ("min", "max"))
    assert (low, high) == ends
    assert (attributes["user.hash"], attributes["genai_otel.evaluation.evaluator"]) == ("u1", "human")
    if ends == (1, 5):
        assert point(telemetry, SCORES, name).bounds == (1, 2, 3, 4, 5)


def test_feedback_that_is_sent_twice_counts_once(client: Any, telemetry: Telemetry) -> None:
    chat(client)
    first = genai_otel.response_ref()
    chat(client)
    second = genai_otel.response_ref()
    said = [(first, "a"), (first, "a"), (first, "b"), (second, "a"), (first, None), (first, None)]
    told = [genai_otel.record_feedback(ref, "ok", idempotency_key=key, name="twice") for ref, key in said]
    assert told == [True, False, True, True, True, True]
    assert point(telemetry, RESULTS, "twice").value == 5


@pytest.mark.parametrize(
    "bad", ["", "no reference", None, 7, (), (1,), ("x", "y"), (0, 0), INVALID_SPAN, b"x"]
)
def test_feedback_about_nothing_is_counted_and_said_once(
    bad: Any, client: Any, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    chat(client)
    fence._said.clear()  # pyright: ignore[reportPrivateUsage]
    before = fence.drops().get(("evaluations", "invalid_target"), 0)
    with caplog.at_level(logging.WARNING), span():
        assert not genai_otel.record_feedback(bad, value=True)
        assert not genai_otel.record_feedback(bad, value=True)
    assert fence.drops()["evaluations", "invalid_target"] == before + 2
    assert len(warnings(caplog)) == 1
    assert events(telemetry) == []


def test_references_cannot_be_made_up_or_changed(client: Any) -> None:
    chat(client)
    ref = genai_otel.response_ref()
    for place in range(len(ref)):
        other = "A" if ref[place] != "A" else "B"
        assert not genai_otel.record_feedback(f"{ref[:place]}{other}{ref[place + 1 :]}", value=True)
        assert not genai_otel.record_feedback(ref[:place], value=True)
    assert not genai_otel.record_feedback(f"{ref}A", value=True)


@pytest.mark.parametrize(
    ("score", "label"), [(None, None), ("high", None), (float("nan"), None), (None, 3), (1j, None)]
)
def test_a_result_that_is_none_is_refused(score: Any, label: Any, client: Any, telemetry: Telemetry) -> None:
    chat(client)
    before = fence.drops().get(("evaluations", "invalid_result"), 0)
    assert not genai_otel.record_evaluation(None, "odd", score, label)
    assert fence.drops()["evaluations", "invalid_result"] == before + 1
    assert events(telemetry) == []


@pytest.mark.parametrize("bad", [0, 6, -1, float("inf"), None, [], ""])
def test_a_rating_off_its_scale_is_refused(bad: Any, client: Any, telemetry: Telemetry) -> None:
    chat(client)
    assert not genai_otel.record_feedback(genai_otel.response_ref(), bad)
    assert events(telemetry) == []


def test_an_evaluation_that_fails_has_no_result(client: Any, telemetry: Telemetry) -> None:
    chat(client)
    assert genai_otel.record_evaluation(None, "failing", error=TimeoutError("of the judge"))
    (event,) = events(telemetry)
    assert event.attributes["error.type"] == "TimeoutError"
    metrics = telemetry.metrics()
    assert all(each.attributes[NAME] != "failing" for each in metrics.get(RESULTS, ()))
    assert (
        point(telemetry, "genai_otel.evaluation.errors", "failing").attributes["error.type"] == "TimeoutError"
    )


@pytest.mark.seed_rows("001-12")
def test_labels_are_bounded(client: Any, telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    chat(client)
    ref = genai_otel.response_ref()
    with caplog.at_level(logging.WARNING):
        for number in range(10_000):
            genai_otel.record_evaluation(ref, "free words", label=f"word {number}")
    series = [each for each in telemetry.metrics()[RESULTS] if each.attributes[NAME] == "free words"]
    assert len(series) == MOST_LABELS + 1
    (other,) = [each for each in series if each.attributes[LABEL] == "__other__"]
    assert other.value == 10_000 - MOST_LABELS
    assert len([each for each in caplog.records if "free words" in each.getMessage()]) == 1


@pytest.mark.seed_rows("001-11")
def test_what_was_declared_holds(client: Any, telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    genai_otel.define_evaluation("stars", labels=("good", "bad"), buckets=(0, 5, 10), higher_is_better=False)
    chat(client)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            genai_otel.record_evaluation(None, "stars", 7, "splendid")
        genai_otel.record_evaluation(None, "stars", score=True)
        genai_otel.record_evaluation(None, "stars", score=False)
    series = [each for each in telemetry.metrics()[RESULTS] if each.attributes[NAME] == "stars"]
    assert {each.attributes[LABEL]: each.value for each in series} == {"__other__": 3, "bad": 1, "good": 1}
    assert len([each for each in caplog.records if "stars" in each.getMessage()]) == 1
    score = point(telemetry, SCORES, "stars")
    assert (score.bounds, score.buckets) == ((0, 5, 10), (1, 1, 3, 0))
    assert genai_otel.record_feedback(genai_otel.response_ref(), 10, name="stars")
    assert not genai_otel.record_feedback(genai_otel.response_ref(), 11, name="stars")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "wrong", "labels": "pass"},
        {"name": "wrong", "labels": [1]},
        {"name": "wrong", "buckets": (2, 1)},
        {"name": "wrong", "buckets": (1, float("inf"))},
    ],
)
def test_a_definition_that_cannot_be_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="evaluation"):
        genai_otel.define_evaluation(**wrong)


@pytest.mark.seed_rows("002-32")
@pytest.mark.parametrize(("recorded", "told"), [("fffff", True), ("ffff", False), ("pfffffffff", False)])
def test_an_evaluation_that_only_records_failures_is_named(
    recorded: str, *, told: bool, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    chat(client)
    with caplog.at_level(logging.WARNING):
        for letter in recorded * 2 if told else recorded:
            genai_otel.record_evaluation(None, recorded, label={"p": "pass", "f": "fail"}[letter])
    said = warnings(caplog)
    assert len(said) == told
    assert all(f"{recorded!r} has only recorded failures" in each for each in said)


def test_two_scales_under_one_name_are_said(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    chat(client)
    with caplog.at_level(logging.WARNING):
        for value in (True, 3, 4):
            assert genai_otel.record_feedback(genai_otel.response_ref(), value, name="mixed")
    (said,) = warnings(caplog)
    assert "'mixed' gets scores on two scales, 0 to 1 and 1 to 5" in said
