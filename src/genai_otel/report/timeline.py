"""What happened when: sums per equal stretch of time, which grows with the period."""

from __future__ import annotations

from typing import Final

from genai_otel.report.distribution import Distribution
from genai_otel.report.figures import INPUT, OUTPUT, Call

# Each is a multiple of the one before, so that stretches can be joined.
_WIDTHS: Final = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800)
_MOST: Final = 96
_EXACT: Final = 1_000


class Stretch:
    """The calls that started in a stretch of time."""

    def __init__(self) -> None:
        self.calls = 0
        self.bad = 0
        self.input = 0
        self.output = 0
        self.cost: dict[str, float] = {}
        self.seconds = Distribution(_EXACT)

    def add(self, call: Call) -> None:
        self.calls += 1
        self.bad += call.is_bad
        self.input += call.tokens(INPUT) or 0
        self.output += call.tokens(OUTPUT) or 0
        if call.cost is not None:
            self.cost[call.currency] = self.cost.get(call.currency, 0.0) + call.cost
        self.seconds.add(call.seconds)

    def join(self, other: Stretch) -> None:
        self.calls += other.calls
        self.bad += other.bad
        self.input += other.input
        self.output += other.output
        for currency, amount in other.cost.items():
            self.cost[currency] = self.cost.get(currency, 0.0) + amount
        self.seconds.join(other.seconds)


class Timeline:
    """Stretches by their number since the epoch; ``width`` is theirs, in seconds."""

    def __init__(self) -> None:
        self.width = _WIDTHS[0]
        self.stretches: dict[int, Stretch] = {}
        self._range = (0, -1)

    def add(self, call: Call) -> None:
        place = int(call.start // self.width)
        low, high = self._range if self.stretches else (place, place)
        self._range = (min(low, place), max(high, place))
        while self._range[1] - self._range[0] >= _MOST:
            self._widen()
            place = int(call.start // self.width)
        found = self.stretches.get(place)
        if found is None:
            found = self.stretches[place] = Stretch()
        found.add(call)

    def all(self) -> list[tuple[float, Stretch]]:
        """Start in seconds since the epoch, and stretch, empty ones too."""
        if not self.stretches:
            return []
        low, high = self._range
        return [
            (place * self.width, self.stretches.get(place) or Stretch()) for place in range(low, high + 1)
        ]

    def _widen(self) -> None:
        before = self.width
        self.width = next((width for width in _WIDTHS if width > before), before * 2)
        factor = self.width // before
        joined: dict[int, Stretch] = {}
        for place, stretch in self.stretches.items():
            if place // factor in joined:
                joined[place // factor].join(stretch)
            else:
                joined[place // factor] = stretch
        self.stretches = joined
        self._range = (self._range[0] // factor, self._range[1] // factor)
