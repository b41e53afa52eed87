"""The figures that everybody asks for."""

from __future__ import annotations

from collections.abc import Iterator

from genai_otel.report import words
from genai_otel.report.distribution import Distribution
from genai_otel.report.figures import CACHED, INPUT, OUTPUT, REASONING, WRITTEN, Totals
from genai_otel.report.html import Html, tag
from genai_otel.report.report import Report


def headline(report: Report) -> Html:
    """The figures that everybody asks for."""
    totals = report.totals
    tiles = [
        _tile(
            "calls",
            "Model calls",
            words.number(totals.calls),
            totals.calls,
            f"in {words.counted(report.traces, 'trace')}",
        ),
        _tile("good", "Without error", words.share(totals.good_share), totals.good_share, _bad(totals)),
        _tile("input", "Input tokens", words.number(totals.used(INPUT)), totals.used(INPUT), *_input(totals)),
        _tile(
            "output",
            "Output tokens",
            words.number(totals.used(OUTPUT)),
            totals.used(OUTPUT),
            *_output(totals),
        ),
        _tile(
            "cost",
            "Cost",
            words.amount(totals.cost),
            totals.amount,
            *_cost(totals),
        ),
        _time_tile("latency", "Latency p95", totals.seconds),
        _time_tile("first_chunk", "First chunk p95", totals.first_chunk),
    ]
    return tag(
        "section",
        tag("h2", "Headline figures", class_="hidden"),
        tag("ul", tiles, class_="tiles"),
        id="headline",
    )


def _tile(name: str, title: str, shown: str, value: float | None, *under: str) -> Html:
    return tag(
        "li",
        tag("span", title, class_="title"),
        tag(
            "span", shown, class_="value", data_figure=name, data_value=None if value is None else repr(value)
        ),
        [tag("span", line, class_="under") for line in under if line],
    )


def _time_tile(name: str, title: str, spread: Distribution) -> Html:
    value = spread.quantile(0.95)
    if value is None:
        return _tile(name, title, words.UNKNOWN, None, "no call says it")
    others = [
        f"{word} {words.seconds(spread.quantile(share))}" for word, share in (("p50", 0.5), ("p99", 0.99))
    ]
    return _tile(
        name, title, words.seconds(value), value, *others, f"of {words.counted(spread.count, 'call')}"
    )


def _bad(totals: Totals) -> str:
    return f"{words.number(totals.bad)} failed or cut" if totals.bad else "none failed or cut"


def _input(totals: Totals) -> Iterator[str]:
    cached, whole = totals.used(CACHED), totals.used(INPUT)
    if cached is not None and whole:
        yield f"{words.number(cached)} read from cache ({words.share(cached / whole)})"
    if written := totals.used(WRITTEN):
        yield f"{words.number(written)} written to cache"
    yield from _silent(totals, INPUT)


def _output(totals: Totals) -> Iterator[str]:
    thought, whole = totals.used(REASONING), totals.used(OUTPUT)
    if thought is not None and whole:
        yield f"{words.number(thought)} thinking ({words.share(thought / whole)})"
    yield from _silent(totals, OUTPUT)


def _silent(totals: Totals, name: str) -> Iterator[str]:
    """What is not reported is unknown, and not in the sum."""
    if silent := totals.calls - totals.reporting[name]:
        yield f"not said by {words.counted(silent, 'call')}"


def _cost(totals: Totals) -> Iterator[str]:
    if totals.priced and totals.amount is not None:
        yield f"{words.amount({key: value / totals.priced for key, value in totals.cost.items()})} per priced call"
    if totals.unpriced:
        reasons = ", ".join(
            f"{words.number(count)} {reason}" for reason, count in totals.unpriced.most_common()
        )
        yield f"{words.counted(sum(totals.unpriced.values()), 'call')} unpriced: {reasons}"
