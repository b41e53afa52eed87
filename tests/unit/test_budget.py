"""Budgets: what one may be, what has been spent, and that a window moves on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from genai_otel.config import Config, SettingError
from genai_otel.prices.budget import BudgetError, Limit, read
from genai_otel.processing.ledger import Ledger, Spending
from tests.harness.process import run
from tests.harness.sink import HttpSink


@pytest.mark.parametrize("text", ["100 USD/day", "$100 / day", "100usd per Day", "100.0/day"])
def test_a_limit_is_an_amount_in_a_window(text: str) -> None:
    assert read(text).total == Limit(100, "day")


def test_tenants_have_their_own_or_that_of_all() -> None:
    given = {"total": "100 USD/month", "tenants": {"acme": "5 USD/hour", "*": "1 USD/day"}}
    for found in (read(given), read(json.dumps(given))):
        assert found.total == Limit(100, "month")
        assert found.of("acme") == Limit(5, "hour")
        assert found.of("other") == Limit(1, "day")
    assert read("1 USD/day").of("acme") is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a lot", "is 'a lot'; a limit is like '100 USD/day', of hour, day, week, month"),
        ("100 EUR/day", "is '100 EUR/day'"),
        ("0 USD/day", "is '0 USD/day'"),
        ("1 USD/year", "is '1 USD/year'"),
        ({"total": 5}, "total is 5"),
        ({"tenants": {"acme": "much"}}, "tenants.acme is 'much'"),
        ({"totl": "1 USD/day"}, "has 'totl'; it may have total and tenants"),
        ({"tenants": 5}, "tenants is no mapping"),
        ("{", "is no JSON"),
        (5, "is 5; allowed are"),
    ],
)
def test_what_is_no_budget_is_one_clear_error(value: Any, said: str) -> None:
    with pytest.raises(BudgetError) as caught:
        read(value)
    assert said in str(caught.value)
    with pytest.raises(SettingError, match=r"^setup\(budget=…\) "):
        Config.load({"budget": value}, {})


def context(trace: int) -> SpanContext:
    return SpanContext(trace, 1, False, TraceFlags(0))


def noted(ledger: Ledger, amount: float, *, trace: int = 1, tenant: str | None = None) -> None:
    ledger.note(amount, tenant, context(trace))


def test_it_adds_up_by_trace_and_tenant_in_bounded_memory() -> None:
    ledger = Ledger()
    for number in range(10_000):
        noted(ledger, 1, trace=number, tenant=f"t{number}")
    noted(ledger, 2, trace=9_999, tenant="t9999")
    assert ledger.spent() == 10_002
    assert ledger.spent(trace=9_999) == ledger.spent(tenant="t9999") == 3
    assert ledger.spent(trace=0) == ledger.spent(tenant="t0") == 0
    assert len(vars(ledger)["_traces"]) == 4_096
    assert len(vars(ledger)["_tenants"]) == 1_000
    ledger.after_fork()
    assert ledger.spent() == ledger.spent(trace=9_999) == 0


def test_a_window_moves_on() -> None:
    spending = Spending(Limit(100, "hour"), {})
    for minute in range(120):
        spending.add(1, minute * 60)
    assert spending.spent(119 * 60) == 60
    assert spending.spent(119 * 60, 3) == 3
    assert spending.spent(149 * 60) == 30
    assert spending.spent(10_000 * 60) == 0


@pytest.mark.process
def test_what_was_spent_is_told_and_a_budget_that_is_exceeded_is_said_once() -> None:
    script = """
    import json, openai
    import genai_otel
    from genai_otel.testing import ModelServer
    from opentelemetry import trace
    assert genai_otel.spent() == 0
    genai_otel.setup(budget={"total": "1 USD/day", "tenants": {"acme": "0.5 USD/hour"}})
    def call(server):
        with openai.OpenAI(base_url=server.base_url, api_key="k") as client:
            client.chat.completions.create(model="gpt-4o-mini+input-1000000+output-1000000+cached-0", messages=[])
    with ModelServer() as server:
        with trace.get_tracer("app").start_as_current_span("request"), genai_otel.context(tenant="acme"):
            call(server)
            traced = genai_otel.trace_id()
        for _ in range(2):
            call(server)
    print(json.dumps([genai_otel.spent(), genai_otel.spent(trace=traced), genai_otel.spent(tenant="acme"),
                      genai_otel.spent(trace=1), genai_otel.spent(tenant="nobody")]))
    for wrong in ({"trace": "x"}, {"trace": 1, "tenant": "a"}):
        try:
            genai_otel.spent(**wrong)
        except ValueError as error:
            continue
        raise SystemExit(f"no error: {wrong}")
    """
    with HttpSink() as sink:
        done = run(script, env=sink.environment()).ok()
        assert json.loads(done.out) == pytest.approx([2.25, 0.75, 0.75, 0, 0], rel=1e-4)
        assert done.err.count("is exceeded") == 2
        assert "the budget of 1 USD/day is exceeded" in done.err
        assert "the budget of 0.5 USD/hour of tenant 'acme' is exceeded" in done.err
        found = {
            (name.rpartition(".")[2], point.attributes.get("genai_otel.tenant")): point.value
            for name in sink.metrics()
            if name.startswith("genai_otel.budget.")
            for point in sink.latest(name)
        }
    assert found == {
        ("limit", None): 1,
        ("limit", "acme"): 0.5,
        ("spent", None): pytest.approx(2.25, rel=1e-4),
        ("spent", "acme"): pytest.approx(0.75, rel=1e-4),
        ("ratio", None): pytest.approx(2.25, rel=1e-4),
        ("ratio", "acme"): pytest.approx(1.5, rel=1e-4),
        ("burn_rate", None): pytest.approx(45, rel=1e-4),
        ("burn_rate", "acme"): pytest.approx(30, rel=1e-4),
    }


@pytest.mark.process
@pytest.mark.parametrize("traces", ["console", "none"])
def test_it_is_known_where_nobody_collects_metrics(traces: str) -> None:
    script = """
    import genai_otel
    genai_otel.setup(budget="1 USD/day")
    for _ in range(2):
        with genai_otel.inference(provider="openai", model="gpt-4o") as call:
            call.response(input_tokens=1_000_000)
        assert genai_otel.record_evaluation(None, "tone", 0.5)
    with genai_otel.serve(model="tiny"), genai_otel.tool("look"):
        pass
    print(genai_otel.spent())
    """
    env = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": traces, "OTEL_LOGS_EXPORTER": "none"}
    done = run(script, env=env).ok()
    assert "5.0" in done.out.splitlines()
    assert done.err.count("the budget of 1 USD/day is exceeded") == 1
