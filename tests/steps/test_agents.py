"""Agents that call a real client: what belongs to whom, what is counted, across tasks and threads."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.context import attach, get_current, set_value
from opentelemetry.instrumentation.utils import suppress_instrumentation

import genai_otel
from genai_otel.testing import ModelServer
from tests.contract.recorded import Recorded

foreign = trace.get_tracer("framework")


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}], **more
    )


@genai_otel.tool
def weather(city: str) -> str:
    return f"sunny in {city}"


@genai_otel.agent("planner")
def plan(client: Any, rounds: int) -> str:
    for _ in range(rounds):
        ask(client)
        weather("Rome")
    ask(client)
    return "done"


def points(telemetry: Recorded, metric: str) -> dict[Any, tuple[int, float]]:
    """Agent to (count, sum) of a histogram."""
    return {
        point.attributes.get("gen_ai.agent.name"): (point.count, point.sum)
        for point in telemetry.metrics().get(metric, [])
    }


@pytest.mark.seed_rows("000-16", "004-04")
def test_an_agents_loop_is_counted_and_its_calls_know_it(telemetry: Recorded, client: Any) -> None:
    plan(client, 3)
    *inside, agent = telemetry.calls()
    assert agent.attributes["genai_otel.agent.inference_calls"] == 4
    assert agent.attributes["genai_otel.agent.tool_calls"] == 3
    assert {span.attributes["gen_ai.agent.name"] for span in inside} == {"planner"}
    assert {span.parent.span_id for span in inside} == {agent.context.span_id}
    assert points(telemetry, "gen_ai.invoke_agent.inference_calls") == {"planner": (1, 4)}
    assert points(telemetry, "gen_ai.invoke_agent.tool_calls") == {"planner": (1, 3)}
    assert points(telemetry, "gen_ai.execute_tool.duration")["planner"][0] == 3
    # The calls are counted where they are made, and the agent has no tokens.
    calls = telemetry.metrics()["gen_ai.client.operation.duration"]
    assert [point.attributes["gen_ai.operation.name"] for point in calls] == ["chat"]
    assert calls[0].count == 4


def test_an_agent_in_an_agent_keeps_its_own_count(telemetry: Recorded, client: Any) -> None:
    @genai_otel.tool
    def delegate() -> str:
        return plan(client, 1)

    with genai_otel.agent("chief", conversation_id="c-1"):
        ask(client)
        delegate()
    assert points(telemetry, "gen_ai.invoke_agent.inference_calls") == {"planner": (1, 2), "chief": (1, 1)}
    assert points(telemetry, "gen_ai.invoke_agent.tool_calls") == {"planner": (1, 1), "chief": (1, 1)}
    assert {span.attributes["gen_ai.conversation.id"] for span in telemetry.calls()} == {"c-1"}


def test_what_stands_between_hides_nothing(telemetry: Recorded, client: Any) -> None:
    with genai_otel.agent("planner"), foreign.start_as_current_span("a span of the program's"):
        ask(client)
        with foreign.start_as_current_span(
            "execute_tool search",
            attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
        ):
            ask(client)
    assert points(telemetry, "gen_ai.invoke_agent.inference_calls") == {"planner": (1, 2)}
    assert points(telemetry, "gen_ai.invoke_agent.tool_calls") == {"planner": (1, 1)}
    assert [
        (point.attributes["gen_ai.tool.name"], point.count)
        for point in telemetry.metrics()["gen_ai.execute_tool.duration"]
    ] == [("search", 1)]


@pytest.mark.parametrize("name", ["weather", "another", None])
def test_a_tool_that_a_framework_sees_too_is_counted_once(telemetry: Recorded, name: str | None) -> None:
    said = {"openinference.span.kind": "TOOL"} if name is None else {"gen_ai.operation.name": "execute_tool"}
    if name is not None:
        said["gen_ai.tool.name"] = name
    with genai_otel.agent("planner"), foreign.start_as_current_span("theirs", attributes=said) as theirs:
        weather("Rome")
        if name is None:  # it says so when it ends
            theirs.set_attribute("tool.name", "weather")
    ours, *_ = telemetry.calls()
    same = name != "another"
    assert ours.attributes.get("genai_otel.owner") is (False if same else None)
    durations = telemetry.metrics()["gen_ai.execute_tool.duration"]
    assert sum(point.count for point in durations) == (1 if same else 2)
    assert {str(point.attributes["gen_ai.tool.name"]) for point in durations} == {
        "weather",
        name or "weather",
    }
    assert points(telemetry, "gen_ai.invoke_agent.tool_calls") == {"planner": (1, 1 if same else 2)}


async def test_tasks_of_an_agent_belong_to_it(telemetry: Recorded, model_server: ModelServer) -> None:
    async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="k") as client:

        @genai_otel.agent
        async def fan(name: str) -> None:
            with genai_otel.stage(name):
                await asyncio.gather(*(ask(client) for _ in range(3)))

        await asyncio.gather(fan("left"), fan("right"))
    *calls, one, other = sorted(telemetry.calls(), key=lambda span: span.name)
    agents = {one.context.span_id, other.context.span_id}
    assert {span.name for span in calls} == {"chat gpt-4o-mini"}
    assert {span.parent.span_id for span in calls} == agents
    assert sorted(span.attributes["genai_otel.stage"] for span in calls) == ["left"] * 3 + ["right"] * 3
    assert points(telemetry, "gen_ai.invoke_agent.inference_calls") == {"fan": (2, 6)}


def test_a_thread_that_carries_the_context_belongs_to_the_agent(telemetry: Recorded, client: Any) -> None:
    with genai_otel.agent("planner"), ThreadPoolExecutor(2) as pool:
        context = contextvars.copy_context()
        assert pool.submit(context.run, weather, "Rome").result() == "sunny in Rome"
        pool.submit(weather, "Oslo").result()  # this one carries nothing
    mine, alone, agent = telemetry.calls()
    assert mine.parent.span_id == agent.context.span_id
    assert alone.parent is None
    assert points(telemetry, "gen_ai.invoke_agent.tool_calls") == {"planner": (1, 1)}


@pytest.mark.seed_rows("002-47")
def test_agents_that_go_on_can_be_seen(telemetry: Recorded) -> None:
    def active() -> dict[Any, float]:
        return {
            point.attributes.get("gen_ai.agent.name"): point.value
            for point in telemetry.metrics()["genai_otel.agent.active"]
            if point.attributes.get("gen_ai.agent.name") in {"seen", "other"}
        }

    with genai_otel.agent("seen"), genai_otel.agent("seen"), genai_otel.agent("other"):
        assert active() == {"seen": 2, "other": 1}
        steps = telemetry.metrics().get("genai_otel.client.active_operations", [])
        assert not [point for point in steps if point.value]
    assert active() == {"seen": 0, "other": 0}


def test_one_object_entered_by_many_at_once_ends_each(telemetry: Recorded) -> None:
    step = genai_otel.task("shared")

    async def enter(seconds: float) -> int:
        async with step:
            await asyncio.sleep(seconds)
            return trace.get_current_span().get_span_context().span_id

    async def enter_many() -> list[int]:
        return await asyncio.gather(*(enter(0.002 * number) for number in (3, 1, 2)))

    inside = asyncio.run(enter_many())
    assert sorted(span.context.span_id for span in telemetry.spans()) == sorted(inside)
    with step, step:
        pass
    assert len(telemetry.spans()) == 5


def test_a_block_may_be_left_elsewhere(telemetry: Recorded) -> None:
    """As fixtures and dependencies of web frameworks are, that are generators."""
    step = genai_otel.task("resource")
    contextvars.copy_context().run(step.__enter__)
    with foreign.start_as_current_span("the program's"):
        before = get_current()
        step.__exit__(None, None, None)
        assert get_current() is before
    other = contextvars.copy_context()
    other.run(step.__enter__)
    other.copy().run(step.__exit__, None, None, None)
    assert [span.attributes["genai_otel.outcome"] for span in telemetry.calls()] == ["completed"] * 2


def test_what_a_block_leaves_current_goes_with_it(telemetry: Recorded) -> None:
    before = get_current()
    with genai_otel.task("untidy"):
        attach(set_value("left", "behind"))
    assert get_current() is before


def test_what_a_client_calls_back_is_no_part_of_its_call(telemetry: Recorded, client: Any) -> None:
    """As clients do that run tools themselves: the tool's own call of a model is another one."""

    def called_back(request: Any) -> None:
        if not inside:
            inside.append(request)
            with genai_otel.tool("lookup"):
                ask(client)

    inside: list[Any] = []
    hooks = client._client.event_hooks
    client._client.event_hooks = {"request": [called_back]}
    try:
        ask(client)
    finally:
        client._client.event_hooks = hooks
    inner, tool, outer = telemetry.calls()
    assert (inner.parent.span_id, tool.parent.span_id) == (tool.context.span_id, outer.context.span_id)
    assert [span.attributes.get("genai_otel.measured") for span in (inner, tool, outer)] == [True, None, True]
    (point,) = telemetry.metrics()["gen_ai.client.operation.duration"]
    assert point.count == 2


def test_what_is_suppressed_is_not_there(telemetry: Recorded) -> None:
    with suppress_instrumentation():
        assert weather("Rome") == "sunny in Rome"
        with genai_otel.agent("planner") as step:
            step.set_attribute("a", 1)
        genai_otel.event("something")
        genai_otel.parse_failure("xml")
    assert telemetry.spans() == []
    assert telemetry.logs() == []
    assert "genai_otel.output.parse.failures" not in telemetry.metrics()


@pytest.mark.seed_rows("004-09")
@pytest.mark.parametrize("found", [None, "answer"])
def test_a_look_up_is_a_hit_or_a_miss(telemetry: Recorded, found: str | None) -> None:
    @genai_otel.cache("answers")
    def look(_: str) -> str | None:
        return found

    assert look("x") is found
    with genai_otel.cache("answers") as step:
        step.hit(found is not None)
    with genai_otel.cache("answers") as step:
        step.result(found)
    (point,) = telemetry.metrics()["genai_otel.cache.operations"]
    result = "miss" if found is None else "hit"
    assert point.value == 3
    assert point.attributes == {"genai_otel.cache.name": "answers", "genai_otel.cache.result": result}


@pytest.mark.seed_rows("000-15", "000-16")
def test_stages_and_iterations_reach_what_is_inside(telemetry: Recorded, client: Any) -> None:
    for number in (1, 2):
        with genai_otel.stage("revision", iteration=number):
            with genai_otel.agent("reviser"):
                ask(client)
            with genai_otel.iteration(7), genai_otel.task("last", stage="own"):
                pass
    seen = [
        (span.name, span.attributes["genai_otel.stage"], span.attributes["genai_otel.iteration"])
        for span in telemetry.calls()
    ]
    assert seen == [
        row
        for number in (1, 2)
        for row in (
            ("chat gpt-4o-mini", "revision", number),
            ("invoke_agent reviser", "revision", number),
            ("task last", "own", 7),
        )
    ]
