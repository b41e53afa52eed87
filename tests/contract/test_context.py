"""What the program's own context sees: nothing, before, during and after a call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from genai_otel.testing import ModelServer
from tests.contract import oracle
from tests.contract.caller import Caller, some_error
from tests.contract.choice import cases, main_cases, main_streams
from tests.contract.payload import Case
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

both = main_cases()
tracer = trace.get_tracer("the program")


@cases()
async def test_the_callers_span_is_the_parent_and_stays_current(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    with tracer.start_as_current_span("mine") as mine:
        before = context.get_current()
        await caller.call(case)
        assert context.get_current() is before
        assert trace.get_current_span() is mine
    span = balanced.span()
    assert span.parent is not None
    assert span.parent.span_id == mine.get_span_context().span_id
    http = [other for other in balanced.spans() if other.kind.name == "CLIENT" and other is not span]
    wanted = [span.context.span_id] if caller.payload.http_spans else []
    assert [other.parent.span_id for other in http if other.parent] == wanted


@cases()
async def test_after_an_error_too(balanced: Recorded, caller: Caller, case: Case) -> None:
    with tracer.start_as_current_span("mine"):
        before = context.get_current()
        with some_error():
            await caller.call(case, "error-500")
        assert context.get_current() is before
    assert len(balanced.calls()) == 1


@main_streams()
@pytest.mark.parametrize("end", ["read", "close", "abandon"])
async def test_between_chunks_the_callers_span_is_current(
    balanced: Recorded, caller: Caller, case: Case, end: str
) -> None:
    with tracer.start_as_current_span("mine") as mine:
        before = context.get_current()
        stream = await caller.stream(case)
        assert context.get_current() is before
        await caller.take(stream, 1)
        assert context.get_current() is before
        with tracer.start_as_current_span("between chunks") as between:
            pass
        if end == "read":
            await caller.read(stream)
        elif end == "close":
            await caller.leave(stream)
        del stream
        assert context.get_current() is before
    assert between.parent.span_id == mine.get_span_context().span_id  # type: ignore[attr-defined]


@main_cases(lambda case: case.helper)
async def test_helpers_leave_the_context_alone(balanced: Recorded, caller: Caller, case: Case) -> None:
    with tracer.start_as_current_span("mine"):
        before = context.get_current()
        async with caller.entered(caller.help(case)) as stream:
            assert context.get_current() is before
            await caller.take(stream, 2)
            assert context.get_current() is before
        assert context.get_current() is before
    assert len(balanced.calls()) == 1


@both
async def test_other_context_variables_and_baggage_stay(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    own: contextvars.ContextVar[str] = contextvars.ContextVar("own", default="")
    own.set("x")
    token = context.attach(baggage.set_baggage("tenant", "t1"))
    try:
        await caller.call(case)
        assert (own.get(), baggage.get_baggage("tenant")) == ("x", "t1")
    finally:
        context.detach(token)
    assert len(balanced.calls()) == 1


@both
async def test_a_thread_of_a_pool_has_its_own_trace(balanced: Recorded, caller: Caller, case: Case) -> None:
    """Unless its context is carried there, as everywhere in OpenTelemetry."""

    def work() -> None:
        asyncio.run(_call_anew(caller, case)) if caller.asynchronous else caller_call(caller, case)

    with tracer.start_as_current_span("mine") as mine:
        carried = contextvars.copy_context()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            await asyncio.to_thread(pool.submit(work).result)
            await asyncio.to_thread(pool.submit(carried.run, work).result)
    without, with_context = balanced.calls()
    assert without.parent is None
    assert with_context.parent is not None
    assert with_context.parent.span_id == mine.get_span_context().span_id


def caller_call(caller: Caller, case: Case) -> Any:
    return case.call(caller.client, caller.model())


async def _call_anew(caller: Caller, case: Case) -> None:
    """In the loop of another thread with a client of its own."""
    anew = Caller(caller.payload, caller.server, asynchronous=True)
    await anew.call(case)
    await anew.close()


@both
@pytest.mark.parametrize("streams", [False, True])
async def test_suppressed_calls_are_untouched(
    balanced: Recorded, caller: Caller, case: Case, streams: bool
) -> None:
    with suppress_instrumentation():
        if streams and case.streamed is not None:
            assert (await caller.read(await caller.stream(case)))[1] is None
        else:
            assert await caller.call(case)
    assert balanced.spans() == []
    assert oracle.seen(balanced.metrics()) == {}


@both
async def test_many_at_once_are_many(balanced: Recorded, caller: Caller, case: Case) -> None:
    async def one(number: int) -> str:
        with tracer.start_as_current_span(f"request {number}") as mine:
            if caller.asynchronous:
                await caller.call(case)
            else:
                await asyncio.to_thread(caller_call, caller, case)
            return format(mine.get_span_context().span_id, "x")

    parents = await asyncio.gather(*(one(number) for number in range(8)))
    assert sorted(format(span.parent.span_id, "x") for span in balanced.calls() if span.parent) == sorted(
        parents
    )


@both
async def test_trace_headers_go_to_hosts_of_ours(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    """Loopback is one; `test_differential` shows that a vendor gets none."""
    if not caller.payload.http_spans:
        pytest.skip("no instrumentation here of its HTTP library, which would send them")
    await caller.call(case)
    (request,) = model_server.requests
    http = next(span for span in balanced.spans() if span is not balanced.span() and span.parent)
    assert format(http.context.span_id, "016x") in request.headers["traceparent"]
    assert outcome(balanced.span())[0] == "completed"
