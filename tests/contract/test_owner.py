"""Several layers trace one call: it is counted once, where it began, with what any of them knew."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from genai_otel.processing import owner
from genai_otel.testing import ModelServer
from tests.contract import oracle
from tests.contract.caller import Caller
from tests.contract.choice import main_cases, main_streams
from tests.contract.payload import Case
from tests.contract.recorded import Recorded

pytestmark = pytest.mark.usefixtures("balanced")

both = main_cases()
framework = trace.get_tracer("framework")
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}


def marks(span: Any) -> tuple[bool | None, bool | None]:
    return span.attributes.get("genai_otel.owner"), span.attributes.get("genai_otel.measured")


def counted(telemetry: Recorded) -> float:
    return sum(point.count for point in telemetry.metrics().get("gen_ai.client.operation.duration", []))


@both
async def test_a_frameworks_span_around_ours_owns(balanced: Recorded, caller: Caller, case: Case) -> None:
    with framework.start_as_current_span("chat m", kind=SpanKind.INTERNAL, attributes=CHAT):
        await caller.call(case)
    ours, theirs = balanced.calls()
    assert (marks(ours), marks(theirs)) == ((False, None), (None, True))
    assert counted(balanced) == 1
    facts = theirs.attributes
    assert facts["gen_ai.usage.input_tokens"] == 12  # held for it: it was not told
    assert facts.get("gen_ai.response.model") == case.facts.get("gen_ai.response.model")


@both
async def test_what_the_owner_says_itself_counts(balanced: Recorded, caller: Caller, case: Case) -> None:
    with framework.start_as_current_span("chat m", attributes=CHAT) as span:
        await caller.call(case)
        span.set_attribute("gen_ai.usage.input_tokens", 99)
    theirs = balanced.calls()[-1]
    assert theirs.attributes["gen_ai.usage.input_tokens"] == 99
    output = "gen_ai.usage.output_tokens"
    assert theirs.attributes.get(output) == case.facts.get(output)


@both
async def test_inner_calls_of_one_owner_add_up(balanced: Recorded, caller: Caller, case: Case) -> None:
    """A framework that retries, or asks twice, within one span of its own."""
    with framework.start_as_current_span("chat m", attributes=CHAT):
        await caller.call(case)
        await caller.call(case, "input-30")
    theirs = balanced.calls()[-1]
    assert theirs.attributes["gen_ai.usage.input_tokens"] == 42
    assert counted(balanced) == 1


@both
async def test_a_span_inside_ours_does_not_count(
    balanced: Recorded, caller: Caller, case: Case, model_server: ModelServer
) -> None:
    """An SDK that traces itself, or another instrumentor beneath ours."""
    from genai_otel.engine import call as calls

    spec, endpoint = _endpoint(caller, case)
    opened = calls.begin(spec, endpoint, _resource(caller, case), case.arguments("m"))
    assert opened
    with framework.start_as_current_span("chat m", kind=SpanKind.CLIENT, attributes=CHAT) as inner:
        inner.set_attribute("gen_ai.usage.input_tokens", 5)
    opened.suspend()
    opened.returned({})
    theirs, ours = balanced.calls()
    assert (marks(theirs), marks(ours)) == ((False, None), (None, True))
    assert counted(balanced) == 1


def _endpoint(caller: Caller, case: Case) -> tuple[Any, Any]:
    from genai_otel.clients import SPECS

    spec = next(spec for spec in SPECS if spec.name == caller.payload.client)
    return spec, spec.endpoints[0]


def _resource(caller: Caller, case: Case) -> Any:
    return case.owner(caller.client)[0]


@both
async def test_an_agents_span_counts_nothing_and_hides_nothing(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
    with framework.start_as_current_span("invoke_agent a", attributes=agent) as span:
        await caller.call(case)
        await caller.call(case)
        span.set_attribute("gen_ai.usage.input_tokens", 24)  # its sum
    assert counted(balanced) == 2
    assert [marks(one) for one in balanced.calls()] == [(None, True), (None, True), (None, None)]


@both
async def test_a_span_that_shows_itself_late_loses_ownership(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    with framework.start_as_current_span("work") as late:
        await caller.call(case)
        late.set_attributes(CHAT)
    ours, theirs = balanced.calls()
    assert (marks(ours), marks(theirs)) == ((None, True), (False, None))
    assert counted(balanced) == 1


@both
async def test_a_model_servers_own_span_does_not_count(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    with framework.start_as_current_span("chat m", kind=SpanKind.SERVER, attributes=CHAT):
        await caller.call(case)
    assert counted(balanced) == 1
    assert [marks(one) for one in balanced.calls()] == [(None, True), (None, None)]


@both
async def test_siblings_count_each(balanced: Recorded, caller: Caller, case: Case) -> None:
    with framework.start_as_current_span("request"):
        await caller.call(case)
        with framework.start_as_current_span("chat m", attributes=CHAT):
            pass
        await caller.call(case)
    assert counted(balanced) == 3


@main_streams()
async def test_a_stream_that_outlives_the_framework_span(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    """The owner ended without it; the call is not counted a second time."""
    with framework.start_as_current_span("chat m", attributes=CHAT):
        stream = await caller.stream(case)
        await caller.take(stream, 1)  # a generator makes its request only then
    await caller.read(stream)
    theirs, ours = balanced.calls()
    assert (marks(theirs), marks(ours)) == ((None, True), (False, None))
    assert counted(balanced) == 1


@main_cases(lambda case: "gen_ai.response.id" in case.facts)  # without an id nobody can tell
async def test_a_span_that_is_made_afterwards_is_the_same_call(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    """Beside ours, with an earlier start and the response's id, as another instrumentor makes it."""
    before = time.time_ns()
    await caller.call(case)
    for identity in (balanced.span().attributes["gen_ai.response.id"], "another"):
        afterwards = framework.start_span(
            "chat m", start_time=before, attributes={**CHAT, "gen_ai.response.id": identity}
        )
        afterwards.end()
    assert [marks(one) for one in balanced.calls()] == [(None, True), (False, None), (None, True)]
    assert counted(balanced) == 2


def test_spans_that_never_end_are_forgotten(balanced: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "_MOST_LIVE", 10)
    owners = owner.Owners()
    for _ in range(50):
        owners.started(framework.start_span("lost"), None)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert len(vars(owners)["_live"]) == 10


def test_older_names_are_understood(balanced: Recorded) -> None:
    old = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "vertex_ai",
        "gen_ai.request.model": "gemini",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 4,
    }
    with framework.start_as_current_span("chat gemini", attributes=old):
        pass
    facts = balanced.span().attributes
    assert facts["gen_ai.provider.name"] == "gcp.vertex_ai"
    assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (3, 4)
    assert old.items() <= facts.items()
    tokens = balanced.metrics()["gen_ai.client.token.usage"]
    assert sorted(point.sum for point in tokens) == [3, 4]


def test_spans_of_others_are_passed_on_as_they_are(balanced: Recorded) -> None:
    with framework.start_as_current_span("work", attributes={"a": 1}) as span:
        pass
    (seen,) = balanced.spans()
    assert seen.attributes == {"a": 1}
    assert seen.context.span_id == span.get_span_context().span_id
    assert oracle.seen(balanced.metrics()) == {}


@both
async def test_a_call_leaves_nothing_of_ours_to_the_garbage_collector(
    balanced: Recorded, caller: Caller, case: Case
) -> None:
    await caller.call(case)  # makes what lives as long as the client
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await caller.call(case)
        gc.collect()
        ours = [each for each in gc.garbage if type(each).__module__.startswith("genai_otel.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert ours == []
    assert len(balanced.calls()) == 2
