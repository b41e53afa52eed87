"""What is kept is bounded, whatever comes: times, names, rings, depth, parts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from genai_otel.report.figures import Call
from genai_otel.report.otlp import spans
from genai_otel.report.timeline import Timeline
from genai_otel.report.traces import Traces
from tests.report.written import EPOCH, chat, page_of, request, span, write

IN, COST, CURRENCY = "gen_ai.usage.input_tokens", "genai_otel.cost.amount", "genai_otel.cost.currency"


def call_at(seconds: float) -> Call:
    (found,) = spans(request([chat(seconds, 1, {IN: 1})]))
    return Call(found)


def test_stretches_of_time_grow_and_lose_nothing() -> None:
    timeline = Timeline()
    for hours in range(0, 7 * 24, 2):
        timeline.add(call_at(hours * 3600))
    timeline.add(call_at(-5))
    found = timeline.all()
    assert timeline.width == 10_800
    assert len(found) == 57
    assert sum(stretch.calls for _, stretch in found) == 85
    assert sum(stretch.input for _, stretch in found) == 85
    assert [second - first for (first, _), (second, _) in pairwise(found)] == [10_800] * 56


def test_a_clock_that_is_decades_off_costs_no_more_stretches() -> None:
    timeline = Timeline()
    timeline.add(call_at(0))
    timeline.add(call_at(-EPOCH + 1))
    assert len(timeline.all()) <= 96
    assert sum(stretch.calls for _, stretch in timeline.all()) == 2


def test_no_more_spans_wait_than_may_and_a_trace_that_comes_in_parts_is_known_as_such() -> None:
    traces = Traces(open_spans=4)
    early = list(traces.add(list(spans(request([chat(0, 1, trace=number) for number in range(1, 7)])))))
    assert [trace.trace_id for trace in early] == [1, 2]
    late = list(traces.add(list(spans(request([chat(0, 1, trace=1)])))))
    assert traces.split == 1
    assert [trace.trace_id for trace in (*late, *traces.rest())] == [3, 4, 5, 6, 1]


def ring(one: dict[str, object], two: dict[str, object]) -> None:
    one["parentSpanId"], two["parentSpanId"] = two["spanId"], one["spanId"]


def own_parent(one: dict[str, object], two: dict[str, object]) -> None:
    one["parentSpanId"] = one["spanId"]


@pytest.mark.parametrize("tangle", [ring, own_parent])
@pytest.mark.parametrize("scope", ["genai_otel", "somebody"])
def test_spans_that_are_their_own_ancestors_are_counted_once(
    tmp_path: Path, tangle: Callable[[dict[str, object], dict[str, object]], None], scope: str
) -> None:
    one, two = chat(0, 1, {"genai_otel.measured": None}), chat(2, 1, {"genai_otel.measured": None})
    tangle(one, two)
    page = page_of(write(tmp_path / "spans.jsonl", request([one, two], scope=scope)))
    assert page.figures["calls"] == 2


def test_a_trace_of_ten_thousand_nested_spans_needs_no_deep_stack(tmp_path: Path) -> None:
    chain = [span("root", 0, 1)]
    for _ in range(10_000):
        chain.append(span("step", 0, 1, parent=chain[-1]))
    page = page_of(write(tmp_path / "spans.jsonl", request([*chain, chat(0, 1, parent=chain[-1])])))
    assert page.figures["calls"] == 1
    assert "spans more" in page.text


def test_names_that_anybody_can_make_up_are_bounded(tmp_path: Path) -> None:
    def made_up(number: int) -> dict[str, object]:
        name = f"made up {number}"
        reasons = {"gen_ai.response.finish_reasons": (name,), "genai_otel.outcome": name}
        return {"gen_ai.request.model": name, COST: 1.0, CURRENCY: name, **reasons}

    calls = [chat(number, 1, made_up(number), trace=number + 1) for number in range(2_500)]
    page = page_of(write(tmp_path / "spans.jsonl", request(calls)))
    assert page.figures["calls"] == 2_500
    assert "and 1,950 more, and 500 calls of still others" in page.text
    assert page.row("reasons", "(others)")["choices"] == "1,500"
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
