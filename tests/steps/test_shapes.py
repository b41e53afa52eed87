"""Every kind of step around every shape of function: one span, one measurement, and the program sees no difference."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import pickle
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

import genai_otel
from genai_otel import fence
from genai_otel.engine import record
from tests.contract.recorded import Recorded
from tests.steps.shapes import SHAPES, Shape, finished


class Kind(NamedTuple):
    step: Any
    operation: str
    named: str
    metric: str
    span_kind: SpanKind = SpanKind.INTERNAL


KINDS = {
    "workflow": Kind(
        genai_otel.workflow, "invoke_workflow", "gen_ai.workflow.name", "gen_ai.invoke_workflow.duration"
    ),
    "agent": Kind(genai_otel.agent, "invoke_agent", "gen_ai.agent.name", "gen_ai.invoke_agent.duration"),
    "task": Kind(genai_otel.task, "task", "genai_otel.task.name", "genai_otel.task.duration"),
    "tool": Kind(genai_otel.tool, "execute_tool", "gen_ai.tool.name", "gen_ai.execute_tool.duration"),
    "retrieval": Kind(
        genai_otel.retrieval,
        "retrieval",
        "gen_ai.data_source.id",
        "gen_ai.client.operation.duration",
        SpanKind.CLIENT,
    ),
    "cache": Kind(genai_otel.cache, "cache_lookup", "genai_otel.cache.name", "genai_otel.cache.operations"),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)


class Missing(Exception):
    pass


@pytest.mark.seed_rows("001-16", "001-17", "001-19", "004-05")
@every_kind
@every_shape
def test_a_run_is_a_span_and_a_measurement(telemetry: Recorded, kind: Kind, shape: Shape) -> None:
    inside: list[Any] = []

    def work(argument: str) -> str:
        inside.append(trace.get_current_span())
        return argument.upper()

    function = shape.make(work, kind.step)
    assert shape.is_kind(function)
    result = shape.run(function, "rome")
    assert result in ("ROME", [1, "ROME"])
    span = telemetry.span()
    assert (span.name, span.kind) == (f"{kind.operation} thing", kind.span_kind)
    assert span.attributes["gen_ai.operation.name"] == kind.operation
    assert span.attributes[kind.named] == "thing"
    assert span.attributes["genai_otel.outcome"] == "completed"
    assert span.status.status_code is StatusCode.UNSET
    assert [each.get_span_context() for each in inside] == [span.context]
    (point,) = telemetry.metrics()[kind.metric]
    seconds = (span.end_time - span.start_time) / 1e9
    assert (point.count, point.sum) == (1, pytest.approx(seconds)) if point.count else point.value == 1


@every_kind
@every_shape
def test_an_exception_passes_as_the_very_object(telemetry: Recorded, kind: Kind, shape: Shape) -> None:
    error = Missing("rome is not there")

    def work(_: str) -> None:
        raise error

    with pytest.raises(Missing) as caught:
        shape.run(shape.make(work, kind.step("lookup")), "rome")
    assert caught.value is error
    assert error.__cause__ is None
    assert error.__context__ is None
    span = telemetry.span()
    assert span.name == f"{kind.operation} lookup"
    assert (span.attributes["genai_otel.outcome"], span.attributes["error.type"]) == ("failed", "Missing")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "Missing")
    (point,) = telemetry.metrics()[kind.metric]
    assert point.attributes["error.type"] == "Missing"


@every_kind
def test_a_block_is_a_run(telemetry: Recorded, kind: Kind) -> None:
    error = Missing()
    with kind.step("lookup") as step:
        step.set_attribute("app.size", 3)
        step.set_attribute("app.odd", object())
    with pytest.raises(Missing) as caught, kind.step("lookup"):
        raise error
    assert caught.value is error
    first, second = telemetry.spans()
    assert first.attributes["app.size"] == 3
    assert "app.odd" not in first.attributes
    assert second.attributes["genai_otel.outcome"] == "failed"


@every_shape
def test_what_is_decorated_looks_as_before(shape: Shape) -> None:
    def itself(target: Any) -> Any:
        return target

    plain, stepped = shape.make(str.upper, itself), shape.make(str.upper, genai_otel.tool(name="x"))
    assert inspect.signature(stepped) == inspect.signature(plain)
    if inspect.isroutine(plain):
        assert (stepped.__name__, stepped.__doc__) == (plain.__name__, plain.__doc__)
        for asked in (
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
            inspect.isfunction,
            inspect.ismethod,
        ):
            assert asked(stepped) == asked(plain), asked


@genai_otel.tool
def doubled(number: int) -> int:
    """Twice as much."""
    return 2 * number


def test_a_step_is_pickled_and_copied_as_a_function_is() -> None:
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    assert copy.deepcopy(doubled) is copy.copy(doubled) is doubled


def test_one_annotation_names_each_function_by_its_own_name(telemetry: Recorded) -> None:
    step = genai_otel.task(stage="both")

    @step
    def first() -> None: ...

    @step
    def second() -> None: ...

    first()
    second()
    assert [span.name for span in telemetry.spans()] == ["task first", "task second"]


def test_a_function_that_gives_what_goes_on_is_over_when_that_is(telemetry: Recorded) -> None:
    async def later() -> int:
        return 7

    made = {"coroutine": later, "generator": lambda: (n for n in (1, 2)), "nothing": lambda: 3}
    results: list[Any] = []
    for name, make in made.items():
        results.append(finished(genai_otel.tool(name)(lambda make=make: make())()))
    assert results == [7, [1, 2], 3]
    assert [span.name for span in telemetry.spans()] == [f"execute_tool {name}" for name in made]
    assert {span.attributes["genai_otel.outcome"] for span in telemetry.calls()} == {"completed"}


def test_an_object_that_is_called_is_a_step_as_well(telemetry: Recorded) -> None:
    class Caller:
        def __call__(self, argument: str) -> str:
            return argument

    class Waiter:
        async def __call__(self, argument: str) -> str:
            return argument

    async def wait(argument: str) -> str:
        return argument

    for target in (Caller(), Waiter(), functools.partial(wait, "x"), functools.partial(Caller(), "x")):
        arguments = () if isinstance(target, functools.partial) else ("x",)
        assert finished(genai_otel.tool("called")(target)(*arguments)) == "x"
    assert [span.attributes["genai_otel.outcome"] for span in telemetry.calls()] == ["completed"] * 4


def test_an_exception_leaves_nothing_to_the_garbage_collector(telemetry: Recorded) -> None:
    class Failed(Exception):
        pass

    @genai_otel.tool
    def failing(_: str) -> None:
        raise Failed

    @genai_otel.tool
    def generating(_: str) -> Iterator[int]:
        raise Failed
        yield 1

    gc.collect()
    gc.disable()
    try:
        for function in (failing, generating):
            with pytest.raises(Failed) as caught:
                finished(function("x"))
            gone = weakref.ref(caught.value)
            del caught
            assert gone() is None
    finally:
        gc.enable()


def test_an_error_of_ours_does_not_reach_the_program(
    telemetry: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(fence, "strict", False)
    monkeypatch.setattr(fence, "_errors", {})
    assert record.active is not None
    monkeypatch.setattr(record.active, "start_step", broken)
    assert doubled(2) == 4
    with genai_otel.agent("x") as step:
        step.set_attribute("a", 1)
    assert dict(fence.errors()) == {"annotate.begin": 2}


@pytest.mark.parametrize("target", [3, [], b"x"])
def test_what_is_no_function_is_refused_where_it_stands(target: Any) -> None:
    with pytest.raises(TypeError, match="decorates a function, a method or a class"):
        genai_otel.tool(target)


def test_a_class_that_nothing_runs_is_refused() -> None:
    with pytest.raises(TypeError, match="has neither __call__ nor run"):

        @genai_otel.agent
        class Idle:  # pyright: ignore[reportUnusedClass] - it is not to come into being
            pass


def test_an_unknown_word_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match=r"invoke_agent has no colour; it has .*version"):
        genai_otel.agent("x", colour="red")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
