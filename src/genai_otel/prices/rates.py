"""Applies the rates of a model to the usage of one call.

A rate is for a unit (``input_mtok``: a million input tokens), and units contain each other: cached tokens are input
tokens.  Each unit that has a rate is paid for what no more special unit with a rate is paid for.  The rules are those
of genai-prices, against which the tests hold them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

Usage = Mapping[str, float]
"""Unit → how many of it a call used: ``input_tokens`` with cached ones, ``output_tokens`` with thinking ones."""

Rate: TypeAlias = "float | Sequence[Any]"
"""US dollars for ``Unit.per`` of a unit, or ``[rate, [start, rate], ...]``: the last one whose ``start`` is below the
number of input tokens holds for all of them."""

COMPONENTS: Final = ("input", "cache_read", "cache_write", "output", "reasoning", "other")
"""What the cost of a call is made of; the components add up to it."""


class Unit(NamedTuple):
    """What a rate is for: the name of its usage, how many the rate buys, and what tells it from other units."""

    usage: str
    per: int
    dimensions: Mapping[str, str]

    def contains(self, other: Unit) -> bool:
        """Whether usage of the ``other`` unit is usage of this one, too."""
        return self.dimensions.items() <= other.dimensions.items()

    @property
    def component(self) -> str:
        """One of :data:`COMPONENTS`."""
        kind = self.dimensions.get("token_type", "")
        if kind in COMPONENTS:
            return kind
        direction = self.dimensions.get("direction", "other")
        return direction if direction in COMPONENTS else "other"


class UnsupportedUsage(Exception):
    """Usage that no rate of the model is for, or whose parts are more than the whole: its cost is not known."""


class _Item(NamedTuple):
    usage: str
    per: int
    component: str
    base: float
    tiers: tuple[tuple[float, float], ...]  # (start, rate), the highest first
    within: tuple[int, ...]  # places of the units that this one contains


class Rates:
    """The rates of one model at one time, ready to be applied.

    ``rates`` are by name of a unit in ``units``; ``least`` is what is paid for at least where there is any usage.
    """

    def __init__(
        self, rates: Mapping[str, Rate], units: Mapping[str, Unit], least: Mapping[str, float] | None = None
    ) -> None:
        priced = sorted(
            ((units[name], rate) for name, rate in rates.items()), key=lambda each: -len(each[0].dimensions)
        )
        self._items = tuple(
            _item(unit, rate, [place for place in range(number) if unit.contains(priced[place][0])])
            for number, (unit, rate) in enumerate(priced)
        )
        self._least = least or {}
        # Usage that is priced by none of ours is not free.
        self._covered = frozenset(
            unit.usage
            for unit in units.values()
            if any(mine.contains(unit) for mine, _ in priced) and unit.usage != "requests"
        )

    def cost(self, usage: Usage) -> dict[str, float]:
        """US dollars by component.

        Raises:
            UnsupportedUsage: some of the usage has no rate, or its parts are more than the whole.
        """
        for name, count in usage.items():
            if count and name not in self._covered:
                raise UnsupportedUsage(name)
        if self._least:
            usage = {
                name: max(count, self._least.get(name, 0)) if count else 0 for name, count in usage.items()
            }
        found: dict[str, float] = {}
        own: list[float] = []
        for item in self._items:
            count = 1 if item.usage == "requests" else usage.get(item.usage, 0)
            for place in item.within:
                count -= own[place]
            if count < 0:
                raise UnsupportedUsage(item.usage)
            own.append(count)
            if count:
                rate = item.base
                for start, dearer in item.tiers:
                    if usage.get("input_tokens", 0) > start:
                        rate = dearer
                        break
                found[item.component] = found.get(item.component, 0.0) + rate * count / item.per
        return found


def _item(unit: Unit, rate: Rate, within: list[int]) -> _Item:
    if isinstance(rate, Sequence):
        base, *tiers = rate
        ordered = sorted(((start, dearer) for start, dearer in tiers), reverse=True)
        return _Item(unit.usage, unit.per, unit.component, base, tuple(ordered), tuple(within))
    return _Item(unit.usage, unit.per, unit.component, rate, (), tuple(within))
