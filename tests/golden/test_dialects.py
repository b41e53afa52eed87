"""Recorded spans of real packages become what our own span of the same call says, and leave nothing that was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from genai_otel import semconv
from tests.golden.conftest import Own
from tests.golden.lacks import LACKS
from tests.golden.recipes.recipe import SAID
from tests.golden.replay import Replayed, Series, golden, replayed
from tests.harness.guarding import exported

_COMPARED: Final = frozenset({
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.REQUEST_STREAM,
    semconv.REQUEST_TEMPERATURE,
    semconv.REQUEST_MAX_TOKENS,
    semconv.RESPONSE_MODEL,
    semconv.RESPONSE_ID,
    semconv.RESPONSE_FINISH_REASONS,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
    semconv.ERROR_TYPE,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    *(value for name, value in vars(semconv).items() if name.startswith("USAGE_")),
})  # fmt: skip

CASES: Final = [(name, call) for name in LACKS for call in golden(name)]


def _lacks(name: str, call: str) -> frozenset[str]:
    return frozenset((*LACKS[name].get("*", ()), *LACKS[name].get(call, ())))


def _normal(name: str, value: Any) -> Any:
    if name == semconv.RESPONSE_FINISH_REASONS:
        return tuple(semconv.NORMAL_FINISH_REASON[reason] for reason in value)
    if name == semconv.RESPONSE_ID:
        return value.partition("-")[0].partition("_")[0]
    return 0.5 if name == semconv.RESPONSE_TIME_TO_FIRST_CHUNK else value


def _facts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _normal(name, value) for name, value in attributes.items() if name in _COMPARED}


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_says_what_ours_says(own: Mapping[str, Own], name: str, call: str) -> None:
    lacking = _lacks(name, call)
    facts = _facts(replayed(golden(name)[call]).owning.attributes or {})
    wanted = _facts(own[call].facts)
    assert {one: value for one, value in facts.items() if one in wanted} == {
        one: value for one, value in wanted.items() if one not in lacking
    }


def _without(
    series: Mapping[Series, tuple[int, float]], names: frozenset[str]
) -> dict[Series, tuple[int, float]]:
    """Series less the labels that a package does not know, and less the metrics of what it does not know."""
    return {
        (metric, frozenset((label, value) for label, value in labels if label not in names)): value
        for (metric, labels), value in series.items()
        if not metric.endswith("time_per_output_chunk")  # gaps between chunks are on no span but ours
        and not (metric.endswith("time_to_first_chunk") and semconv.RESPONSE_TIME_TO_FIRST_CHUNK in names)
        and not (metric.endswith("finish_reasons") and semconv.RESPONSE_FINISH_REASONS in names)
    }


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_measures_what_ours_measures(own: Mapping[str, Own], name: str, call: str) -> None:
    lacking = _lacks(name, call)
    assert replayed(golden(name)[call]).measured == _without(own[call].measured, lacking)


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_provider_of_the_users_makes_no_difference(name: str, call: str) -> None:
    ours, theirs = replayed(golden(name)[call]), replayed(golden(name)[call], beside=True)
    assert ours.measured == theirs.measured
    assert [_plain(span) for span in ours.spans] == [_plain(span) for span in theirs.spans]


def _plain(span: Any) -> tuple[str, dict[str, Any]]:
    return span.name, dict(span.attributes)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(("name", "call"), CASES)
def test_nothing_that_was_said_leaves(name: str, call: str, beside: bool) -> None:
    assert SAID.encode() not in exported(replayed(golden(name)[call], beside=beside).spans)


@pytest.mark.parametrize(("name", "call"), CASES)
def test_content_leaves_when_it_is_asked_for(name: str, call: str) -> None:
    was_recorded = SAID in str(golden(name)[call])
    assert (SAID.encode() in exported(replayed(golden(name)[call], content=True).spans)) is was_recorded
    assert was_recorded or call == "embeddings"


@pytest.mark.parametrize(("name", "call"), CASES)
def test_originals_are_kept_or_dropped(name: str, call: str) -> None:
    kept, dropped = replayed(golden(name)[call]), replayed(golden(name)[call], keep=False)
    assert kept.measured == dropped.measured
    before, after = _names(kept), _names(dropped)
    assert after <= before
    assert not {one for one in before - after if one.startswith("genai_otel.") or one in _COMPARED}


def _names(seen: Replayed) -> set[str]:
    return set(seen.owning.attributes or {})
