"""How durations are spread, on a logarithmic axis, with three quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from genai_otel.report import words
from genai_otel.report.distribution import Distribution
from genai_otel.report.html import Html, tag
from genai_otel.report.plot import (
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    bar,
    even_ceiling,
    plot,
    seconds_axis,
    tick,
)

_PER_DECADE: Final = 12
_SHORTEST: Final = 1e-6  # seconds
_LETTER: Final = 6.6  # the width of one in a chart's text
_ABOVE: Final = 38  # room for the names of quantiles
_QUANTILES: Final = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))

Across = Callable[[float], float]
"""Where a duration is."""


def histogram(title: str, spread: Distribution) -> Html:
    """The chart of a distribution that has values."""
    low, counts = _counted(spread)
    top = even_ceiling(max(counts))
    step = (WIDTH - LEFT - RIGHT) / len(counts)

    def across(value: float) -> float:
        return LEFT + (math.log10(max(value, _SHORTEST)) * _PER_DECADE - low) * step

    drawn = [
        bar(
            (LEFT + place * step, LEFT + (place + 1) * step),
            (0, count / top),
            "time",
            _said(low + place, count),
        )
        for place, count in enumerate(counts)
        if count
    ]
    drawn += _quantiles(spread, across)
    drawn += _decades(low, low + len(counts), across)
    return plot(title, top, words.short, drawn, above=_ABOVE)


def _counted(spread: Distribution) -> tuple[int, list[int]]:
    """The place of the first bar, in twelfths of a decade, and how many are in each."""
    places = [
        (math.floor(math.log10(max(value, _SHORTEST)) * _PER_DECADE + 1e-9), count)
        for value, count in spread.counted()
    ]
    low, high = places[0][0] - 1, places[-1][0] + 1
    counts = [0] * (high - low + 1)
    for place, count in places:
        counts[place - low] += count
    return low, counts


def _said(place: int, count: int) -> str:
    begin, end = (words.seconds(10 ** (each / _PER_DECADE)) for each in (place, place + 1))
    return f"{begin} to {end}: {words.counted(count, 'call')}"


def _quantiles(spread: Distribution, across: Across) -> Iterator[Html]:
    """The line of each, and its text beside it on the first level that is free there."""
    ends = [-math.inf] * len(_QUANTILES)
    for quantile, name in _QUANTILES:
        value = spread.quantile(quantile)
        if value is None:
            continue
        x = across(value)
        text = f"{name} {words.seconds(value)}"
        wide = len(text) * _LETTER + 6
        begin = min(x + 4, WIDTH - RIGHT - wide)
        level = next((place for place, end in enumerate(ends) if begin > end), 0)
        ends[level] = begin + wide
        y = TOP - 28 + level * 13
        yield tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=y - 8, y2=TOP + HEIGHT, class_="quantile")
        yield tag("text", text, x=f"{begin:.1f}", y=y, class_="mark")


def _decades(low: int, high: int, across: Across) -> Iterator[Html]:
    factors = (1,) if high - low > 3 * _PER_DECADE else (1, 2, 5)
    for power in range(math.floor(low / _PER_DECADE), math.ceil(high / _PER_DECADE) + 1):
        for factor in factors:
            value = factor * 10.0**power
            if LEFT - 1 <= across(value) <= WIDTH - RIGHT + 1:
                yield tick(across(value), seconds_axis(value))
