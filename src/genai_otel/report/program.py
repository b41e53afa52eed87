"""The parts of the page that are about the program: its steps, its agents, evaluations, its slowest traces."""

from __future__ import annotations

from genai_otel.report import words
from genai_otel.report.calls import USAGE_COLUMNS, usage
from genai_otel.report.frame import beyond, section
from genai_otel.report.html import Html, chips, join, tag
from genai_otel.report.report import Report
from genai_otel.report.steps import KINDS, Loops
from genai_otel.report.tables import MOST_ROWS, Cell, Column, table
from genai_otel.report.waterfall import waterfall

_MOST_ROUNDS = 12


def steps(report: Report) -> Html | None:
    """What each step took, with the calls inside it."""
    found = report.steps
    if not found.runs:
        return None
    ranked = sorted(
        found.runs.items(), key=lambda item: (KINDS.index(item[0].kind), -item[1].count, item[0].name)
    )
    most = max((totals.calls for totals in found.calls.values()), default=0)
    rows = [
        (
            Cell(step.name, under=step.kind),
            Cell(words.number(runs.count), runs.count),
            Cell(words.number(runs.failed), runs.failed),
            Cell(words.seconds(runs.seconds.quantile(0.5)), runs.seconds.quantile(0.5)),
            Cell(words.seconds(runs.seconds.quantile(0.95)), runs.seconds.quantile(0.95)),
            *(usage(found.calls[step], most) if step in found.calls else _NO_CALLS),
        )
        for step, runs in ranked[:MOST_ROWS]
    ]
    columns = (
        Column("step", is_figure=False),
        Column("runs"),
        Column("failed", "runs that ended with an error"),
        Column("p50", "half of the runs are not slower"),
        Column("p95", "95 % of the runs are not slower"),
        *USAGE_COLUMNS,
    )
    about = (
        "A call counts for the innermost workflow, agent and tool around it: "
        "rows of one kind add up, those of two do not."
        f" In no step: {words.counted(found.outside, 'call')}."
    )
    return section(
        "steps",
        "By step",
        table("steps", "Steps and the calls inside", columns, rows),
        beyond(len(ranked)),
        about=about,
    )


_NO_CALLS = (Cell("0", 0), *(Cell(words.UNKNOWN) for _ in USAGE_COLUMNS[1:]))


def agents(report: Report) -> Html | None:
    """How often agents go round."""
    ranked = sorted(report.steps.loops.items(), key=lambda item: (-item[1].iterations.count, item[0]))
    if not ranked:
        return None
    rows = [
        (
            Cell(name),
            Cell(words.number(loops.iterations.count), loops.iterations.count),
            *_spread(loops),
            Cell(_tools(loops)),
        )
        for name, loops in ranked[:MOST_ROWS]
    ]
    columns = (
        Column("agent", is_figure=False),
        Column("runs"),
        Column("model calls per run", "mean"),
        Column("p95"),
        Column("most"),
        Column("1, 2, 3 ...", "how many runs made one call, two, three"),
        Column("tool calls per run", "mean"),
        Column("most"),
        Column("tools", is_figure=False),
    )
    return section(
        "agents",
        "Agent loops",
        table("agents", "Rounds that agents make", columns, rows),
        beyond(len(ranked)),
        about="Calls of models and tools that a run makes itself, without those of agents inside it.",
    )


def _spread(loops: Loops) -> list[Cell]:
    calls, tools = loops.iterations, loops.tool_calls
    before = [Cell(words.number(value), value) for value in (calls.mean, calls.quantile(0.95), calls.max)]
    after = [Cell(words.number(value), value) for value in (tools.mean, tools.max)]
    return [*before, Cell(_rounds(loops)), *after]


def _rounds(loops: Loops) -> Html:
    """A small bar for each number of calls; those from the last on are together."""
    counts = [0] * _MOST_ROUNDS
    for value, count in loops.iterations.counted():
        if value >= 1:
            counts[min(round(value), _MOST_ROUNDS) - 1] += count
    while counts and not counts[-1]:
        counts.pop()
    most = max(counts, default=1)
    bars = [
        tag("span", style=f"height:{count / most:.0%}", title=f"{calls} calls: {words.number(count)} runs")
        for calls, count in enumerate(counts, 1)
    ]
    said = ", ".join(f"{count} with {calls}" for calls, count in enumerate(counts, 1) if count)
    return tag("span", bars, class_="rounds", role="img", aria_label=f"runs by calls: {said}")


def _tools(loops: Loops) -> Html:
    named = [f"{name} {count:,}" for name, count in loops.tools.most_common(6)]
    return chips(named) if named else join(words.UNKNOWN)


def caches(report: Report) -> Html | None:
    """The program's own caches."""
    found = sorted(report.steps.caches.items(), key=lambda item: -sum(item[1].values()))
    if not found:
        return None
    rows = [
        (
            Cell(name),
            Cell(words.number(lookups := sum(results.values())), lookups),
            Cell(words.number(results["hit"]), results["hit"]),
            Cell(
                words.share(results["hit"] / lookups),
                results["hit"] / lookups,
                share=results["hit"] / lookups,
            ),
        )
        for name, results in found[:MOST_ROWS]
    ]
    columns = (Column("cache", is_figure=False), Column("look-ups"), Column("hits"), Column("hit rate"))
    return section("caches", "Caches", table("caches", "Look-ups in the program's caches", columns, rows))


def evaluations(report: Report) -> Html | None:
    """Evaluations and ratings."""
    if not report.evaluations:
        return None
    rows = [
        (
            Cell(name),
            Cell(words.number(results.count), results.count),
            Cell(words.UNKNOWN if results.mean is None else f"{results.mean:.3g}", results.mean),
            Cell(chips(f"{label} {count:,}" for label, count in results.labels.most_common(8))),
            Cell(words.number(results.failed), results.failed),
        )
        for name, results in sorted(report.evaluations.items(), key=lambda item: -item[1].count)[:MOST_ROWS]
    ]
    columns = (
        Column("evaluation", is_figure=False),
        Column("results"),
        Column("mean score"),
        Column("labels", is_figure=False),
        Column("failed", "evaluations that ended with an error"),
    )
    return section("evaluations", "Quality", table("evaluations", "Evaluations and ratings", columns, rows))


def slowest(report: Report, *, content: bool) -> Html | None:
    """The traces that took longest."""
    if not report.slowest:
        return None
    drawn = [
        waterfall(trace, is_open=place == 0, content=content) for place, trace in enumerate(report.slowest)
    ]
    about = "From the first start to the last end. The pale part of a bar is the time until the first chunk."
    return section("slowest", "Slowest traces", drawn, about=about)
