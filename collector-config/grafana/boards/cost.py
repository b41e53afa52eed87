"""What calls cost, what is not known of it, and budgets."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import assembled, of_calls
from boards.panels import Ask, Column, Panels, legend
from genai_otel import metrics, semconv

_COMPONENT, _SOURCE = q.label(semconv.COST_COMPONENT), q.label(semconv.COST_SOURCE)
_TENANT, _WINDOW = q.label(semconv.TENANT), q.label(semconv.BUDGET_WINDOW)
_BUDGET = ("service_name", _TENANT, _WINDOW)
_BUDGET_LEGEND = f"{legend('service_name', _TENANT)} per {legend(_WINDOW)}"
_UNPRICED = q.of(metrics.COST_UNPRICED)


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "cost",
        "Cost and budgets",
        "What calls cost in US dollars, what is not known of it, and budgets.",
        of_calls(),
        (
            ("Now", _now()),
            ("Who, what, why", _cost()),
            ("Budgets", _budgets()),
            ("How well it is known", _known()),
        ),
    )


def _now() -> Panels:
    spent, calls = q.total(q.cost(over="increase")), q.total(q.calls(over="increase"))
    return [
        show.number("Spent in the time shown", show.USD, Ask(spent)),
        show.number("Cost per hour", show.USD, Ask(q.hourly())),
        show.number("Cost of 30 days, going on so", show.USD, Ask(f"{q.hourly()} * 720")),
        show.number("Cost per 1,000 calls", show.USD, Ask(f"1000 * {spent} / ({calls} > 0)")),
        show.number("Calls of unknown cost", show.SHARE, Ask(q.share(q.rate(_UNPRICED, q.CALLS), q.calls()))),
        show.number("Budget most used", show.SHARE, Ask(f"max({_used()})")),
    ]


def _cost() -> Panels:
    def per_hour(title: str, by: str, width: int = show.QUARTER) -> show.Built:
        return show.lines(title, show.USD, Ask(q.hourly(by), legend(by)), stacked=True, width=width)

    return [
        per_hour("Cost per hour by service", "service_name"),
        per_hour("Cost per hour by model", q.MODEL),
        per_hour("Cost per hour by component", _COMPONENT),
        per_hour("Cost per hour by where it is known from", _SOURCE),
        show.rows(
            "Services and models in the time shown",
            {"service_name": "service", q.MODEL: "model"},
            Column("cost", show.USD, q.total(q.cost(over="increase"), "service_name", q.MODEL)),
            Column("calls", show.COUNT, q.total(q.calls(over="increase"), "service_name", q.MODEL)),
            Column(
                "input tokens", show.COUNT, q.total(q.tokens("input", "increase"), "service_name", q.MODEL)
            ),
            Column(
                "output tokens", show.COUNT, q.total(q.tokens("output", "increase"), "service_name", q.MODEL)
            ),
        ),
    ]


def _of_budget(name: str, unit: str) -> str:
    return q.now(q.named(name, unit, "gauge"), q.SERVICE)


def _used() -> str:
    """Each process has its own account of the same limit."""
    spent, limit = _of_budget(metrics.BUDGET_SPENT, "USD"), _of_budget(metrics.BUDGET_LIMIT, "USD")
    by = ", ".join(_BUDGET)
    return f"sum by ({by}) ({spent}) / max by ({by}) ({limit})"


def _budgets() -> Panels:
    by = ", ".join(_BUDGET)
    burn = _of_budget(metrics.BUDGET_BURN_RATE, "1")
    return [
        show.lines(
            "Budgets used",
            show.SHARE,
            Ask(_used(), _BUDGET_LEGEND),
            about="Above 100 % a budget is exceeded.",
        ),
        show.lines(
            "Budgets used, going on as of late",
            show.SHARE,
            Ask(f"sum by ({by}) ({burn})", _BUDGET_LEGEND),
            about="Above 100 %: so the budget will not last its window.",
        ),
        show.rows(
            "Budgets",
            {"service_name": "service", _TENANT: "tenant", _WINDOW: "window"},
            Column("spent", show.USD, f"sum by ({by}) ({_of_budget(metrics.BUDGET_SPENT, 'USD')})"),
            Column("limit", show.USD, f"max by ({by}) ({_of_budget(metrics.BUDGET_LIMIT, 'USD')})"),
            width=show.THIRD,
        ),
    ]


def _known() -> Panels:
    age = q.now(q.named(metrics.PRICES_AGE, "s", "gauge"), q.SERVICE)
    return [
        show.lines(
            "Calls of unknown cost by reason",
            show.CALLS,
            Ask(q.total(q.rate(_UNPRICED, q.CALLS), q.ERROR), legend(q.ERROR)),
            stacked=True,
        ),
        show.lines(
            "Calls of unknown cost by model",
            show.CALLS,
            Ask(
                q.total(q.rate(_UNPRICED, q.CALLS), q.VENDOR, q.MODEL),
                legend(q.VENDOR, q.MODEL),
            ),
            stacked=True,
        ),
        show.lines(
            "Age of the prices",
            show.SECONDS,
            Ask(f"max by (service_name, {_SOURCE}) ({age})", legend("service_name", _SOURCE)),
        ),
    ]
