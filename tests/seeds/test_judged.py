"""What judges and users think: rates and means are queries over counts, and feedback is no request."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import genai_otel
from genai_otel.testing import ModelServer, Point, Telemetry
from tests.harness.calls import chat
from tests.harness.process import run
from tests.harness.results import LABEL, NAME, RESULTS, SCORES, point
from tests.harness.sink import HttpSink


def share(points: Iterable[Point], name: str, label: str) -> float:
    """What a panel asks: the results with a label by all results of one evaluation."""
    counts: dict[Any, float] = {}
    for each in points:
        if each.attributes[NAME] == name:
            counts[each.attributes[LABEL]] = counts.get(each.attributes[LABEL], 0) + each.value
    return counts.get(label, 0) / sum(counts.values())


@pytest.mark.seed_rows("001-07", "001-22", "002-09")
def test_accuracy_is_the_share_of_correct_results_and_keeps_its_sample_size(
    client: Any, telemetry: Telemetry
) -> None:
    for model, correct in (("gpt-4o-mini", True), ("gpt-4o-mini", False), ("gpt-4o", True)):
        genai_otel.record_evaluation(
            chat(client, model), "causal_accuracy", float(correct), "correct" if correct else "incorrect"
        )
    results = telemetry.metrics()[RESULTS]
    assert share(results, "causal_accuracy", "correct") == pytest.approx(2 / 3)
    of_mini = [each for each in results if each.attributes["gen_ai.request.model"] == "gpt-4o-mini"]
    assert share(of_mini, "causal_accuracy", "correct") == 0.5
    assert sum(each.value for each in results) == 3


@pytest.mark.seed_rows("002-02", "002-09", "002-19", "003-28")
def test_no_ground_no_answer_and_no_citation_are_three_questions(client: Any, telemetry: Telemetry) -> None:
    @genai_otel.evaluate("groundedness")
    def grounded(answer: str, documents: list[str]) -> str:
        return "grounded" if answer in documents else "ungrounded"

    @genai_otel.evaluate("citation_present")
    def cites(documents: list[str]) -> bool:
        return bool(documents)

    for answer, documents in (("a", ["a", "b"]), ("c", ["a"]), ("I don't know", [])):
        chat(client)
        genai_otel.record_evaluation(None, "no_answer", score=answer.startswith("I don't"))
        grounded(answer, documents)
        cites(documents)
    results = telemetry.metrics()[RESULTS]  # which waits for the judges
    assert share(results, "groundedness", "ungrounded") == pytest.approx(2 / 3)
    assert share(results, "no_answer", "true") == pytest.approx(1 / 3)
    assert share(results, "citation_present", "true") == pytest.approx(2 / 3)
    # Numerator and denominator of each rate are one metric with one set of labels.
    labels = {frozenset(each.attributes) for each in results}
    assert len(labels) == 1


@pytest.mark.seed_rows("003-28", "003-29", "003-32")
def test_thumbs_dilute_no_rate_and_are_no_requests(client: Any, telemetry: Telemetry) -> None:
    for number in range(10):
        chat(client)
        genai_otel.record_evaluation(None, "hallucination", label="fail" if number == 0 else "pass")
    before = share(telemetry.metrics()[RESULTS], "hallucination", "fail")
    for _ in range(10):
        assert genai_otel.record_feedback(genai_otel.response_ref(), value=True)
    metrics = telemetry.metrics()
    assert share(metrics[RESULTS], "hallucination", "fail") == before == 0.1
    assert [each.count for each in metrics["gen_ai.client.operation.duration"]] == [10]
    assert point(telemetry, RESULTS, "user_feedback").value == 10


@pytest.mark.seed_rows("001-11", "002-10", "003-29", "004-03")
def test_a_mean_rating_is_a_sum_by_a_count_in_buckets_of_its_scale(client: Any, telemetry: Telemetry) -> None:
    for stars in (5, 4, 1):
        chat(client)
        assert genai_otel.record_feedback(genai_otel.response_ref(), stars, name="satisfaction")
    found = point(telemetry, SCORES, "satisfaction")
    assert (found.sum / found.count, found.count) == (pytest.approx(10 / 3), 3)
    assert found.bounds == (1, 2, 3, 4, 5)
    assert found.buckets == (1, 0, 0, 1, 1, 0)


@pytest.mark.seed_rows("003-31")
def test_results_of_many_threads_are_all_there(client: Any, telemetry: Telemetry) -> None:
    ref = genai_otel.response_ref(chat(client))
    record = partial(genai_otel.record_evaluation, ref, "crowded", label="pass")
    with ThreadPoolExecutor(8) as pool:
        assert all(each.result() for each in [pool.submit(record) for _ in range(2000)])
    assert point(telemetry, RESULTS, "crowded").value == 2000


EVALUATES = """
import sys, openai, genai_otel
genai_otel.setup()
with openai.OpenAI(base_url=sys.argv[1], api_key="k") as client:
    for label in sys.argv[2]:
        client.chat.completions.create(model="gpt-4o-mini", messages=[])
        genai_otel.record_evaluation(None, "hallucination", label={"p": "pass", "f": "fail"}[label])
"""


@pytest.mark.process
@pytest.mark.seed_rows("003-28", "003-31")
def test_a_rate_is_right_over_several_processes_and_their_restarts(
    sink: HttpSink, model_server: ModelServer
) -> None:
    for labels in ("pppf", "ppppppf"):
        run(EVALUATES, env=sink.environment(), arguments=[model_server.base_url, labels]).ok()
    counts: dict[Any, float] = {}
    for each in sink.latest(RESULTS):  # of each process its last
        counts[each.attributes[LABEL]] = counts.get(each.attributes[LABEL], 0) + each.value
    assert counts == {"pass": 9, "fail": 2}


@pytest.mark.seed_rows("002-20", "002-31", "000-29")
def test_confidence_is_a_score_at_the_call_with_what_the_agent_was(client: Any, telemetry: Telemetry) -> None:
    with genai_otel.agent("vision"):
        chat(client)
        genai_otel.record_evaluation(None, "confidence", 0.91)
    found = point(telemetry, SCORES, "confidence")
    assert (found.sum, found.attributes["gen_ai.agent.name"]) == (0.91, "vision")
    (event,) = [each.log_record for each in telemetry.logs()]
    call = telemetry.calls()[0]
    assert call.context is not None
    assert (event.trace_id, event.span_id) == (call.context.trace_id, call.context.span_id)
