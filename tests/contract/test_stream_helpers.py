"""A client's stream helper is one call, from where it is entered to where it is left."""

from __future__ import annotations

import pytest

from genai_otel.testing import ModelServer
from tests.contract.caller import Caller
from tests.contract.choice import cases
from tests.contract.payload import Case
from tests.contract.recorded import Recorded, outcome
from tests.contract.test_calls import check, common

pytestmark = pytest.mark.usefixtures("balanced")

helping = cases(lambda case: case.helper)


@helping
async def test_helper_that_is_read_is_one_call(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    async with caller.entered(caller.help(case)) as stream:
        _, error = await caller.read(stream)
    assert error is None
    wanted = common(caller.payload, case, model_server, caller.model(), "completed")
    wanted |= {**case.facts, **(case.streamed or {}), "gen_ai.request.stream": True}
    times = ("gen_ai.response.time_to_first_chunk", "genai_otel.stream.time_per_chunk")
    check(balanced.span(), wanted | dict.fromkeys((*times, "genai_otel.stream.chunks"), ...))


@helping
async def test_helper_that_is_left_early_is_closed(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(caller.help(case)) as stream:
        await caller.take(stream, 1)
    assert outcome(balanced.span()) == ("closed", "UNSET", None)


@helping
async def test_helper_never_entered_makes_no_call(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    if caller.asynchronous:
        pytest.skip("Python itself complains of the coroutine that is made and never awaited")
    caller.help(case)
    assert balanced.calls() == []
    assert list(model_server.requests) == []


@helping
async def test_exception_in_a_helpers_body_is_the_calls(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    mistake = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError) as caught:
        async with caller.entered(caller.help(case)) as stream:
            await caller.take(stream, 1)
            raise mistake
    assert caught.value is mistake
    assert outcome(balanced.span()) == ("failed", "ERROR", "ZeroDivisionError")


@helping
async def test_helper_whose_connection_breaks_is_cut(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(caller.help(case, "cut-after-2")) as stream:
        _, error = await caller.read(stream)
    assert outcome(balanced.span()) == ("cut", "ERROR", type(error).__qualname__)
