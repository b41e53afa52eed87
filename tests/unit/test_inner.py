"""Calls that consist of others of their client, and how the one that is going on is found."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace

from genai_otel.engine import call as calls
from genai_otel.engine.indirect import wrapper_of
from genai_otel.runtime import current
from genai_otel.spec import ClientSpec, Endpoint, Peer
from genai_otel.testing.in_memory import Telemetry
from tests.benchmarks.count import Tally

SPEC = ClientSpec("inner", "inner", (), lambda _: None, lambda _: Peer("inner", model="m"))
OTHER = ClientSpec("other", "other", (), lambda _: None, lambda _: Peer("other", model="m"))


def traced(function: Callable[..., Any], spec: ClientSpec = SPEC, **fields: Any) -> Callable[..., Any]:
    """``function`` as a method of the client."""
    run = wrapper_of(spec, Endpoint("inner:method", **fields))
    return lambda *args, **kwargs: run(function, None, args, kwargs)


def facts(number: int) -> dict[str, Any]:
    return {"gen_ai.usage.output_tokens": number, "gen_ai.response.status": f"status {number}"}


def whole(function: Callable[[], Any], **fields: Any) -> Any:
    """A call that consists of what ``function`` calls."""
    return traced(function, operation="chat", gathers=True, **fields)()


def _part(number: int) -> int:
    return number


async def _async_part(number: int) -> int:
    await asyncio.sleep(0)
    return number


part = traced(_part, operation="chat", response=facts, adds=True)
async_part = traced(_async_part, operation="chat", response=facts, adds=True, asynchronous=True)


@pytest.fixture(autouse=True, params=[False, True], ids=["ours", "the SDK's"])
def spans(request: pytest.FixtureRequest, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Any:
    handle = current()
    assert handle is not None
    monkeypatch.setattr(handle.pipeline, "watched", request.param)
    return telemetry


@pytest.fixture
def crowd() -> Iterator[None]:
    """Two hundred calls that are open elsewhere."""
    many: list[calls.Call] = []
    for _ in range(200):
        call = calls.begin(SPEC, Endpoint("", "chat", gathers=True), None, {})
        assert call is not None
        call.suspend()
        many.append(call)
    yield
    for call in many:
        call.finish("completed")


def told(telemetry: Telemetry) -> tuple[Any, Any]:
    found = telemetry.span().attributes or {}
    return found.get("gen_ai.usage.output_tokens"), found.get("gen_ai.response.status")


def test_usage_of_the_parts_is_summed_and_the_last_has_the_last_word(spans: Telemetry) -> None:
    assert whole(lambda: [part(1), part(2), part(3)]) == [1, 2, 3]
    assert told(spans) == (6, "status 3")


def test_parts_may_be_awaited(spans: Telemetry) -> None:
    async def both() -> Any:
        return [await async_part(1), await asyncio.create_task(async_part(2))]

    assert asyncio.run(whole(both, asynchronous=True)) == [1, 2]
    assert told(spans) == (3, "status 2")


def test_a_part_that_nobody_awaits_is_complained_of_once(spans: Telemetry) -> None:
    def forget() -> None:
        async_part(1)

    with pytest.warns(RuntimeWarning, match="coroutine '_async_part' was never awaited") as seen:
        whole(forget)
    assert len(seen) == 1
    assert told(spans) == (None, None)


def test_what_a_part_consists_of_is_in_its_own_facts(spans: Telemetry) -> None:
    def five(_: object) -> dict[str, Any]:
        return facts(5)

    whole(traced(lambda: part(1), operation="chat", response=five, adds=True))
    assert told(spans) == (5, "status 5")


def test_a_part_that_fails_adds_nothing(spans: Telemetry) -> None:
    def fails() -> None:
        raise LookupError

    def both() -> None:
        with pytest.raises(LookupError):
            traced(fails, operation="chat", response=facts, adds=True)()
        part(2)

    whole(both)
    assert told(spans) == (2, "status 2")


def test_a_part_is_a_call_where_none_is_going_on(spans: Telemetry) -> None:
    assert part(4) == 4
    assert told(spans) == (4, "status 4")


def test_a_call_of_another_client_gathers_nothing(spans: Telemetry) -> None:
    traced(lambda: part(1), OTHER, operation="chat", gathers=True)()
    assert told(spans) == (None, None)


def test_a_call_that_does_not_gather_has_its_own_facts_only(spans: Telemetry) -> None:
    traced(lambda: part(1), operation="chat")()
    assert told(spans) == (None, None)


def test_inside_a_span_of_the_programs_there_is_no_call_of_ours() -> None:
    def inside() -> None:
        assert calls.current() is calls.open_calls()[-1]
        with trace.get_tracer("the program").start_as_current_span("mine"):
            assert calls.current() is None

    whole(inside)


def test_a_context_that_outlives_its_call_leads_to_no_other() -> None:
    kept = whole(contextvars.copy_context)
    assert kept.run(calls.current) is None
    # The place of the next call may be that of the one before.
    whole(lambda: kept.run(lambda: pytest.fail("another's") if calls.current() else None))


@pytest.mark.usefixtures("crowd")
def test_among_many_calls_each_finds_its_own(spans: Telemetry) -> None:
    assert whole(lambda: part(1)) == 1
    assert told(spans) == (1, "status 1")


def looked_up() -> int:
    """Bytecodes of a look."""
    tally = Tally()

    def look(_: int) -> None:
        calls.current()

    whole(lambda: tally.run(look, 1))
    return tally.bytecodes


def test_a_look_costs_the_same_however_many_calls_are_open(request: pytest.FixtureRequest) -> None:
    alone = looked_up()
    request.getfixturevalue("crowd")
    assert len(calls.open_calls()) == 200
    assert looked_up() == alone < 60
