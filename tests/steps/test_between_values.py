"""Generators: between two values the caller's context is the caller's, and the span ends when they do."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, get_current

import genai_otel
from tests.contract.recorded import Recorded, collected

tracer = trace.get_tracer("program")


def here() -> str | None:
    """The name of the current span."""
    return getattr(trace.get_current_span(), "name", None)


def outcomes(telemetry: Recorded) -> list[tuple[str, Any]]:
    return [
        (span.attributes["genai_otel.outcome"], span.attributes.get("error.type"))
        for span in telemetry.calls()
    ]


@genai_otel.workflow
def counting(seen: list[Any]) -> Generator[int]:
    try:
        for number in range(3):
            seen.append(here())
            with tracer.start_as_current_span("inner"):
                yield number
                seen.append(here())
            seen.append(here())
    finally:
        seen.append("end")


@genai_otel.workflow
async def acounting(seen: list[Any]) -> AsyncGenerator[int]:
    try:
        for number in range(3):
            seen.append(here())
            with tracer.start_as_current_span("inner"):
                yield number
                await asyncio.sleep(0)
                seen.append(here())
            seen.append(here())
    finally:
        seen.append("end")


EACH = ["invoke_workflow counting", "inner", "invoke_workflow counting"]


def test_between_two_values_the_callers_span_is_current(telemetry: Recorded) -> None:
    seen: list[Any] = []
    with tracer.start_as_current_span("caller"):
        context = get_current()
        for _ in counting(seen):
            assert get_current() is context
        assert get_current() is context
    assert seen == [*EACH * 3, "end"]
    spans = {span.name: span for span in telemetry.spans()}
    assert spans["invoke_workflow counting"].parent.span_id == spans["caller"].context.span_id
    assert spans["inner"].parent.span_id == spans["invoke_workflow counting"].context.span_id


async def test_so_it_is_where_values_are_awaited(telemetry: Recorded) -> None:
    seen: list[Any] = []
    with tracer.start_as_current_span("caller"):
        context = get_current()
        async for _ in acounting(seen):
            assert get_current() is context
        assert get_current() is context
    assert seen == [*(name.replace("counting", "acounting") for name in EACH * 3), "end"]
    assert outcomes(telemetry) == [("completed", None)]


def test_two_generators_in_turn_keep_apart(telemetry: Recorded) -> None:
    first, second = list[Any](), list[Any]()
    for _ in zip(counting(first), counting(second), strict=True):
        assert get_current() == Context()
    assert first == second == [*EACH * 3, "end"]
    assert outcomes(telemetry) == [("completed", None)] * 2


def test_what_is_sent_and_thrown_arrives_and_what_is_returned_comes_back(telemetry: Recorded) -> None:
    @genai_otel.task
    def talking() -> Generator[Any, Any, str]:
        got: list[Any] = [(yield "first")]
        try:
            yield "second"
        except KeyError as error:
            got.append(error)
        return f"{got[0]} {type(got[1]).__name__}"

    def delegating() -> Generator[Any, Any, str]:
        return (yield from talking())

    generator = delegating()
    assert next(generator) == "first"
    assert generator.send("hello") == "second"
    with pytest.raises(StopIteration) as ended:
        generator.throw(KeyError("x"))
    assert ended.value.value == "hello KeyError"
    assert outcomes(telemetry) == [("completed", None)]


def test_a_generator_that_is_closed_is_closed(telemetry: Recorded) -> None:
    seen: list[Any] = []
    with closing(counting(seen)) as generator:
        next(generator)
    assert seen == [EACH[0], "end"]
    assert outcomes(telemetry) == [("closed", None)]


def test_a_generator_that_is_dropped_is_abandoned(telemetry: Recorded) -> None:
    seen: list[Any] = []
    generator = counting(seen)
    next(generator)
    del generator
    gc.collect()
    assert seen == [EACH[0], "end"]
    assert outcomes(telemetry) == [("abandoned", None)]


def test_a_generator_that_was_never_begun_is_no_run(telemetry: Recorded) -> None:
    counting([])
    gc.collect()
    assert telemetry.spans() == []


async def test_an_async_generator_that_is_closed_is_closed(telemetry: Recorded) -> None:
    seen: list[Any] = []
    async with aclosing(acounting(seen)) as generator:
        await anext(generator)
    assert seen[-1] == "end"
    assert outcomes(telemetry) == [("closed", None)]


async def test_an_async_generator_that_is_dropped_is_abandoned(telemetry: Recorded) -> None:
    seen: list[Any] = []
    generator = acounting(seen)
    await anext(generator)
    del generator
    await collected()
    assert seen[-1] == "end"
    assert outcomes(telemetry) == [("abandoned", None)]


async def test_a_generator_in_a_task_that_is_cancelled_is_cancelled(telemetry: Recorded) -> None:
    @genai_otel.agent
    async def waiting() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(60)
        yield 2

    async def read() -> None:
        async for _ in waiting():
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcomes(telemetry) == [("cancelled", None)]


def test_leaving_by_an_exception_while_closing_is_a_failure_of_the_run(telemetry: Recorded) -> None:
    with pytest.raises(KeyError), closing(counting([])) as generator:
        next(generator)
        raise KeyError("enough")
    assert outcomes(telemetry) == [("failed", "KeyError")]


def test_a_generator_that_will_not_close_complains_as_it_would(telemetry: Recorded) -> None:
    @genai_otel.task
    def stubborn() -> Iterator[int]:
        while True:
            try:
                yield 1
            except GeneratorExit:
                yield 2
                return

    generator: Any = stubborn()
    next(generator)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()
    assert next(generator, None) is None
    assert len(telemetry.calls()) == 1


def test_a_generator_in_another_thread_or_context_is_still_its_own(telemetry: Recorded) -> None:
    @genai_otel.workflow
    def looking() -> Iterator[str | None]:
        for _ in range(3):
            yield here()

    generator = looking()
    seen = [next(generator), contextvars.copy_context().run(next, generator)]
    with ThreadPoolExecutor(1) as pool:
        seen += pool.submit(list, generator).result()
    assert seen == ["invoke_workflow looking"] * 3
    assert outcomes(telemetry) == [("completed", None)]


def test_it_is_a_generator(telemetry: Recorded) -> None:
    generator: Any = counting([])
    assert inspect.isgenerator(generator)
    assert generator.__qualname__ == "counting"
    assert inspect.isasyncgen(acounting([]))
