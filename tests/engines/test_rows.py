"""What every engine's spec must do, one text for all of them."""

from __future__ import annotations

import concurrent.futures
import gc
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from genai_otel.clients import SPECS
from genai_otel.engine import patch
from tests.contract.recorded import Recorded, dropped, outcome
from tests.engines.engine import Case, Engine, plain

pytestmark = pytest.mark.usefixtures("balanced")


def cases(chosen: Callable[[Case], object]) -> pytest.MarkDecorator:
    """Run a test for some cases of every engine."""
    return pytest.mark.cases.with_args(chosen)


whole = cases(lambda case: not case.stream)
streams = cases(lambda case: case.stream)
tracer = trace.get_tracer("the program")


def common(engine: Engine, case: Case) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": case.operation,
        "gen_ai.provider.name": engine.provider,
        "gen_ai.request.model": engine.model,
        "genai_otel.measured": True,
        "genai_otel.outcome": "completed",
    }


def finished(case: Case, subject: Any) -> Any:
    """The result of a call, all of it."""
    result = case.call(subject)
    return list(result) if case.stream else result


def test_a_call_is_one_span_with_exactly_these_facts(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    finished(case, subject)
    span = balanced.span()
    assert span.name == f"{case.operation} {engine.model}"
    seen = dict(span.attributes)
    times = {name: value for name, value in seen.items() if name.endswith(("_chunk", ".chunks"))}
    wanted = {**common(engine, case), **case.facts}
    for name, value in wanted.items():
        assert value is ... or seen.get(name) == value, name
    assert seen.keys() - times.keys() == wanted.keys()
    assert bool(times) == ("gen_ai.request.stream" in wanted)
    assert all(value > 0 for value in times.values())


def test_the_result_is_what_it_is_without_us(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    ours = finished(case, subject)
    with suppress_instrumentation():
        theirs = finished(case, subject)
    assert type(ours) is type(theirs)
    assert plain(ours) == plain(theirs)
    assert len(balanced.calls()) == 1


@cases(lambda case: case.breaks)
def test_the_exception_is_the_librarys_own(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    assert case.breaks is not None
    with pytest.raises(Exception) as theirs, suppress_instrumentation():  # noqa: PT011 - whichever it is
        case.breaks(subject)
    with tracer.start_as_current_span("mine"):
        before = context.get_current()
        with pytest.raises(theirs.type) as ours:
            case.breaks(subject)
        assert context.get_current() is before
    assert str(ours.value) == str(theirs.value)
    (span,) = balanced.calls()
    assert outcome(span) == ("failed", "ERROR", theirs.type.__qualname__)


def test_the_callers_span_is_the_parent_and_stays_current(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    with tracer.start_as_current_span("mine") as mine:
        before = context.get_current()
        result = case.call(subject)
        assert context.get_current() is before
        if case.stream:
            for _ in result:
                assert context.get_current() is before
    (span,) = balanced.calls()
    assert span.parent.span_id == mine.get_span_context().span_id
    assert span.kind.name == "CLIENT"


def test_without_our_wrappers_there_is_no_span(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    patch.uninstall()
    try:
        finished(case, subject)
    finally:
        patch.install(SPECS)
    assert balanced.spans() == []
    finished(case, subject)
    assert len(balanced.calls()) == 1


@whole
def test_calls_of_many_threads_are_each_one_span(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    if not engine.threads:
        pytest.skip(f"a model of {engine.name} serves one thread")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(case.call, subject) for _ in range(8)]
        results = [plain(call.result()) for call in calls]
    assert all(result == results[0] for result in results)
    spans = balanced.calls()
    assert len(spans) == 8
    assert len({(span.attributes.get("gen_ai.usage.input_tokens")) for span in spans}) == 1


@streams
async def test_a_stream_that_is_left_ends_as_closed(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    stream = case.call(subject)
    next(stream)
    stream.close()
    assert outcome(balanced.span()) == ("closed", "UNSET", None)


@streams
async def test_a_stream_that_nobody_reads_on_ends_as_abandoned(
    balanced: Recorded, engine: Engine, case: Case, subject: Any
) -> None:
    stream = case.call(subject)
    next(stream)
    del stream
    span = await dropped(balanced)
    assert outcome(span) == ("abandoned", "UNSET", None)


def test_no_model_is_kept_alive(balanced: Recorded, engine: Engine, tmp_path: Path) -> None:
    if engine.forget is None:
        pytest.skip("models of this engine are not collected without us either")
    subject = engine.make(tmp_path)
    for case in engine.cases:
        with suppress(StopIteration):
            finished(case, subject)
    model = weakref.ref(engine.forget(subject))
    del subject
    gc.collect()
    assert model() is None
