"""@evaluate: evaluations behind the request, what they are about, what they find and how they fail."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

import openai
import pytest

import genai_otel
from genai_otel import fence
from genai_otel.quality import behind
from genai_otel.testing import ModelServer
from genai_otel.testing.in_memory import Telemetry
from tests.harness.calls import HELLO, chat
from tests.harness.results import LABEL, NAME, RESULTS, events, ids, point, span

WHOSE: ContextVar[str] = ContextVar("WHOSE", default="nobody")


@genai_otel.evaluate("length", evaluator_name="by characters")
def length(answer: str, *, most: int = 10) -> float:
    """How much of the room an answer takes."""
    return len(answer) / most


@pytest.mark.seed_rows("002-19")
def test_it_is_about_the_call_before_it_and_the_caller_does_not_wait(
    client: Any, telemetry: Telemetry
) -> None:
    go_on = threading.Event()

    @genai_otel.evaluate("slow judge", evaluator="llm")
    def judge(answer: str) -> dict[str, Any]:
        assert go_on.wait(10)
        return {"score": 0.5, "label": "pass", "explanation": answer}

    chat(client)
    future = judge("hello")
    chat(client)  # is not what is evaluated
    assert not future.done()
    go_on.set()
    assert future.result(10) == {"score": 0.5, "label": "pass", "explanation": "hello"}
    first, _ = telemetry.calls()
    (event,) = events(telemetry)
    assert event.span_id == ids(first).span_id
    assert (event.attributes["gen_ai.evaluation.score.value"], event.attributes[LABEL]) == (0.5, "pass")
    assert event.attributes["genai_otel.evaluation.evaluator"] == "llm"
    assert "gen_ai.evaluation.explanation" not in event.attributes  # content is off


def test_the_function_stays_what_it_is(client: Any, telemetry: Telemetry) -> None:
    assert (length.__name__, length.__doc__) == ("length", "How much of the room an answer takes.")
    assert length.__wrapped__("hello") == 0.5
    chat(client)
    ref = genai_otel.response_ref()
    chat(client)
    assert length.of(ref, "hello", most=20).result(10) == 0.25
    (event,) = events(telemetry)
    assert event.span_id == ids(telemetry.calls()[0]).span_id
    assert event.attributes["genai_otel.evaluation.evaluator.name"] == "by characters"


def test_a_method_is_an_evaluation_of_its_object(client: Any, telemetry: Telemetry) -> None:
    class Judge:
        def __init__(self, threshold: float) -> None:
            self.threshold = threshold

        @genai_otel.evaluate("by a method")
        def judge(self, score: float) -> bool:
            return score > self.threshold

    chat(client)
    assert Judge(0.5).judge(0.7).result(10) is True  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - bound by __get__
    assert point(telemetry, RESULTS, "by a method").attributes[LABEL] == "true"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_it_raises_is_the_error_of_the_evaluation(
    asynchronous: bool, client: Any, telemetry: Telemetry
) -> None:
    name = f"broken {asynchronous}"

    @genai_otel.evaluate(name)
    def judge() -> float:
        raise TimeoutError("of the judge")

    @genai_otel.evaluate(name)
    async def judge_async() -> float:
        raise TimeoutError("of the judge")

    chat(client)
    future: Future[Any] = judge_async() if asynchronous else judge()
    with pytest.raises(TimeoutError):
        future.result(10)
    (event,) = events(telemetry)
    assert event.attributes["error.type"] == "TimeoutError"
    assert RESULTS not in telemetry.metrics()
    assert point(telemetry, "genai_otel.evaluation.errors", name).value == 1


@pytest.mark.parametrize(
    ("returned", "label"), [("pass", "pass"), (False, "false"), (0.3, None), (None, None)]
)
def test_what_it_returns_is_the_result(returned: Any, label: Any, client: Any, telemetry: Telemetry) -> None:
    @genai_otel.evaluate(f"returns {returned}")
    def judge() -> Any:
        return returned

    chat(client)
    judge().result(10)
    found = [dict(each.attributes).get(LABEL) for each in events(telemetry)]
    assert found == ([] if returned is None else [label])


def test_an_async_judge_runs_in_the_loop_of_its_caller(
    model_server: ModelServer, telemetry: Telemetry
) -> None:
    seen: list[tuple[int, str]] = []

    @genai_otel.evaluate("by a model", evaluator="llm")
    async def judge(client: openai.AsyncOpenAI) -> str:
        await client.chat.completions.create(model="gpt-4o", messages=HELLO)
        seen.append((threading.get_ident(), WHOSE.get()))
        return "pass"

    async def handler() -> None:
        async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="x") as client:
            WHOSE.set("the request's")
            with span("a request"):
                await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
                future = judge(client)
            assert genai_otel.flush(1)  # does not wait for what only this very thread could do
            assert not future.done()
            assert await asyncio.wrap_future(future) == "pass"

    asyncio.run(handler())
    assert seen == [(threading.get_ident(), "the request's")]
    assert point(telemetry, RESULTS, "by a model").attributes["gen_ai.request.model"] == "gpt-4o-mini"
    judged = [each for each in telemetry.calls() if each.name == "chat gpt-4o"]
    assert len({ids(each).trace_id for each in (*judged, *telemetry.calls())}) == 1


def test_a_loop_that_ends_before_its_judge_says_so(telemetry: Telemetry) -> None:
    @genai_otel.evaluate("too late")
    async def judge() -> float:
        await asyncio.sleep(60)
        return 1

    async def handler() -> None:
        with span():
            judge()
            await asyncio.sleep(0)

    asyncio.run(handler())
    (event,) = events(telemetry)
    assert event.attributes["error.type"] == "CancelledError"


def test_flush_waits_for_judges(client: Any, telemetry: Telemetry) -> None:
    @genai_otel.evaluate("in a moment")
    def judge() -> bool:
        time.sleep(0.2)
        return True

    chat(client)
    for _ in range(6):
        judge()
    assert genai_otel.flush(10)
    assert point(telemetry, RESULTS, "in a moment").value == 6


def test_the_queue_is_bounded(client: Any, telemetry: Telemetry) -> None:
    go_on = threading.Event()

    @genai_otel.evaluate("many")
    def judge() -> bool:
        return go_on.wait(10)

    chat(client)
    before = fence.drops().get(("evaluations", "queue_full"), 0)
    futures = [judge() for _ in range(behind.MOST_WAITING + 7)]
    assert [each.cancelled() for each in futures[-8:]] == [False, *[True] * 7]
    assert not genai_otel.flush(0.2)
    go_on.set()
    assert genai_otel.flush(10)
    assert fence.drops()["evaluations", "queue_full"] == before + 7
    assert point(telemetry, RESULTS, "many").value == behind.MOST_WAITING
    names = [each.name for each in threading.enumerate() if each.name == "genai_otel-evaluations"]
    assert len(names) <= behind.THREADS


def test_many_threads_record_at_once(client: Any, telemetry: Telemetry) -> None:
    chat(client)
    ref = genai_otel.response_ref()
    told: list[bool] = []

    def vote(number: int) -> None:
        for key in range(200):
            told.append(
                genai_otel.record_feedback(ref, number % 2 == 0, idempotency_key=str(key), name="voted")
            )

    threads = [threading.Thread(target=vote, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 200
    series = [each for each in telemetry.metrics()[RESULTS] if each.attributes[NAME] == "voted"]
    assert sum(each.value for each in series) == 200
