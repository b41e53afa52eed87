"""Raw responses: headers, bytes and parsed results are the client's; the span knows what the user read."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled, some_error
from tests.contract.choice import cases, main_cases
from tests.contract.payload import Case
from tests.contract.recorded import Recorded, dropped, outcome
from tests.contract.test_calls import check, common

pytestmark = pytest.mark.usefixtures("balanced")

READ, UNREAD = "with_raw_response", "with_streaming_response"
raw = cases(lambda case: READ in case.raw)
unread = cases(lambda case: UNREAD in case.raw)
raw_streams = cases(lambda case: case.raw and case.streamed is not None)
first_raw = main_cases(lambda case: case.raw)


@raw
async def test_read_response(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    for times in range(3):
        response = await caller.call(case, via=READ)
        parsed = [await settled(response.parse()) for _ in range(times)]
        assert response.headers["content-type"]
        assert len({id(one) for one in parsed}) == min(times, 1)
        wanted = common(caller.payload, case, model_server, caller.model(), "completed")
        check(balanced.calls()[-1], wanted | dict(case.facts))
    assert len(balanced.calls()) == 3


@unread
async def test_unread_response_that_is_parsed(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    async with caller.entered(case.call(caller.client, caller.model(), via=UNREAD)) as response:
        assert balanced.calls() == []
        first = await settled(response.parse())
        assert await settled(response.parse()) is first
    wanted = common(caller.payload, case, model_server, caller.model(), "completed")
    check(balanced.span(), wanted | dict(case.facts))


async def _all_of(iterator: Any) -> list[Any]:
    return [one async for one in iterator] if hasattr(iterator, "__aiter__") else list(iterator)


@unread
async def test_unread_response_that_is_read(balanced: Recorded, caller: Caller, case: Case) -> None:
    hows = ["read", "json", "text", "iter_lines", "iter_bytes"]
    if case.path == "audio.speech.create":
        hows.remove("json")
    for number, how in enumerate(hows, 1):
        async with caller.entered(case.call(caller.client, caller.model(), via=UNREAD)) as response:
            got = getattr(response, how)()
            assert await (_all_of(got) if how.startswith("iter") else settled(got))
        spans = balanced.calls()
        assert len(spans) == number
        assert outcome(spans[-1]) == ("completed", "UNSET", None)
        if not how.startswith("iter"):  # what is not kept cannot be read a second time
            assert {name for name in case.facts if "usage" in name} <= set(spans[-1].attributes)


@unread
async def test_unread_response_that_stays_unread_is_closed(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    async with caller.entered(case.call(caller.client, caller.model("slow-body-20ms"), via=UNREAD)):
        pass
    assert outcome(balanced.span())[0] in ("closed", "completed")


@first_raw
async def test_exception_of_the_body_is_the_calls(balanced: Recorded, caller: Caller, case: Case) -> None:
    mistake = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        async with caller.entered(case.call(caller.client, caller.model(), via=UNREAD)):
            raise mistake
    assert caught.value is mistake
    assert outcome(balanced.span()) == ("failed", "ERROR", "KeyError")


@raw
@pytest.mark.parametrize("via", [READ, UNREAD])
async def test_error_of_the_vendor(balanced: Recorded, caller: Caller, case: Case, via: str) -> None:
    if via not in case.raw:
        pytest.skip(f"the client has no {via} there")
    with some_error() as caught:
        pending = case.call(caller.client, caller.model("error-429"), via=via)
        if via == READ:
            await settled(pending)
        else:
            async with caller.entered(pending):
                pass
    assert outcome(balanced.span()) == ("failed", "ERROR", type(caught.value).__qualname__)


@raw_streams
async def test_stream_of_a_read_response(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    response = await caller.stream(case, via=READ)
    assert balanced.calls() == []
    stream = await settled(response.parse())
    assert await settled(response.parse()) is stream
    seen, error = await caller.read(stream)
    assert (error, len(seen) > 1) == (None, True)
    wanted = common(caller.payload, case, model_server, caller.model(), "completed")
    wanted |= {**case.facts, **(case.streamed or {}), "gen_ai.request.stream": True}
    times = ("gen_ai.response.time_to_first_chunk", "genai_otel.stream.time_per_chunk")
    check(balanced.span(), wanted | dict.fromkeys((*times, "genai_otel.stream.chunks"), ...))


@raw_streams
async def test_stream_of_an_unread_response(balanced: Recorded, caller: Caller, case: Case) -> None:
    async with caller.entered(case.stream(caller.client, caller.model(), via=UNREAD)) as response:
        seen, error = await caller.read(await settled(response.parse()))
    assert error is None
    assert outcome(balanced.span()) == ("completed", "UNSET", None)
    assert balanced.span().attributes["genai_otel.stream.chunks"] == len(seen)


@raw_streams
async def test_stream_of_an_unread_response_left_early(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    async with caller.entered(case.stream(caller.client, caller.model(), via=UNREAD)) as response:
        await caller.take(await settled(response.parse()), 1)
    assert outcome(balanced.span()) == ("closed", "UNSET", None)


@raw_streams
async def test_stream_of_an_unread_response_read_as_lines(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    async with caller.entered(case.stream(caller.client, caller.model(), via=UNREAD)) as response:
        assert await _all_of(response.iter_lines())
    assert outcome(balanced.span()) == ("completed", "UNSET", None)


@raw_streams
@pytest.mark.parametrize("parse", [False, True])
async def test_stream_of_a_read_response_that_is_dropped(
    balanced: Recorded, caller: Caller, case: Case, parse: bool
) -> None:
    response = await caller.stream(case, via=READ)
    if parse:
        await caller.take(await settled(response.parse()), 1)
    del response
    assert outcome(await dropped(balanced)) == ("abandoned", "UNSET", None)


@first_raw
async def test_client_whose_all_responses_are_raw(balanced: Recorded, caller: Caller, case: Case) -> None:
    response = await settled(case.call(caller.client.with_raw_response, caller.model()))
    assert await settled(response.parse())
    assert outcome(balanced.span()) == ("completed", "UNSET", None)
