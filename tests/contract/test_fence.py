"""An error of ours, wherever it strikes, is counted and goes no further."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from genai_otel import fence, safe
from genai_otel.clients import SPECS
from genai_otel.engine import call as calls
from genai_otel.engine import record
from genai_otel.engine.span import SpanMaker
from genai_otel.processing import processor
from genai_otel.processing.owner import Owners
from tests.contract.caller import Caller, settled, some_error
from tests.contract.choice import main_cases
from tests.contract.payload import Case
from tests.contract.recorded import Recorded
from tests.contract.test_raw import READ, UNREAD

both = main_cases()
Break = Callable[[object, str], None]


class OurBug(Exception):
    """Not one that any library raises."""


def _raise(*_: object, **__: object) -> NoReturn:
    raise OurBug


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Break]:
    def breaking(target: object, name: str) -> None:
        if dataclasses.is_dataclass(target):  # frozen
            before = getattr(target, name)
            object.__setattr__(target, name, _raise)
            undo.append(lambda: object.__setattr__(target, name, before))
        else:
            monkeypatch.setattr(target, name, _raise)

    undo: list[Callable[[], None]] = []
    yield breaking
    for each in undo:
        each()


def spec_of(caller: Caller) -> Any:
    return next(spec for spec in SPECS if spec.name == caller.payload.client)


def unread(case: Case, name: str) -> bool:
    """Whether it is a part of streams that the case has none of."""
    return case.streamed is None and name in ("chunk", "_stream_facts")


async def everything(caller: Caller, case: Case) -> int:
    """One call in each form, whose results are what they are without us; the number of calls."""
    assert await caller.call(case)
    streams = case.streamed is not None
    if streams:
        seen, error = await caller.read(await caller.stream(case))
        assert (len(seen) > 2, error) == (True, None)
        async with caller.entered(await caller.stream(case)) as stream:
            await caller.take(stream, 1)
    with some_error() as caught:
        await caller.call(case, "error-500")
    assert not isinstance(caught.value, OurBug)
    if not case.raw:
        return 4 if streams else 2
    assert await settled((await caller.call(case, via=READ)).parse())
    async with caller.entered(case.call(caller.client, caller.model(), via=UNREAD)) as response:
        assert await settled(response.parse())
    return 6 if streams else 4


@both
@pytest.mark.parametrize("position", ["request", "response", "first", "chunk"])
async def test_reader_of_an_endpoint(
    lenient: Recorded, broken: Break, caller: Caller, case: Case, position: str
) -> None:
    for endpoint in spec_of(caller).endpoints:
        for each in (endpoint, *endpoint.routes):
            if getattr(each, position) is not None:
                broken(each, position)
    count = await everything(caller, case)
    assert len(lenient.calls()) == count
    # Not every operation looks at the first chunk alone, or has any.
    assert sum(fence.errors().values()) > 0 or position == "first" or unread(case, position)


@both
@pytest.mark.parametrize("position", ["peer", "connection", "errors"])
async def test_reader_of_a_client(
    lenient: Recorded, broken: Break, caller: Caller, case: Case, position: str
) -> None:
    broken(spec_of(caller), position)
    count = await everything(caller, case)
    traced = position == "errors" or bool(caller.payload.over)
    assert len(lenient.calls()) == (count if traced else 0)
    assert sum(fence.errors().values()) > 0


@both
@pytest.mark.parametrize(("part", "position"), [("raw", "form"), ("raw", "closed"), ("streaming", "body")])
async def test_reader_of_raw_responses_and_streams(  # noqa: PLR0917 - parameters and fixtures
    lenient: Recorded, broken: Break, caller: Caller, case: Case, part: str, position: str
) -> None:
    if getattr(spec_of(caller), part) is None:
        pytest.skip("the client has no raw responses, or its streams are generators")
    reading = getattr(spec_of(caller), part)
    if getattr(reading, position, None) is None:
        pytest.skip(f"the client's {part} has no {position}")
    broken(reading, position)
    count = await everything(caller, case)
    assert len(lenient.calls()) == count
    assert sum(fence.errors().values()) > 0


@pytest.mark.seed_rows("003-20")
@both
@pytest.mark.parametrize(
    ("target", "name"),
    [
        (SpanMaker, "start"),
        (record.Recorder, "end"),
        (Owners, "started"),
        (Owners, "note"),
        (processor, "_latest"),
        (calls.Call, "_stream_facts"),
        (safe, "label"),
        (calls, "origin_of"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_steps_of_engine_and_processing(  # noqa: PLR0917 - parameters and fixtures
    lenient: Recorded, broken: Break, caller: Caller, case: Case, target: Any, name: str
) -> None:
    broken(target, name)
    await everything(caller, case)
    # A span that starts is seen by our own tracer, or where an HTTP library is traced.
    untouched = (name == "started" and not caller.payload.http_spans) or unread(case, name)
    assert sum(fence.errors().values()) > 0 or untouched


@both
async def test_what_is_not_an_exception_passes(
    lenient: Recorded, monkeypatch: pytest.MonkeyPatch, caller: Caller, case: Case
) -> None:
    """KeyboardInterrupt may strike anywhere; it belongs to the user."""

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(calls, "origin_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        await caller.call(case)
