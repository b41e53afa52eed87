"""What stands out, in a few sentences that are true by the figures below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from genai_otel.report import words
from genai_otel.report.html import Html, tag
from genai_otel.report.incidents import History
from genai_otel.report.objective import Objective
from genai_otel.report.report import Report


def summary(report: Report, objectives: Sequence[Objective], history: History | None = None) -> Html | None:
    """The sentences as a list; None where there are none."""
    found = [
        *_objectives(report, objectives),
        *(_incidents(history) if history is not None else ()),
        *(sentence for part in (_errors, _cost, _loops) for sentence in part(report)),
    ]
    return tag("ul", [tag("li", sentence) for sentence in found], class_="summary") if found else None


def _objectives(report: Report, objectives: Sequence[Objective]) -> Iterator[str]:
    missed = [each.name for each in objectives if each.reached(report).is_met is False]
    if missed:
        yield f"{len(missed)} of {len(objectives)} objectives missed: {', '.join(missed)}."
    elif objectives and all(each.reached(report).is_met for each in objectives):
        yield f"All {len(objectives)} objectives met." if len(objectives) > 1 else "The objective is met."


def _incidents(history: History) -> Iterator[str]:
    """How long something was wrong, and what for most of that time."""
    together = history.all
    if not together.count:
        yield "No alert fired."
        return
    (name, _), most = max(history.by_alert.items(), key=lambda item: item[1].down)
    of = f", {words.long(most.down)} of it {name}" if len(history.by_alert) > 1 else f": {name}"
    yield f"Alerts fired for {words.long(together.down)}{of}."


def _errors(report: Report) -> Iterator[str]:
    """The error that is at least a third of all."""
    counts: Counter[str] = Counter()
    for error, failures in report.errors.items():
        counts[f"{error.type} ({error.status})" if error.status else error.type] += failures.count
    for name, count in counts.most_common(1):
        if count * 3 >= report.totals.bad > 1:
            yield f"{words.number(count)} of {words.number(report.totals.bad)} errors are {name}."


def _cost(report: Report) -> Iterator[str]:
    """The model that most is paid for, and what is not in the sum."""
    totals = report.totals
    whole = totals.amount
    if whole:
        model, most = max(report.models.items(), key=lambda item: item[1].amount or 0)
        share, calls = (most.amount or 0) / whole, most.calls / totals.calls
        if len(report.models) > 1 and share > 0.4:
            yield f"{words.share(share)} of the cost is {model.name}, in {words.share(calls)} of the calls."
    if totals.cost and totals.unpriced:
        known, unknown = (
            words.amount(totals.cost),
            words.counted(sum(totals.unpriced.values()), "unpriced call"),
        )
        yield f"The cost is at least {known}, beside {unknown}."


def _loops(report: Report) -> Iterator[str]:
    """An agent that went round far more often than it usually does."""
    for name, loops in report.steps.loops.items():
        usual = loops.iterations.quantile(0.5)
        if usual and loops.iterations.max >= max(5 * usual, 10):
            most = words.number(loops.iterations.max)
            yield f"The agent {name} called models {most} times in one run; {words.number(usual)} are usual."
            return
