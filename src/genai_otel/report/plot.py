"""The ground of a chart: SVG that we draw ourselves, without scripts and fonts, coloured by the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from genai_otel.report.html import Html, join, tag

WIDTH: Final = 560
LEFT: Final = 66
RIGHT: Final = 10
TOP: Final = 12
HEIGHT: Final = 140  # of the plot itself
_BELOW: Final = 24
_ROUND: Final = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10, 12)

Unit = Callable[[float], str]
"""Makes a text of a value."""


def plot(title: str, top: float, unit: Unit, drawn: Sequence[Html], above: int = 0) -> Html:
    """A chart whose values go from 0 to ``top``, with room ``above`` it."""
    return tag(
        "svg",
        tag("title", title),
        [_grid(part, unit(top * part) if part else "0") for part in (0, 0.5, 1)],
        drawn,
        viewBox=f"0 {-above} {WIDTH} {TOP + HEIGHT + _BELOW + above}",
        role="img",
        aria_label=title,
        class_="chart",
    )


def bar(across: tuple[float, float], up: tuple[float, float], colour: str, said: str) -> Html:
    """A bar between two places across and two shares of the height; ``said`` is what shows when one points at it."""
    left, right = across
    gap = min((right - left) * 0.15, 2)
    return tag(
        "rect",
        tag("title", said),
        x=f"{left + gap / 2:.2f}",
        y=f"{y_of(up[1]):.2f}",
        width=f"{max(right - left - gap, 0.5):.2f}",
        height=f"{max(y_of(up[0]) - y_of(up[1]), 0.7):.2f}",
        class_=colour,
    )


def tick(x: float, text: str) -> Html:
    """A text below the chart."""
    return tag("text", text, x=f"{x:.1f}", y=TOP + HEIGHT + 16, text_anchor="middle", class_="tick")


def y_of(part: float) -> float:
    """Where a share of the height is."""
    return TOP + HEIGHT * (1 - part)


def ceiling(value: float) -> float:
    """The next round number."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(factor * size for factor in _ROUND if value <= factor * size * 1.0001)


def even_ceiling(count: float) -> float:
    """The next round number whose half is a whole one."""
    top = math.ceil(ceiling(count) - 1e-9)
    return top + top % 2


def seconds_axis(value: float) -> str:
    """A round duration without needless digits."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= size * 0.999:
            return f"{round(value / size, 1):,g} {unit}"
    return f"{value:g} s"


def _grid(part: float, text: str) -> Html:
    y = y_of(part)
    return join(
        tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid"),
        tag("text", text, x=LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end", class_="tick"),
    )
