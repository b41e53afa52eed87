"""Whatever a vendor answers: the client's own result or exception, a span that can be exported, sane numbers."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from genai_otel.engine import call as calls
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.choice import cases, main_cases
from tests.contract.payload import Case
from tests.contract.recorded import Recorded, collected

pytestmark = pytest.mark.usefixtures("balanced")

both = main_cases()
choosing = main_cases(lambda case: "gen_ai.response.finish_reasons" in case.facts)
REASONS = "genai_otel.client.finish_reasons"
ODD = [
    "null-usage",
    "no-usage",
    "null-model+null-id",
    "null-choices",
    "no-choices+no-output",
    "null-finish_reason+null-status",
    "null-fields",
    "unknown-fields",
    "unknown-events",
    "huge-usage",
    "surrogate",
    "empty",
    "html",
]


def exportable(span: Any) -> None:
    """It encodes, and no attribute is lost on the way."""
    encoded = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
    assert len(encoded.attributes) == len(span.attributes)
    assert encoded.SerializeToString()


@cases()
async def test_odd_answers(balanced: Recorded, caller: Caller, case: Case) -> None:
    for number, directives in enumerate(ODD, 1):
        with contextlib.suppress(Exception):  # the client's own, see test_differential
            await caller.call(case, directives)
        spans = balanced.calls()
        assert len(spans) == number, directives
        exportable(spans[-1])
        if "usage" in directives:
            assert not [name for name in spans[-1].attributes if "usage" in name], directives


async def settled_calls(telemetry: Recorded, count: int) -> list[Any]:
    """The calls so far; one that a client gave up on its own ends when its stream is collected."""
    if len(telemetry.calls()) < count:
        await collected()
        calls.drain()
    return telemetry.calls()


@cases(lambda case: case.streamed is not None)
async def test_odd_streams(balanced: Recorded, caller: Caller, case: Case) -> None:
    for number, directives in enumerate(ODD, 1):
        error: Exception | None
        try:
            _, error = await caller.read(await caller.stream(case, directives))
        except Exception as refused:  # noqa: BLE001 - some clients say at once that it is no stream
            error = refused
        assert "genai_otel" not in str(error), directives
        error = None  # whose traceback holds the stream
        spans = await settled_calls(balanced, number)
        assert len(spans) == number, directives
        exportable(spans[-1])


@both
async def test_zero_that_was_reported_is_zero(balanced: Recorded, caller: Caller, case: Case) -> None:
    await caller.call(case, "input-0+output-0+cached-0")
    facts = balanced.span().attributes
    if "zero" in caller.payload.mends:
        assert not [name for name in facts if "usage" in name]
        return
    counts = [f"gen_ai.usage.{kind}_tokens" for kind in ("input", "output")]
    assert [facts.get(name) for name in counts] == [0 if name in case.facts else None for name in counts]


@choosing
async def test_every_choice_has_its_reason(balanced: Recorded, caller: Caller, case: Case) -> None:
    choices = caller.payload.choices
    three, two = (3, 1 if "choices" in caller.payload.mends else 2) if choices else (1, 1)
    await caller.call(case, "length", **(choices(three) if choices else {}))
    facts = balanced.span().attributes
    assert facts["gen_ai.response.finish_reasons"] == ("length",) * three
    assert facts.get("gen_ai.request.choice.count", 1) == three
    if case.streamed is None:
        return
    await caller.read(await caller.stream(case, "content-filter", **(choices(two) if choices else {})))
    assert (
        balanced.calls()[1].attributes["gen_ai.response.finish_reasons"] == (caller.payload.filtered,) * two
    )


@choosing
async def test_choice_that_never_finishes_is_an_error(balanced: Recorded, caller: Caller, case: Case) -> None:
    await caller.call(case, "null-finish_reason")
    wanted = "stop" if "reason" in caller.payload.mends else "error"
    assert balanced.span().attributes["gen_ai.response.finish_reasons"] == (wanted,)


@choosing
async def test_reasons_are_of_the_convention_whoever_answers(
    balanced: Recorded, caller: Caller, case: Case, model_server: ModelServer
) -> None:
    for stream in (False, True) if case.streamed is not None else (False,):
        model_server.reply(tool_calls={"look_up": {"city": "Paris"}})
        if stream:
            await caller.read(await caller.stream(case))
        else:
            await caller.call(case)
        assert balanced.calls()[-1].attributes["gen_ai.response.finish_reasons"] == (caller.payload.calling,)
    labels = {str(point.attributes["genai_otel.finish_reason"]) for point in balanced.metrics()[REASONS]}
    assert labels == {"tool_calls" if caller.payload.calling == "tool_call" else "stop"}


@both
@pytest.mark.parametrize("model", ["a\ud800b", "x" * 5000, "\x00", "", 7, None, 2**70, ["a"], object()])
async def test_odd_names_of_models(balanced: Recorded, caller: Caller, case: Case, model: Any) -> None:
    refused = None
    try:
        await settled(case.call(caller.client, model))
    except Exception as error:  # noqa: BLE001 - the client's own, see test_differential
        refused = error
    if case.prepared and refused is not None and not balanced.calls():
        return
    span = balanced.span()
    exportable(span)
    assert len(str(span.attributes.get("gen_ai.request.model", ""))) <= 128
