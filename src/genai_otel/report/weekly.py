"""The part of the page that is about a service: its objectives, and its incidents."""

from __future__ import annotations

from collections.abc import Sequence

from genai_otel.report import words
from genai_otel.report.frame import section
from genai_otel.report.html import Html, tag
from genai_otel.report.incidents import History, Incidents
from genai_otel.report.objective import Objective
from genai_otel.report.report import Report
from genai_otel.report.tables import Cell, Column, table

_VERDICTS = {True: ("met", "met"), False: ("missed", "missed"), None: ("unknown", "muted")}


def weekly(report: Report, objectives: Sequence[Objective], history: History | None) -> Html | None:
    """What was aimed at, and what went wrong; None where neither is asked for."""
    if not objectives and history is None:
        return None
    return section(
        "weekly",
        "Objectives and incidents",
        _objectives(report, objectives) if objectives else None,
        _incidents(history) if history is not None else None,
    )


def _objectives(report: Report, objectives: Sequence[Objective]) -> Html:
    rows: list[Sequence[Cell | str]] = []
    for each in objectives:
        reached = each.reached(report)
        verdict, style = _VERDICTS[reached.is_met]
        rows.append(
            (
                Cell(each.name),
                Cell(_value(report, each, each.limit), each.limit),
                Cell(_value(report, each, reached.value), reached.value),
                Cell(tag("span", verdict, class_=style)),
                Cell(
                    words.UNKNOWN if reached.used is None else f"{reached.used:.0%}",
                    reached.used,
                    share=reached.used,
                ),
            )
        )
    columns = (
        Column("objective", is_figure=False),
        Column("aim"),
        Column("reached"),
        Column("verdict", is_figure=False),
        Column(
            "allowance used",
            "of what may go wrong or be spent, the part that did; more than 100 % is too much",
        ),
    )
    return table("objectives", "Objectives", columns, rows)


def _value(report: Report, each: Objective, value: float | None) -> str:
    if value is None:
        return words.UNKNOWN
    if each.of in ("success", "share"):
        return words.share(value)
    if each.of in ("latency", "first-chunk"):
        return words.seconds(value)
    if each.of == "score":
        return f"{value:.3g}"
    return words.amount({next(iter(report.totals.cost), "USD"): value})


def _incidents(history: History) -> list[Html]:
    rows = [_row("all alerts together", "", history.all)]
    ranked = sorted(history.by_alert.items(), key=lambda item: (-item[1].count, item[0]))
    rows += [_row(name, severity, incidents) for (name, severity), incidents in ranked]
    columns = (
        Column("alert", is_figure=False),
        Column("incidents", "times of firing; those that overlap are one"),
        Column("MTTR", "mean time from the begin of an incident to its end"),
        Column("MTBF", "mean quiet time per incident"),
        Column("firing", "all of it together"),
        Column("quiet", "share of the period in which nothing fired"),
        Column("last, UTC", is_figure=False),
    )
    about = (
        f"By Prometheus' alerts from {words.minute(history.start)} to {words.minute(history.end)} UTC, looked at every "
        f"{words.stretch(history.step)}. What began before or goes on is no part of MTTR."
    )
    return [table("incidents", "Incidents", columns, rows), tag("p", about, class_="note")]


def _row(name: str, severity: str, incidents: Incidents) -> Sequence[Cell | str]:
    last = incidents.episodes[-1] if incidents.episodes else None
    going_on = "goes on" if last and not last.has_ended else None
    return (
        Cell(name, under=severity or None),
        Cell(words.number(incidents.count), incidents.count),
        Cell(words.long(incidents.mttr), incidents.mttr),
        Cell(words.long(incidents.mtbf), incidents.mtbf),
        Cell(words.long(incidents.down), incidents.down),
        Cell(words.share(incidents.quiet_share), incidents.quiet_share),
        Cell(words.minute(last.start) if last else words.UNKNOWN, under=going_on),
    )
