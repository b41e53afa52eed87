"""What a client raises is what the program catches; the span says how the call ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.bodies import FAILED
from tests.contract.caller import Caller, some_error
from tests.contract.choice import cases, main_cases, main_streams
from tests.contract.payload import Case, Payload
from tests.contract.recorded import Recorded, dropped, outcome
from tests.contract.test_calls import check, common

pytestmark = pytest.mark.usefixtures("balanced")

both = main_cases()
streaming = main_streams()
_RESPONSE = ("gen_ai.response.", "gen_ai.usage.", "gen_ai.conversation.compacted", "openai.response.")


def asked(case: Case) -> dict[str, Any]:
    """The facts that a request has before anybody answers."""
    fetches = case.operation == "fetch_response"
    return {
        name: value
        for name, value in case.facts.items()
        if not name.startswith((*_RESPONSE, *case.answered)) or (fetches and name == "gen_ai.response.id")
    }


@cases()
async def test_error_of_the_vendor(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    for status in (400, 401, 404, 429, 500):
        directives = f"error-{status}"
        with some_error() as caught:
            await caller.call(case, directives)
        assert type(caught.value).__qualname__ not in ("Exception", "RuntimeError")
        kind = caller.payload.error_type(caught.value)
        wanted = common(caller.payload, case, model_server, caller.model(directives), "failed")
        wanted |= {**asked(case), **caller.payload.error_facts, "error.type": kind}
        span = balanced.calls()[-1]
        check(span, {**wanted, **caller.payload.status(status)})
        assert outcome(span) == ("failed", "ERROR", kind)
        assert str(caught.value) not in span.to_json()
    assert len(balanced.calls()) == 5


@both
async def test_connection_that_cannot_be_made(
    balanced: Recorded, payload: Payload, case: Case, asynchronous: bool
) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        caller = Caller(payload, _At(taken.getsockname()[1]), asynchronous=asynchronous)
        with some_error() as caught:
            await caller.call(case)
        await caller.close()
    assert outcome(balanced.span()) == ("failed", "ERROR", payload.error_type(caught.value))


class _At:
    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"


@both
@pytest.mark.parametrize("directives", ["reset", "cut-after-20", "malformed"])
async def test_answer_that_does_not_arrive_whole(
    balanced: Recorded, caller: Caller, case: Case, directives: str
) -> None:
    if directives == "malformed" and not caller.payload.refuses_broken_json:
        assert await caller.call(case, directives)
        assert outcome(balanced.span()) == ("completed", "UNSET", None)
        return
    with some_error() as caught:
        await caller.call(case, directives)
    assert outcome(balanced.span())[1:] == ("ERROR", caller.payload.error_type(caught.value))


@both
async def test_timeout_of_the_client(balanced: Recorded, caller: Caller, case: Case) -> None:
    with some_error() as caught:
        await caller.call(case, "hang", **caller.limit(0.1))
    kind = caller.payload.error_type(caught.value)
    assert caller.payload.overdue in kind
    assert outcome(balanced.span()) == ("failed", "ERROR", kind)


@both
async def test_wrong_call(balanced: Recorded, caller: Caller, case: Case) -> None:
    if not caller.payload.refuses_arguments:
        assert await caller.call(case, no_such_argument=1)
        assert outcome(balanced.span()) == ("completed", "UNSET", None)
        return
    with some_error() as caught:
        await caller.call(case, no_such_argument=1)
    assert "no_such_argument" in str(caught.value)
    if case.inner:
        assert balanced.calls() == []
    else:
        assert outcome(balanced.span()) == ("failed", "ERROR", type(caught.value).__qualname__)


@both
async def test_retries_are_one_call(
    balanced: Recorded, model_server: ModelServer, payload: Payload, case: Case, asynchronous: bool
) -> None:
    caller = Caller(payload, model_server, asynchronous=asynchronous, max_retries=2)
    if not payload.retries:
        with some_error():
            await caller.call(case, "fail-2")
        await caller.close()
        assert (len(balanced.calls()), len(model_server.requests)) == (1, 1)
        return
    await caller.call(case, "fail-2")
    await caller.close()
    span = balanced.span()
    assert outcome(span) == ("completed", "UNSET", None)
    below = [other for other in balanced.spans() if other is not span]
    assert len(model_server.requests) == 3
    assert len(below) == (3 if payload.http_spans else 0)
    assert all(other.parent.span_id == span.context.span_id for other in below)


@both
@pytest.mark.parametrize("asynchronous", [True], ids=["async"])
async def test_cancelled_while_waiting_for_the_answer(balanced: Recorded, caller: Caller, case: Case) -> None:
    task = asyncio.create_task(caller.call(case, "hang"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcome(balanced.span()) == ("cancelled", "UNSET", None)


@streaming
@pytest.mark.parametrize("asynchronous", [True], ids=["async"])
async def test_cancelled_while_waiting_for_a_chunk(balanced: Recorded, caller: Caller, case: Case) -> None:
    stream = await caller.stream(case, "hang-after-2")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(caller.read(stream), 0.2)
    span = balanced.span()
    assert outcome(span) == ("cancelled", "UNSET", None)
    assert span.attributes["genai_otel.stream.chunks"] == 2


@streaming
@pytest.mark.parametrize("asynchronous", [True], ids=["async"])
async def test_cancelled_in_the_body_of_with(balanced: Recorded, caller: Caller, case: Case) -> None:
    async def work() -> None:
        async with caller.entered(await caller.stream(case)) as stream:
            async for _ in stream:
                await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    how = "abandoned" if case.inner else "cancelled"
    assert outcome(await dropped(balanced)) == (how, "UNSET", None)


@both
@pytest.mark.parametrize("asynchronous", [True], ids=["async"])
async def test_coroutine_that_is_never_awaited_is_no_call(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    case.call(caller.client, caller.model()).close()
    assert balanced.calls() == []


@both
@pytest.mark.parametrize("asynchronous", [False], ids=["sync"])
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of signals here")
@pytest.mark.parametrize("streams", [False, True])
async def test_interrupted_by_the_keyboard(
    balanced: Recorded, caller: Caller, case: Case, streams: bool
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), contextlib.ExitStack() as stack:
            if streams and case.streamed is not None:
                stream = await caller.stream(case, "hang-after-1")
                body = stream if hasattr(stream, "close") else getattr(stream, "response", None)
                if body is not None:  # else it can only be dropped
                    stack.callback(body.close)
                signal.setitimer(signal.ITIMER_REAL, 0.1)
                list(stream)
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            await caller.call(case, "hang")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert outcome(balanced.span()) == ("cancelled", "UNSET", None)


@main_cases()
async def test_an_error_in_place_of_an_answer(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    if not caller.payload.hands_on_errors:
        pytest.skip("it raises one, or has answers of another form")
    model_server.reply(FAILED)
    await caller.call(case)
    assert outcome(balanced.span()) == ("failed", "ERROR", "overloaded")
