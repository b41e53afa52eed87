"""Results of evaluations and feedback: where they go, and what they are about."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from opentelemetry.trace import SpanContext

import genai_otel
from genai_otel.testing import ModelServer
from genai_otel.testing.in_memory import Telemetry
from tests.harness.calls import chat
from tests.harness.results import LABEL, RESULTS, SCORES, events, ids, point, span


@pytest.mark.seed_rows("000-29", "001-22", "004-03")
def test_a_result_is_an_event_at_the_span_of_the_response_and_a_number(
    client: Any, telemetry: Telemetry
) -> None:
    response = chat(client)
    ref = genai_otel.response_ref()
    with span():
        assert genai_otel.record_evaluation(
            ref, "grounded", 0.8, "pass", "a reason", evaluator="llm", evaluator_name="judge-7"
        )

    call = ids(telemetry.span())
    (event,) = events(telemetry)
    assert event.event_name == "gen_ai.evaluation.result"
    assert (event.trace_id, event.span_id) == (call.trace_id, call.span_id)
    assert dict(event.attributes) == {
        "gen_ai.evaluation.name": "grounded",
        "gen_ai.evaluation.score.value": 0.8,
        "gen_ai.evaluation.score.label": "pass",
        "genai_otel.evaluation.evaluator": "llm",
        "genai_otel.evaluation.evaluator.name": "judge-7",
        "gen_ai.response.id": response.id,
        "gen_ai.request.model": "gpt-4o-mini",
    }
    labels = {
        "gen_ai.evaluation.name": "grounded",
        "genai_otel.evaluation.evaluator": "llm",
        "gen_ai.request.model": "gpt-4o-mini",
    }
    assert point(telemetry, RESULTS, "grounded").attributes == {**labels, LABEL: "pass"}
    assert point(telemetry, RESULTS, "grounded").value == 1
    score = point(telemetry, SCORES, "grounded")
    assert (score.attributes, score.count, score.sum) == (labels, 1, 0.8)
    assert score.bounds == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    (request,) = [each for each in telemetry.spans() if each.name == "POST /feedback"]
    (link,) = request.links
    assert link.context.span_id == call.span_id


@pytest.mark.parametrize("kind", ["response", "id", "span", "context", "numbers", "texts", "ref"])
def test_what_is_evaluated_may_be_said_in_many_ways(kind: str, client: Any, telemetry: Telemetry) -> None:
    response = chat(client)
    chat(client)  # is the last one
    first, _ = telemetry.calls()
    meant = ids(first)
    target: Any = {
        "response": response,
        "id": response.id,
        "span": first,
        "context": meant,
        "numbers": (meant.trace_id, meant.span_id),
        "texts": (f"{meant.trace_id:032x}", f"{meant.span_id:016x}"),
        "ref": genai_otel.response_ref(response),
    }[kind]
    with span():
        assert genai_otel.record_evaluation(target, kind, 1)
    (event,) = events(telemetry)
    assert event.span_id == meant.span_id
    assert event.attributes["gen_ai.response.id"] == response.id
    assert point(telemetry, RESULTS, kind).attributes["gen_ai.request.model"] == "gpt-4o-mini"


def test_a_span_that_still_goes_on(telemetry: Telemetry) -> None:
    with span("a step") as live:
        live.set_attributes({"gen_ai.request.model": "own-1", "gen_ai.agent.name": "planner"})
        genai_otel.record_evaluation(live, "on a live span", label="pass")
        genai_otel.record_evaluation(None, "on the current span", label="pass")
    assert {each.span_id for each in events(telemetry)} == {live.get_span_context().span_id}
    labels = point(telemetry, RESULTS, "on a live span").attributes
    assert (labels["gen_ai.request.model"], labels["gen_ai.agent.name"]) == ("own-1", "planner")
    assert telemetry.spans()[0].links == ()  # none to itself


def test_a_response_that_is_not_known_here_is_named_by_its_id(telemetry: Telemetry) -> None:
    with span():
        genai_otel.record_evaluation("resp_of_another_process", "elsewhere", label="pass")
    (event,) = events(telemetry)
    assert (event.trace_id, event.span_id) == (0, 0)
    assert event.attributes["gen_ai.response.id"] == "resp_of_another_process"
    assert telemetry.spans()[0].links == ()


def test_each_task_has_its_own_last_call(model_server: ModelServer, telemetry: Telemetry) -> None:
    import openai

    async def one(client: openai.AsyncOpenAI, wait: str) -> tuple[str, str]:
        response = await client.chat.completions.create(
            model=f"gpt-4o-mini+slow-first-{wait}", messages=[{"role": "user", "content": "hello"}]
        )
        await asyncio.sleep(0.3)  # the others have ended meanwhile
        return genai_otel.response_ref(), genai_otel.response_ref(response)

    async def all_of_them() -> list[tuple[str, str]]:
        async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="x") as client:
            with span("a request"):
                return await asyncio.gather(*(one(client, wait) for wait in ("20ms", "1ms", "60ms", "40ms")))

    refs = asyncio.run(all_of_them())
    assert all(last == of_response for last, of_response in refs)
    assert len({last for last, _ in refs}) == len(telemetry.calls()) == 4


def test_a_call_in_a_worker_thread_is_found_by_its_trace(client: Any, telemetry: Telemetry) -> None:
    async def handler() -> str:
        with span("a request"):
            await asyncio.to_thread(chat, client)
            return genai_otel.response_ref()

    ref = asyncio.run(handler())
    genai_otel.record_feedback(ref, value=True)
    (event,) = events(telemetry)
    assert event.span_id == ids(telemetry.span()).span_id


def test_a_stream_has_a_reference_when_it_was_read(client: Any, telemetry: Telemetry) -> None:
    for _ in chat(client, stream=True):
        pass
    genai_otel.record_feedback(genai_otel.response_ref(), 5)
    (event,) = events(telemetry)
    assert event.span_id == ids(telemetry.span()).span_id


def test_the_only_stream_of_a_request_that_goes_on_is_meant(client: Any, telemetry: Telemetry) -> None:
    """As a handler does that hands it on: the answer's headers leave before the stream is read."""
    with span("a request") as request, chat(client, stream=True) as stream:
        with genai_otel.task("a step"):
            ref = genai_otel.response_ref()
        with chat(client, "gpt-4o", stream=True):
            assert genai_otel.response_ref() == genai_otel.response_ref(request)  # of two, neither
        for _ in stream:
            pass
    assert genai_otel.record_feedback(ref, value=True)
    (event,) = events(telemetry)
    (call,) = [each for each in telemetry.calls() if each.name == "chat gpt-4o-mini"]
    assert event.span_id == ids(call).span_id


def test_an_older_call_is_not_taken_for_one_of_this_request(client: Any) -> None:
    chat(client)
    with span("a request without a call") as current:
        ref = genai_otel.response_ref()
        assert ref == genai_otel.response_ref(current)


def test_there_may_be_nothing_to_refer_to() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(genai_otel.response_ref()))
    thread.start()
    thread.join()
    assert found == [""]


def test_a_foreign_span_context_is_a_target(telemetry: Telemetry) -> None:
    genai_otel.record_evaluation(SpanContext(7, 9, is_remote=True), "foreign", label="pass")
    (event,) = events(telemetry)
    assert (event.trace_id, event.span_id) == (7, 9)


def test_the_agent_is_the_one_that_made_the_call_and_not_its_critic(
    client: Any, telemetry: Telemetry
) -> None:
    with genai_otel.agent("writer"), genai_otel.tool("drafting"):
        response = chat(client)
    with genai_otel.agent("critic"):
        genai_otel.record_evaluation(response, "of the writer", label="pass")
    assert point(telemetry, RESULTS, "of the writer").attributes["gen_ai.agent.name"] == "writer"


def test_a_stream_has_a_reference_before_it_was_read(client: Any, telemetry: Telemetry) -> None:
    with chat(client, stream=True) as first, chat(client, "gpt-4o", stream=True) as second:
        refs = [genai_otel.response_ref(each) for each in (first, second)]
        for _ in first:
            pass
    assert all(genai_otel.record_feedback(ref, value=True) for ref in refs)
    spans = {each.name: ids(each).span_id for each in telemetry.calls()}
    assert [each.span_id for each in events(telemetry)] == [spans["chat gpt-4o-mini"], spans["chat gpt-4o"]]
