"""A stream ends in one of many ways; each gives what it gives without us, and one span."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

import pytest

from genai_otel.engine import call as calls
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller
from tests.contract.choice import cases, main_streams
from tests.contract.payload import Case
from tests.contract.recorded import Recorded, collected, dropped, outcome
from tests.contract.test_calls import check, common
from tests.harness.patience import eventually

pytestmark = pytest.mark.usefixtures("balanced")

streaming = cases(lambda case: case.streamed is not None)
helping = cases(lambda case: case.helper)
both = main_streams()


def left(case: Case, caller: Caller) -> tuple[str, str, None]:
    """How a call ends whose stream is closed early."""
    closes = caller.asynchronous in case.closes and not case.inner
    return "closed" if closes else "abandoned", "UNSET", None


@streaming
async def test_read_to_the_end_is_completed(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    seen, error = await caller.read(await caller.stream(case, "chunks-5"))
    assert error is None
    span = balanced.span()
    wanted = common(caller.payload, case, model_server, caller.model("chunks-5"), "completed")
    wanted |= {**case.facts, **(case.streamed or {}), "gen_ai.request.stream": True}
    wanted |= {"genai_otel.stream.chunks": len(seen), "gen_ai.response.time_to_first_chunk": ...}
    check(span, wanted | {"genai_otel.stream.time_per_chunk": ...})
    first, each = (
        span.attributes[name]
        for name in ("gen_ai.response.time_to_first_chunk", "genai_otel.stream.time_per_chunk")
    )
    assert 0 < first <= first + each * (len(seen) - 1) <= (span.end_time - span.start_time) / 1e9


@both
async def test_usage_that_the_program_asks_for_is_counted(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    await caller.read(await caller.stream(case, **caller.payload.usage_in_stream))
    facts = balanced.span().attributes
    assert facts
    lost = {} if caller.payload.usage_in_stream else case.streamed or {}  # some vendors cannot be asked
    for name, value in {**case.facts, **lost}.items():
        if name.startswith("gen_ai.usage."):
            assert facts.get(name) == value


@streaming
async def test_usage_that_is_not_reported_is_absent(balanced: Recorded, caller: Caller, case: Case) -> None:
    await caller.read(await caller.stream(case, "no-usage"))
    if case.counts:
        assert balanced.span().attributes["gen_ai.usage.output_tokens"]
        return
    assert not [name for name in balanced.span().attributes if "usage" in name]
    assert "gen_ai.client.token.usage" not in balanced.metrics()


@streaming
async def test_left_by_break_and_dropped_is_abandoned(balanced: Recorded, caller: Caller, case: Case) -> None:
    stream = await caller.stream(case, "chunks-9")
    if caller.asynchronous:
        async for _ in stream:
            break
    else:
        for _ in stream:
            break
    del stream
    assert outcome(await dropped(balanced)) == ("abandoned", "UNSET", None)
    assert balanced.span().attributes["genai_otel.stream.chunks"] == 1


@streaming
async def test_never_read_and_dropped_is_abandoned(balanced: Recorded, caller: Caller, case: Case) -> None:
    stream = await caller.stream(case)
    del stream
    if case.inner:  # the request is made when the first chunk is asked for, and so is the call
        assert await dropped_all(balanced) == []
        return
    span = await dropped(balanced)
    assert outcome(span) == ("abandoned", "UNSET", None)
    assert "genai_otel.stream.chunks" not in span.attributes


@both
async def test_dropped_in_a_cycle_is_abandoned(balanced: Recorded, caller: Caller, case: Case) -> None:
    cycle = [await caller.stream(case)]
    await caller.take(cycle[0], 2)
    cycle.append(cycle)
    del cycle
    span = await dropped(balanced)
    assert outcome(span) == ("abandoned", "UNSET", None)
    assert span.attributes["genai_otel.stream.chunks"] == 2


@both
async def test_what_was_seen_before_the_end_is_kept(balanced: Recorded, caller: Caller, case: Case) -> None:
    stream = await caller.stream(case)
    await caller.take(stream, 1)
    del stream
    facts = (await dropped(balanced)).attributes
    wanted = {**case.facts, **(case.streamed or {})}
    assert facts.get("gen_ai.response.model") == wanted.get("gen_ai.response.model")
    assert ("gen_ai.response.id" in facts) == ("gen_ai.response.id" in case.facts)


@streaming
async def test_closed_early(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    stream = await caller.stream(case, "slow-chunk-20ms+chunks-99")
    await caller.take(stream, 1)
    await caller.leave(stream)
    del stream
    assert outcome(await dropped(balanced)) == left(case, caller)
    if caller.payload.holds_streams:
        await caller.close()
    if caller.asynchronous in case.closes:
        assert await asyncio.to_thread(eventually, lambda: model_server.requests[-1].disconnected)


@both
async def test_closed_before_it_is_read(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(await caller.stream(case)) as stream:
        pass
    # A generator is told nothing before it runs.
    generator = hasattr(stream, "send") or hasattr(stream, "asend")
    wanted = ("abandoned", "UNSET", None) if generator else left(case, caller)
    del stream
    assert [outcome(span) for span in await dropped_all(balanced)] == ([] if case.inner else [wanted])


@streaming
async def test_left_early_inside_with_is_closed(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(await caller.stream(case)) as stream:
        await caller.take(stream, 1)
    del stream
    assert outcome(await dropped(balanced)) == left(case, caller)


@both
async def test_break_inside_with_is_closed(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(await caller.stream(case)) as stream:
        if caller.asynchronous:
            async for _ in stream:
                break
        else:
            for _ in stream:
                break
    del stream
    assert outcome(await dropped(balanced)) == left(case, caller)


@both
async def test_read_inside_with_is_completed(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(await caller.stream(case)) as stream:
        await caller.read(stream)
    assert outcome(balanced.span()) == ("completed", "UNSET", None)


@streaming
async def test_exception_of_the_body_of_with_is_the_calls(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    mistake = KeyError("mine")
    stream = await caller.stream(case)
    with pytest.raises(KeyError) as caught:
        async with caller.entered(stream):
            if caller.asynchronous:
                async for _ in stream:
                    raise mistake
            else:
                for _ in stream:
                    raise mistake
    assert caught.value is mistake
    del stream
    seen = left(case, caller)
    assert outcome(await dropped(balanced)) == (
        seen if seen[0] == "abandoned" else ("failed", "ERROR", "KeyError")
    )


@both
async def test_closed_while_another_exception_is_handled_is_closed(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    try:
        raise LookupError
    except LookupError:
        async with caller.entered(await caller.stream(case)) as stream:
            await caller.take(stream, 1)
        del stream
    assert outcome(await dropped(balanced)) == left(case, caller)


@streaming
async def test_connection_that_breaks_is_cut(balanced: Recorded, caller: Caller, case: Case) -> None:
    seen, error = await caller.read(await caller.stream(case, "cut-after-2"))
    assert error is not None
    assert outcome(balanced.span()) == ("cut", "ERROR", caller.payload.error_type(error))
    assert balanced.span().attributes["genai_otel.stream.chunks"] == len(seen) == 2


@streaming
async def test_error_in_mid_stream_is_failed(balanced: Recorded, caller: Caller, case: Case) -> None:
    _, error = await caller.read(await caller.stream(case, "midstream-error-2"))
    result, status, kind = outcome(balanced.span())
    if not caller.payload.tells_errors:
        assert (error, result) == (None, "completed")
        return
    assert (result, status) == ("failed", "ERROR")
    assert kind in ([caller.payload.error_type(error)] if error else ["server_error", "error"])


@both
async def test_body_that_is_no_stream_fails_as_it_does_without_us(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    _, error = await caller.read(await caller.stream(case, "malformed"))
    failed = error and (
        "failed",
        "ERROR",
        caller.payload.error_type(error),
    )  # which one, test_differential shows
    assert outcome(balanced.span()) == (failed or ("completed", "UNSET", None))


@both
async def test_timeout_between_chunks_fails(balanced: Recorded, caller: Caller, case: Case) -> None:
    _, error = await caller.read(await caller.stream(case, "hang-after-1", **caller.limit(0.1)))
    assert error is not None
    assert outcome(balanced.span())[1:] == ("ERROR", caller.payload.error_type(error))


@both
async def test_empty_stream_is_completed_without_times(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    seen, error = await caller.read(await caller.stream(case, "empty"))
    assert (len(seen), error) == (int("chunk" in caller.payload.mends), None)
    span = balanced.span()
    assert outcome(span) == ("completed", "UNSET", None)
    assert bool(seen) or "gen_ai.response.time_to_first_chunk" not in span.attributes


@both
async def test_one_chunk_has_no_time_per_chunk(balanced: Recorded, caller: Caller, case: Case) -> None:
    await caller.read(await caller.stream(case, "drop-after-1"))
    facts = balanced.span().attributes
    assert facts
    if "chunk" in caller.payload.mends and facts["genai_otel.stream.chunks"] == 2:
        return
    assert facts["genai_otel.stream.chunks"] == 1
    assert "genai_otel.stream.time_per_chunk" not in facts


@both
async def test_next_after_the_end_and_second_iteration_are_as_without_us(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    stream = await caller.stream(case)
    await caller.read(stream)
    assert await caller.take(stream, 1) == []
    assert await caller.read(stream) == ([], None)
    assert len(balanced.calls()) == 1


@both
async def test_read_in_another_task_or_thread(balanced: Recorded, caller: Caller, case: Case) -> None:
    stream = await caller.stream(case)
    if caller.asynchronous:
        seen, error = await asyncio.create_task(caller.read(stream))
    else:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            seen, error = pool.submit(lambda: (list(stream), None)).result()
    assert error is None
    assert len(seen) > 2
    assert outcome(balanced.span()) == ("completed", "UNSET", None)


@both
async def test_streams_leave_nothing_behind(balanced: Recorded, caller: Caller, case: Case) -> None:
    for _ in range(3):
        stream = await caller.stream(case, "chunks-2")
        if case.inner:
            await caller.take(stream, 1)
        del stream
    assert [outcome(span)[0] for span in await dropped_all(balanced)] == ["abandoned"] * 3
    assert calls.open_calls() == ()


async def dropped_all(balanced: Recorded) -> list[Any]:
    """The calls, after the garbage collector and the event loop have done their part."""
    await collected()
    calls.drain()
    return balanced.calls()
