"""How all services do: rate, errors, duration, tokens, cost, first chunk, how calls ended."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import assembled, of_calls, traced
from boards.panels import Ask, Column, Panels, legend, percentiles
from genai_otel import metrics, semconv

_BY = "service_name"
_REASON = q.label(semconv.FINISH_REASON)


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "overview",
        "Overview",
        "Calls of models by all services: rate, errors, duration, tokens, cost, first chunk, how they ended.",
        (*of_calls(), traced()),
        (
            ("Now", _now()),
            ("Rate, errors, duration", _calls()),
            ("Tokens, cost, first chunk", _use()),
            ("How calls end", _ends()),
            ("Objectives and alerts", _promises()),
            ("Traces and logs", _look()),
        ),
    )


def _now() -> Panels:
    return [
        show.number("Calls", show.CALLS, Ask(q.total(q.calls()))),
        show.number("Failed", show.SHARE, Ask(q.share(q.calls(q.FAILED), q.calls()))),
        show.number("Duration, p95", show.SECONDS, Ask(q.quantile(0.95, q.durations()))),
        show.number("First chunk, p95", show.SECONDS, Ask(q.quantile(0.95, q.first_chunks()))),
        show.number(
            "Tokens per second now",
            show.COUNT,
            Ask(q.total(q.tokens("input")), "input"),
            Ask(q.total(q.tokens("output")), "output"),
        ),
        show.number("Cost per hour now", show.USD, Ask(q.hourly())),
    ]


def _calls() -> Panels:
    return [
        show.lines(
            "Calls by service",
            show.CALLS,
            Ask(q.total(q.calls(), _BY), "{{service_name}}"),
            leads_to="models",
        ),
        show.lines(
            "Failed calls by service",
            show.SHARE,
            Ask(q.share(q.calls(q.FAILED), q.calls(), _BY), "{{service_name}}"),
            leads_to="models",
        ),
        show.lines(
            "Errors by type",
            show.CALLS,
            Ask(q.total(q.calls(q.FAILED), _BY, q.ERROR), legend("service_name", q.ERROR)),
            stacked=True,
        ),
        show.lines(
            "Duration",
            show.SECONDS,
            *percentiles(q.durations(), 0.5, 0.95, 0.99),
            about="A dot is one call; it leads to its trace.",
        ),
        show.lines(
            "Duration by service, p95",
            show.SECONDS,
            Ask(q.quantile(0.95, q.durations(), _BY), "{{service_name}}"),
            leads_to="streams",
        ),
        show.heat("Durations", show.SECONDS, q.durations()),
    ]


def _use() -> Panels:
    return [
        show.lines(
            "Tokens per second",
            show.COUNT,
            *(
                Ask(q.total(q.tokens(kind), _BY), f"{{{{service_name}}}} {kind}")
                for kind in ("input", "output")
            ),
            about="Input holds cached tokens, output those of reasoning.",
            stacked=True,
        ),
        show.lines(
            "Cost per hour",
            show.USD,
            Ask(q.hourly(_BY), "{{service_name}}"),
            stacked=True,
            leads_to="cost",
        ),
        show.lines(
            "Time to first chunk",
            show.SECONDS,
            *percentiles(q.first_chunks(), 0.5, 0.95),
            about="From the request to the first chunk of a stream.",
        ),
    ]


def _ends() -> Panels:
    reasons = q.rate(q.of(metrics.FINISH_REASONS), q.CALLS)
    return [
        show.lines(
            "How calls end",
            show.CALLS,
            Ask(
                f"{q.total(q.calls(q.WELL))} - {q.or_zero(q.total(q.left()), q.total(q.calls()))}",
                "completed",
            ),
            Ask(q.total(q.calls(q.FAILED)), "failed"),
            Ask(q.total(q.left(), q.OUTCOME), legend(q.OUTCOME)),
            about="closed: the program stopped reading; abandoned: it forgot the stream; cancelled: its task was.",
            stacked=True,
            width=show.QUARTER,
        ),
        show.lines(
            "Finish reasons",
            show.CALLS,
            Ask(q.total(reasons, _REASON), legend(_REASON)),
            stacked=True,
            width=show.QUARTER,
        ),
        show.lines(
            "Empty answers",
            show.CALLS,
            Ask(q.total(q.rate(q.of(metrics.EMPTY_ANSWERS), q.CALLS), _BY), "{{service_name}}"),
            about="Answers without a token that anybody could read.",
            width=show.QUARTER,
        ),
        show.lines(
            "Open calls",
            show.COUNT,
            Ask(
                q.total(
                    q.now(q.named(metrics.ACTIVE_OPERATIONS, "{operation}", "up_down_counter"), q.CALLS), _BY
                ),
                "{{service_name}}",
            ),
            width=show.QUARTER,
        ),
    ]


def _promises() -> Panels:
    burn = f"{q.now('genai:slo_missed:ratio1h', q.SERVICE)} / (1 - {q.now('genai:slo_objective:ratio', q.SERVICE)})"
    firing = q.now("ALERTS", q.SERVICE, 'alertstate="firing"')
    return [
        show.lines(
            "Error budgets, how fast they are spent",
            show.COUNT,
            Ask(f"max by (service_name, slo) ({burn})", "{{service_name}} {{slo}}"),
            about="In the last hour; 1 spends the budget of 30 days in 30 days. The objectives stand in slo/.",
            width=show.HALF,
        ),
        show.rows(
            "Alerts that fire",
            {"alertname": "alert", "severity": "severity", "service_name": "service"},
            Column("number", show.COUNT, f"count by (alertname, severity, service_name) ({firing})"),
            width=show.HALF,
        ),
    ]


def _look() -> Panels:
    return [
        show.traces("Failed calls, newest traces", "error=true"),
        show.log_lines(
            "Warnings and errors",
            f"{{{q.LOGS}}} | severity_number >= 13",
            about="What the services log; a line of a trace leads to it.",
        ),
    ]
