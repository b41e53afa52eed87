"""What metrics must be, said a second time: by the spans alone, in the plainest words, without the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from genai_otel.testing.in_memory import Point

_IDENTITY = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
)
_DURATION = "gen_ai.client.operation.duration"
_FIRST = "gen_ai.client.operation.time_to_first_chunk"
_EACH = "gen_ai.client.operation.time_per_output_chunk"
_TOKENS = "gen_ai.client.token.usage"
_REASONS = "genai_otel.client.finish_reasons"
_COST = "genai_otel.client.cost"
_SOURCE, _COMPONENT = "genai_otel.cost.source", "genai_otel.cost.component"
_WORDS = {
    "tool_call": "tool_calls",
    **{
        word: word
        for word in ("stop", "length", "tool_calls", "content_filter", "refusal", "error", "cancelled")
    },
}
KNOWN = {_DURATION, _FIRST, _EACH, _TOKENS, _REASONS, _COST}

Series = tuple[str, frozenset[tuple[str, Any]]]


def expected(spans: Iterable[Any]) -> dict[Series, tuple[int, float]]:
    """Series to (count, sum) for the owning ones among ``spans``; of a counter the sum alone counts."""
    found: dict[Series, tuple[int, float]] = {}

    def add(metric: str, labels: Mapping[str, Any], value: float) -> None:
        key = (metric, frozenset(labels.items()))
        count, total = found.get(key, (0, 0))
        found[key] = (count + 1, total + value)

    for span in spans:
        facts = span.attributes
        if facts.get("genai_otel.measured") is not True:
            continue
        who = {name: _label(facts[name]) for name in _IDENTITY if name in facts}
        failed = {**who, "error.type": facts["error.type"]} if "error.type" in facts else who
        add(_DURATION, failed, (span.end_time - span.start_time) / 1e9)
        for kind in ("input", "output"):
            tokens = facts.get(f"gen_ai.usage.{kind}_tokens")
            if tokens is not None and tokens < 2**63:
                add(_TOKENS, {**who, "gen_ai.token.type": kind}, tokens)
        if facts.get("genai_otel.cost.amount"):  # nothing new is said of a counter by adding nothing
            asked = {name: value for name, value in who.items() if name.startswith("gen_ai.")}
            add(_COST, {**asked, _SOURCE: facts[_SOURCE]}, facts["genai_otel.cost.amount"])
            assert facts["genai_otel.cost.currency"] == "USD"
        for reason in _reasons(facts):
            add(_REASONS, {**who, "genai_otel.finish_reason": _WORDS.get(reason, "_OTHER")}, 1)
        for metric, name in (
            (_FIRST, "gen_ai.response.time_to_first_chunk"),
            (_EACH, "genai_otel.stream.time_per_chunk"),
        ):
            if name in facts:
                add(metric, who, facts[name])
    return found


def _reasons(facts: Mapping[str, Any]) -> tuple[str, ...]:
    reasons = facts.get("gen_ai.response.finish_reasons", ())
    if reasons and facts.get("genai_otel.refused"):
        return (*reasons[:-1], "refusal")  # the last one said so
    return reasons or (("error",) if "error.type" in facts else ())


def _label(value: Any) -> Any:
    return value[:128] if isinstance(value, str) else value


def seen(metrics: Mapping[str, list[Point]]) -> dict[Series, tuple[int, float]]:
    """The same of what the readers got."""
    found = {
        (name, frozenset(point.attributes.items())): (point.count, point.sum or point.value)
        for name, points in metrics.items()
        if name in KNOWN - {_COST}
        for point in points
    }
    for point in metrics.get(_COST, ()):  # whose parts are added up
        rest = {name: value for name, value in point.attributes.items() if name != _COMPONENT}
        key = (_COST, frozenset(rest.items()))
        found[key] = (0, found.get(key, (0, 0))[1] + point.value)
    return found


def agree(spans: Iterable[Any], metrics: Mapping[str, list[Point]]) -> None:
    """AssertionError where metrics are not what the spans say."""
    wanted, got = expected(spans), seen(metrics)
    assert got.keys() == wanted.keys()
    for series, (count, total) in wanted.items():
        if series[0] not in (_REASONS, _COST):
            assert got[series][0] == count, series
        assert got[series][1] == pytest.approx(total), series
