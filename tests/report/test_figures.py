"""The figures of a page, against what is computed by hand."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from genai_otel.cli import main
from genai_otel.report.distribution import Distribution
from tests.report.written import EPOCH, chat, page_of, pairs, request, span, write

IN, OUT, CACHED = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
)
COST, CURRENCY = "genai_otel.cost.amount", "genai_otel.cost.currency"
FIRST = "gen_ai.response.time_to_first_chunk"


def test_calls_tokens_cost_and_times_are_those_of_the_owning_spans(tmp_path: Path) -> None:
    spoken = chat(0, 2, {IN: 100, OUT: 40, CACHED: 60, COST: 0.25, CURRENCY: "USD", FIRST: 0.5}, trace=1)
    inner = span(
        "ChatOpenAI",
        0.1,
        1.8,
        {"gen_ai.operation.name": "chat", IN: 100, OUT: 40, "genai_otel.owner": False},
        parent=spoken,
    )
    silent = chat(10, 4, trace=2)
    free = chat(20, 1, {IN: 7, OUT: 0, COST: 0.0, CURRENCY: "USD"}, trace=3)
    failed = chat(30, 8, {"genai_otel.outcome": "failed", "error.type": "RateLimitError"}, trace=4)
    source = write(
        tmp_path / "spans.jsonl", request([spoken, inner]), request([silent, free]), request([failed])
    )

    page = page_of(source)

    assert page.figures == {
        "calls": 4,
        "good": 0.75,
        "input": 107,
        "output": 40,
        "cost": 0.25,
        "latency": 8.0,
        "first_chunk": 0.5,
    }
    assert "60 read from cache (56.1%)" in page.text
    assert "not said by 2 calls" in page.text
    assert "1 call unpriced: 1 no usage" in page.text  # where a call failed there was nothing to pay
    model = page.numbers("models", "gpt-4o")
    assert (model["calls"], model["errors"], model["cached"], model["cost"]) == (4, 1, 60, 0.25)
    assert (model["p50"], model["p95"]) == (2.0, 8.0)
    assert page.row("models", "gpt-4o")["thinking"] == "\u2013"
    assert page.row("outcomes", "failed")["calls"] == "1"
    assert page.row("errors", "RateLimitError")["first, UTC"] == "2027-01-15 08:00:30"
    assert "1 span of calls that another span counts" in page.text


def test_what_nobody_reports_is_unknown_and_never_nothing(tmp_path: Path) -> None:
    page = page_of(write(tmp_path / "spans.jsonl", request([chat(0, 1)])))
    assert (page.figures["input"], page.figures["cost"], page.figures["first_chunk"]) == (None, None, None)
    row = page.row("models", "gpt-4o")
    assert [row[name] for name in ("input", "output", "cost")] == ["\u2013", "\u2013", "\u2013 | 1 unpriced"]


def test_amounts_of_two_currencies_are_never_added(tmp_path: Path) -> None:
    calls = [
        chat(0, 1, {COST: 1.5, CURRENCY: "USD"}, trace=1),
        chat(0, 1, {COST: 2.5, CURRENCY: "EUR"}, trace=2),
    ]
    page = page_of(write(tmp_path / "spans.jsonl", request(calls)))
    assert page.row("models", "gpt-4o")["cost"] == "2.50 EUR + $1.50"
    assert page.figures["cost"] is None


def test_a_call_counts_for_the_innermost_step_of_each_kind(tmp_path: Path) -> None:
    def step(
        name: str, operation: str, lasts: tuple[float, float], parent: dict[str, object] | None = None
    ) -> dict[str, object]:
        key = f"gen_ai.{operation.partition('_')[2]}.name"
        return span(name, *lasts, {"gen_ai.operation.name": operation, key: name}, parent=parent, kind=1)

    flow = step("answer", "invoke_workflow", (0, 20))
    lead = step("lead", "invoke_agent", (0, 20), flow)
    tool = step("ask", "execute_tool", (4, 10), lead)
    helper = step("helper", "invoke_agent", (5, 8), tool)
    calls = [chat(1, 1, {IN: 10}, parent=lead), chat(2, 1, {IN: 20}, parent=lead)]
    calls += [chat(6, 1, {IN: 100}, parent=helper), chat(30, 1, trace=2)]
    page = page_of(write(tmp_path / "spans.jsonl", request([flow, lead, tool, helper, *calls])))

    figures = {name: page.numbers("steps", name) for name in ("answer", "lead", "helper", "ask")}
    assert {name: (row["runs"], row["calls"], row["input"]) for name, row in figures.items()} == {
        "answer": (1, 3, 130),
        "lead": (1, 2, 30),
        "helper": (1, 1, 100),
        "ask": (1, 1, 100),
    }
    assert "In no step: 1 call." in page.text
    lead_row, helper_row = page.row("agents", "lead"), page.row("agents", "helper")
    assert (lead_row["model calls per run"], lead_row["tool calls per run"], lead_row["tools"]) == (
        "2",
        "1",
        "ask 1",
    )
    assert (helper_row["model calls per run"], helper_row["tool calls per run"]) == ("1", "0")


def test_evaluations_come_from_events_of_spans_and_from_log_records(tmp_path: Path) -> None:
    def result(score: float, label: str) -> list[dict[str, object]]:
        return pairs(
            {
                "gen_ai.evaluation.name": "groundedness",
                "gen_ai.evaluation.score.value": score,
                "gen_ai.evaluation.score.label": label,
            }
        )

    rated = chat(0, 1)
    rated["events"] = [{"name": "gen_ai.evaluation.result", "attributes": result(0.5, "fail")}]
    record = {"eventName": "gen_ai.evaluation.result", "attributes": result(1.0, "pass")}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, {"body": {"stringValue": "else"}}]}]}]}
    page = page_of(write(tmp_path / "all.jsonl", request([rated]), logs))
    row = page.row("evaluations", "groundedness")
    assert (row["results"], row["mean score"], row["labels"]) == ("2", "0.75", "pass 1 fail 1")


def test_a_service_can_be_looked_at_alone(tmp_path: Path) -> None:
    both = [request([chat(0, 1, trace=1)]), request([chat(0, 3, trace=2)], service="other")]
    page = page_of(write(tmp_path / "spans.jsonl", *both), "--service", "other")
    assert (page.figures["calls"], page.figures["latency"]) == (1, 3.0)


def test_quantiles_are_exact_while_values_are_few_and_close_when_they_are_many() -> None:
    few = Distribution()
    for number in random.Random(1).sample(range(1, 101), 100):
        few.add(number)
    assert [few.quantile(share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert few.share_within(25) == 0.25
    assert Distribution().quantile(0.5) is None

    many = Distribution(100)
    generator = random.Random(2)
    values = [generator.lognormvariate(0, 2) for _ in range(5_000)]
    for number in values:
        many.add(number)
    assert not many.is_exact
    for share in (0.01, 0.5, 0.95, 0.99):
        exact = sorted(values)[math.ceil(share * 5_000) - 1]
        assert many.quantile(share) == pytest.approx(exact, rel=0.006)


def test_a_joined_distribution_has_the_values_of_both() -> None:
    for most in (10, 1_000):
        left, right = Distribution(most), Distribution(most)
        for number in range(1, 51):
            left.add(number)
            right.add(number + 50)
        left.join(right)
        assert left.quantile(0.95) == pytest.approx(95, rel=0.006)
        assert (left.count, left.sum, left.max) == (100, 5050, 100)


def test_ids_and_enumerations_may_be_protobufs_own(tmp_path: Path) -> None:
    call = chat(0, 1, {IN: 5, "genai_otel.outcome": "failed"})
    call |= {"traceId": "AAAAAAAAAAAAAAAAAAAAAQ==", "spanId": "AAAAAAAAAAE=", "kind": "SPAN_KIND_CLIENT"}
    call["status"] = {"code": "STATUS_CODE_ERROR"}
    page = page_of(write(tmp_path / "spans.jsonl", request([call])))
    assert (page.figures["calls"], page.figures["input"]) == (1, 5)
    assert f"{1:032x}" in page.text


def test_what_stands_out_is_said_first(tmp_path: Path) -> None:
    agent = span(
        "desk", 0, 60, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk"}, kind=1
    )
    runs = [
        span("desk", 100, 9, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk"}, trace=2)
    ]
    runs += [
        span("desk", 200, 9, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk"}, trace=3)
    ]
    calls = [chat(at, 1, {COST: 0.5, CURRENCY: "USD"}, parent=agent) for at in range(12)]
    calls += [chat(100, 1, {"gen_ai.request.model": "small"}, parent=run) for run in runs]
    failed = {
        "genai_otel.outcome": "failed",
        "error.type": "RateLimitError",
        "http.response.status_code": 429,
    }
    calls += [chat(300 + at, 1, failed, trace=9) for at in range(2)]
    page = page_of(write(tmp_path / "spans.jsonl", request([agent, *runs, *calls])), "--slo", "success=99")
    for sentence in (
        "1 of 1 objectives missed: success.",
        "2 of 2 errors are RateLimitError (429).",
        "100% of the cost is gpt-4o, in 87.5% of the calls.",
        "The cost is at least $6.00, beside 2 unpriced calls.",
        "The agent desk called models 12 times in one run; 1 are usual.",
    ):
        assert sentence in page.text
    (row,) = (line for line in page.tables["agents"] if line[0] == "desk")
    assert row[1:5] == ["3", "4.67", "12", "12"]


def test_a_page_without_anything_odd_says_nothing_first(tmp_path: Path) -> None:
    page_of(write(tmp_path / "spans.jsonl", request([chat(0, 1, {COST: 0.5, CURRENCY: "USD"})])))
    assert 'class="summary"' not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_steps_without_calls_make_a_page_too(tmp_path: Path) -> None:
    tool = span(
        "execute_tool look", 0, 1, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
    )
    page = page_of(write(tmp_path / "spans.jsonl", request([tool])))
    assert (page.figures["calls"], page.figures["good"], page.figures["latency"]) == (0, None, None)
    assert page.row("steps", "look")["runs"] == "1"
    assert "no model calls" in page.text


def test_log_records_of_another_time_and_results_written_twice_count_once_or_never(tmp_path: Path) -> None:
    attributes = pairs({"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 1.0})

    def record(at: int) -> dict[str, object]:
        time = str((EPOCH + at) * 10**9)
        return {
            "eventName": "gen_ai.evaluation.result",
            "traceId": f"{1:032x}",
            "timeUnixNano": time,
            "attributes": attributes,
        }

    call = chat(1, 1)
    judged = span("genai_otel.evaluation tone", 5, 0, trace=1, parent=call)
    judged["attributes"] = attributes
    records = [record(5), record(6), record(90_000)]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    source = write(tmp_path / "all.jsonl", request([call, judged]), logs)
    page = page_of(source, "--since", "2027-01-15", "--until", "2027-01-16")
    assert page.row("evaluations", "tone")["results"] == "2"


def test_a_rating_that_was_sent_to_two_processes_counts_once(tmp_path: Path) -> None:
    said = {"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.value": 4.0}

    def record(at: int, sent: str) -> dict[str, object]:
        attributes = pairs({**said, "genai_otel.evaluation.id": sent})
        known = {"eventName": "gen_ai.evaluation.result", "traceId": f"{1:032x}", "attributes": attributes}
        return {**known, "timeUnixNano": str((EPOCH + at) * 10**9)}

    records = [record(5, "a"), record(6, "a"), record(6, "b")]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    page = page_of(write(tmp_path / "all.jsonl", request([chat(1, 1)]), logs))
    assert page.row("evaluations", "user_feedback")["results"] == "2"


def test_calls_can_be_grouped_by_any_attribute(tmp_path: Path) -> None:
    calls = [
        chat(0, 1, {"genai_otel.tenant": "acme", IN: 5}),
        chat(1, 2, {"genai_otel.tenant": "acme", IN: 6}),
    ]
    source = write(tmp_path / "spans.jsonl", request([*calls, chat(2, 4)]))
    page = page_of(source, "--by", "genai_otel.tenant", "--by", "service.name")
    assert page.numbers("genai_otel.tenant", "acme")["input"] == 11
    assert page.row("genai_otel.tenant", "not said")["p50"] == "4.00 s"
    assert page.row("service.name", "shop")["calls"] == "3"


def test_hits_of_caches_are_counted_though_they_saved_the_call(tmp_path: Path) -> None:
    def looked_up(result: str) -> dict[str, object]:
        said = {"gen_ai.operation.name": "cache_lookup", "genai_otel.cache.name": "answers"}
        return {**said, "genai_otel.cache.result": result}

    results = ["hit", "hit", "hit", "miss"]
    lookups = [
        span("cache_lookup answers", at, 0.1, looked_up(each), trace=at + 1)
        for at, each in enumerate(results)
    ]
    page = page_of(write(tmp_path / "spans.jsonl", request([*lookups, chat(9, 1, trace=4)])))
    assert page.row("caches", "answers") == {
        "cache": "answers",
        "look-ups": "4",
        "hits": "3",
        "hit rate": "75.0%",
    }


OWN = {"openai": {"house-*": {"input": 2, "output": 4}}, "alias": {"prod-chat": "house-1"}}


@pytest.mark.parametrize("by", ["--prices", "GENAI_OTEL_PRICES"])
def test_calls_whose_cost_nobody_knew_have_prices_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    used = {IN: 1_000_000, OUT: 500_000}
    named = {"gen_ai.request.model": "prod-chat"}
    calls = [
        chat(0, 1, {**used, **named}, trace=1),
        chat(1, 1, {**used, **named, COST: 1.0, CURRENCY: "USD"}, trace=2),  # what a span says stays
        chat(2, 1, used, trace=3),  # and of what comes with us nobody is told later
        chat(3, 1, {**used, "gen_ai.request.model": "nobody-knows"}, trace=4),
    ]
    source = write(tmp_path / "spans.jsonl", request(calls))
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(OWN))
    before = page_of(source)
    options = ["--prices", str(prices)] if by == "--prices" else []
    if not options:
        monkeypatch.setenv(by, str(prices))
    page = page_of(source, *options)
    assert (before.figures["cost"], page.figures["cost"]) == (1.0, 5.0)
    assert "3 calls unpriced" in before.text
    assert "2 calls unpriced" in page.text


def test_own_prices_that_are_wrong_are_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "spans.jsonl", request([chat(0, 1)]))
    prices = tmp_path / "prices.json"
    prices.write_text('{"openai": {"m": {"inptu": 1}}}')
    assert main(["report", str(source), "--prices", str(prices), "-o", "-"]) == 1
    said = capsys.readouterr()
    assert "--prices: " in said.err
    assert "openai.m.inptu is no field" in said.err
    assert not said.out
