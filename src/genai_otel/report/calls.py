"""The parts of the page that are about calls: models, latency, outcomes."""

from __future__ import annotations

from genai_otel.report import words
from genai_otel.report.figures import CACHED, INPUT, NO_OUTCOME, OUTPUT, REASONING, Groups, Totals
from genai_otel.report.frame import beyond, card, section
from genai_otel.report.histogram import histogram
from genai_otel.report.html import Html, join, tag
from genai_otel.report.report import Model, Report
from genai_otel.report.tables import MOST_ROWS, Cell, Column, table

_OUTCOMES = ("completed", "closed", "abandoned", "cancelled", "cut", "failed", NO_OUTCOME)
_MEANINGS = {
    "completed": "the answer was read to its end",
    "closed": "the program stopped reading",
    "abandoned": "the stream was dropped",
    "cancelled": "the program cancelled the call",
    "cut": "the connection ended early: an error",
    "failed": "an error",
    NO_OUTCOME: "no error; another library's span, which does not say how the call ended",
}


USAGE_COLUMNS = (
    Column("calls"),
    Column("errors", "calls that failed or were cut"),
    Column("input", "input tokens, cached ones included; a dash where no call says it"),
    Column("cached", "of the input: read from the vendor's cache"),
    Column("output", "output tokens, thinking included"),
    Column("thinking", "of the output: reasoning tokens"),
    Column("cost", "of the priced calls"),
)


_TIMES = (
    Column("p50", "half of the calls are not slower"),
    Column("p95", "95 % of the calls are not slower"),
    Column("first chunk p95", "95 % of the streams have their first chunk by then"),
)


def usage(totals: Totals, most: int) -> list[Cell]:
    """The cells below :data:`USAGE_COLUMNS`; ``most`` calls are a whole bar."""
    unpriced = f"{words.number(sum(totals.unpriced.values()))} unpriced" if totals.unpriced else None
    return [
        Cell(words.number(totals.calls), totals.calls, share=totals.calls / most if most else None),
        Cell(
            words.number(totals.bad),
            totals.bad,
            under=words.share(totals.bad / totals.calls) if totals.bad and totals.calls else None,
        ),
        *(_tokens(totals, name) for name in (INPUT, CACHED, OUTPUT, REASONING)),
        Cell(words.amount(totals.cost), totals.amount, under=unpriced),
    ]


def _tokens(totals: Totals, name: str) -> Cell:
    used = totals.used(name)
    silent = totals.calls - totals.reporting[name]
    is_total = name in (INPUT, OUTPUT)
    under = f"not said by {words.number(silent)}" if is_total and silent and used is not None else None
    return Cell(words.number(used), used, under=under)


def models(report: Report) -> Html | None:
    """Calls by the model that was asked."""
    ranked = report.models.ranked()
    if not ranked:
        return None
    most = ranked[0][1].calls
    columns = (Column("model", is_figure=False), *USAGE_COLUMNS, *_TIMES)
    rows = [
        (
            Cell(model.name or "unknown model", under=_about(report, model)),
            *usage(totals, most),
            *_times(totals),
        )
        for model, totals in ranked[:MOST_ROWS]
    ]
    return section(
        "models",
        "By model",
        table("models", "Calls by the model that was asked", columns, rows),
        beyond(len(ranked), report.models.beyond.calls),
    )


def by(report: Report) -> Html | None:
    """Calls by the attributes that were asked for."""
    tables = [_by(key, groups) for key, groups in report.by.items() if groups]
    return section("by", f"By {', '.join(report.by)}", tables) if tables else None


def _by(key: str, groups: Groups[str]) -> Html:
    ranked = groups.ranked()
    rows = [
        (
            Cell(value or tag("span", "not said", class_="muted")),
            *usage(totals, ranked[0][1].calls),
            *_times(totals),
        )
        for value, totals in ranked[:MOST_ROWS]
    ]
    columns = (Column(key, is_figure=False), *USAGE_COLUMNS, *_TIMES)
    return join(table(key, f"Calls by {key}", columns, rows), beyond(len(ranked), groups.beyond.calls))


def _times(totals: Totals) -> list[Cell]:
    quantiles = (
        totals.seconds.quantile(0.5),
        totals.seconds.quantile(0.95),
        totals.first_chunk.quantile(0.95),
    )
    return [Cell(words.seconds(value), value) for value in quantiles]


def _about(report: Report, model: Model) -> Html:
    """Who serves it, for what, and by which names it answered where these are others."""
    answered = [name for name in report.answered.get(model, ()) if name != model.name]
    more = f" and {len(answered) - 3} more" if len(answered) > 3 else ""
    line = " · ".join(filter(None, (model.provider, model.operation)))
    return join(line, tag("br"), "answered by ", ", ".join(answered[:3]), more) if answered else join(line)


def latency(report: Report) -> Html | None:
    """How durations are spread."""
    totals = report.totals
    if not totals.calls:
        return None
    cards = [
        card(title, histogram(f"{title}: number of calls by seconds", spread))
        for title, spread in (("Whole call", totals.seconds), ("Until the first chunk", totals.first_chunk))
        if spread.count
    ]
    exact = totals.seconds.is_exact
    about = "Number of calls by duration; the axis is logarithmic. Quantiles are by the nearest rank"
    return section(
        "latency",
        "Latency",
        tag("div", cards, class_="cards"),
        about=about + (", exact." if exact else ", within 0.5 %."),
    )


def outcomes(report: Report) -> Html | None:
    """How calls ended."""
    totals = report.totals
    if not totals.calls:
        return None
    known = [*_OUTCOMES, *sorted(set(totals.outcomes) - set(_OUTCOMES))]
    found = [(name, totals.outcomes[name]) for name in known if totals.outcomes[name]]
    strip = tag(
        "div",
        [
            tag(
                "span",
                class_=f"outcome-{name}",
                style=f"width:{count / totals.calls:.3%}",
                title=f"{name}: {count:,}",
            )
            for name, count in found
            if name in _OUTCOMES
        ],
        class_="strip",
        aria_hidden="true",
    )
    rows = [
        (
            Cell(join(tag("i", class_=f"outcome-{name}" if name in _OUTCOMES else None), name)),
            Cell(words.number(count), count),
            Cell(words.share(count / totals.calls), count / totals.calls),
            _MEANINGS.get(name, ""),
        )
        for name, count in found
    ]
    columns = (
        Column("outcome", is_figure=False),
        Column("calls"),
        Column("share"),
        Column("meaning", is_figure=False),
    )
    return section(
        "outcomes",
        "Outcomes",
        strip,
        tag("div", table("outcomes", "How calls ended", columns, rows), _reasons(report), class_="columns"),
        _errors(report),
    )


def _reasons(report: Report) -> Html | None:
    if not report.reasons:
        return None
    rows = [(name, Cell(words.number(count), count)) for name, count in report.reasons.most_common(MOST_ROWS)]
    columns = (Column("finish reason", is_figure=False), Column("choices"))
    return table("reasons", "Why the model stopped", columns, rows)


def _errors(report: Report) -> Html | None:
    if not report.errors:
        return tag("p", "No call failed.", class_="note")
    ranked = sorted(report.errors.items(), key=lambda item: -item[1].count)
    rows = [
        (
            Cell(error.type),
            error.status or words.UNKNOWN,
            error.model or words.UNKNOWN,
            Cell(words.number(failures.count), failures.count),
            words.second(failures.first),
            words.second(failures.last),
            Cell(tag("code", f"{failures.trace_id:032x}")),
        )
        for error, failures in ranked[:MOST_ROWS]
    ]
    columns = (
        Column("error", is_figure=False),
        Column("status", "HTTP status", is_figure=False),
        Column("model", is_figure=False),
        Column("calls"),
        Column("first, UTC", is_figure=False),
        Column("last, UTC", is_figure=False),
        Column("trace of the last", is_figure=False),
    )
    return join(table("errors", "Errors", columns, rows), beyond(len(ranked)))
