"""The part of the page that shows when things happened."""

from __future__ import annotations

from genai_otel.report import words
from genai_otel.report.charts import Bars, Line, Times, bars_over_time, lines_over_time
from genai_otel.report.frame import card, section
from genai_otel.report.html import Html, tag
from genai_otel.report.report import Report
from genai_otel.report.timeline import Stretch


def over_time(report: Report) -> Html | None:
    """Calls, tokens, latency and cost per stretch of time."""
    found = report.timeline.all()
    if not found:
        return None
    width = report.timeline.width
    times = Times([start for start, _ in found], width)
    stretches = [stretch for _, stretch in found]
    cards = [_calls(times, stretches), _tokens(times, stretches), _latency(times, stretches)]
    cards += [_cost(times, stretches, currency) for currency in sorted(report.totals.cost)]
    about = f"Each bar is {words.stretch(width)}. Times are UTC."
    return section("time", "Over time", tag("div", cards, class_="cards"), about=about)


def _calls(times: Times, stretches: list[Stretch]) -> Html:
    good = Bars("without error", "good", [each.calls - each.bad for each in stretches])
    bad = Bars("failed or cut", "bad", [each.bad for each in stretches])
    drawn = bars_over_time("Calls over time", times, [good, bad], words.short)
    return card("Calls", drawn, *((each.colour, each.name) for each in (good, bad)))


def _tokens(times: Times, stretches: list[Stretch]) -> Html:
    given = Bars("input", "input", [each.input for each in stretches])
    got = Bars("output", "output", [each.output for each in stretches])
    drawn = bars_over_time("Tokens over time", times, [given, got], words.short)
    return card("Tokens", drawn, *((each.colour, each.name) for each in (given, got)))


def _latency(times: Times, stretches: list[Stretch]) -> Html:
    usual = Line("p50", "time", [each.seconds.quantile(0.5) for each in stretches])
    slow = Line("p95", "slow", [each.seconds.quantile(0.95) for each in stretches])
    drawn = lines_over_time("Latency over time", times, [slow, usual])
    return card("Latency", drawn, *((each.colour, each.name) for each in (usual, slow)))


def _cost(times: Times, stretches: list[Stretch], currency: str) -> Html:
    spent = Bars("", "cost", [each.cost.get(currency, 0.0) for each in stretches])
    drawn = bars_over_time(
        f"Cost over time, {currency}", times, [spent], lambda value: words.brief({currency: value})
    )
    return card(f"Cost, {currency}", drawn)
