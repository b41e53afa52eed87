"""Charts over time: stacked bars, and lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from genai_otel.report import words
from genai_otel.report.html import Html, tag
from genai_otel.report.plot import (
    LEFT,
    RIGHT,
    WIDTH,
    Unit,
    bar,
    ceiling,
    even_ceiling,
    plot,
    seconds_axis,
    tick,
    y_of,
)

_DAY: Final = 86_400
_TICKS: Final = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, _DAY, 2 * _DAY, 7 * _DAY)
_MOST_TICKS: Final = 9

Point = tuple[float, float]


class Times(NamedTuple):
    """The stretches below a chart: their starts in seconds since the epoch, and how many seconds each is wide."""

    starts: Sequence[float]
    width: int

    @property
    def step(self) -> float:
        """How wide one is drawn."""
        return (WIDTH - LEFT - RIGHT) / max(len(self.starts), 1)


class Bars(NamedTuple):
    """What is stacked: its name, its colour's class, a value for each stretch."""

    name: str
    colour: str
    values: Sequence[float]


class Line(NamedTuple):
    """Seconds for each stretch; where nothing is known the line is interrupted."""

    name: str
    colour: str
    values: Sequence[float | None]


def bars_over_time(title: str, times: Times, stacked: Sequence[Bars], unit: Unit) -> Html:
    """A stack of bars per stretch of time."""
    sums = [sum(values) for values in zip(*(each.values for each in stacked), strict=True)]
    most = max(sums, default=0)
    top = even_ceiling(most) if unit is words.short else ceiling(most)
    drawn: list[Html] = []
    for place, start in enumerate(times.starts):
        left = LEFT + place * times.step
        base = 0.0
        for each in stacked:
            value = each.values[place]
            if value > 0:
                said = f"{words.minute(start)}: {unit(value)} {each.name}".rstrip()
                up = (base / top, (base + value) / top)
                drawn.append(bar((left, left + times.step), up, each.colour, said))
            base += value
    return plot(title, top, unit, [*drawn, *_times(times)])


def lines_over_time(title: str, times: Times, lines: Sequence[Line]) -> Html:
    """A line of durations for each."""
    known = [value for line in lines for value in line.values if value is not None]
    top = ceiling(max(known, default=0))
    drawn = [part for line in lines for part in _line(line, times, top)]
    return plot(title, top, seconds_axis, [*drawn, *_times(times)])


def _line(line: Line, times: Times, top: float) -> Iterator[Html]:
    points = [
        None if value is None else (LEFT + (place + 0.5) * times.step, y_of(value / top))
        for place, value in enumerate(line.values)
    ]
    for run in _runs(points):
        if len(run) > 1:
            joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            yield tag("polyline", points=joined, class_=f"line {line.colour}")
    for start, value, point in zip(times.starts, line.values, points, strict=True):
        if point is not None:
            said = f"{words.minute(start)}: {line.name} {words.seconds(value)}"
            x, y = point
            yield tag("circle", tag("title", said), cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.2, class_=line.colour)


def _runs(points: Sequence[Point | None]) -> Iterator[list[Point]]:
    run: list[Point] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []


def _times(times: Times) -> Iterator[Html]:
    """Round times of day, or days where the period has several."""
    if not times.starts:
        return
    period = times.starts[-1] - times.starts[0] + times.width
    every = next((each for each in _TICKS if each >= times.width and period / each <= _MOST_TICKS), None)
    every = every or math.ceil(period / _MOST_TICKS / times.width) * times.width
    for place, start in enumerate(times.starts):
        if start % every == 0 or len(times.starts) == 1:
            middle = 0 if every > times.width else 0.5
            yield tick(LEFT + (place + middle) * times.step, words.tick(start, every))
