"""Applies the rates of a model to the usage of one call.

A rate is for a unit (``input_mtok``: a million input tokens), and units contain each other: cached tokens are input
tokens.  Each unit that has a rate is paid for what no more special unit with a rate is paid for.  The rules are those
of genai-prices, against which the tests hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from operator import mul, truediv  # pyright: ignore[reportUnknownVariableType] - untyped there
from typing import Any, Final, NamedTuple, TypeAlias, cast

Usage = Mapping[str, float]
"""Unit → how many of it a call used: ``input_tokens`` with cached ones, ``output_tokens`` with thinking ones."""

Counts = tuple[float, ...]

Rate: TypeAlias = "float | Sequence[Any]"
"""US dollars for ``Unit.per`` of a unit, or ``[rate, [start, rate], ...]``: the last one whose ``start`` is below the
number of input tokens holds for all of them."""

COMPONENTS: Final = ("input", "cache_read", "cache_write", "output", "reasoning", "other")
"""What the cost of a call is made of; the components add up to it."""


PER_CALL: Final = {"requests": -1, "call_seconds": -2}
"""Usage that every call has, and its place behind the counts of all else."""

_DIVIDE: Final = cast("Callable[[float, int], float]", truediv)
_MOST_PLANS: Final = 256


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
    unit: Unit
    base: float
    tiers: tuple[tuple[float, float], ...]  # (start, rate), the highest first
    within: tuple[int, ...]  # places of the units that this one contains


class _Plan(NamedTuple):
    """What a call of some shape pays for: ``steps``, or nothing but ``rates`` where it can be as simple as that."""

    steps: tuple[_Step, ...]
    rates: tuple[float, ...] = ()
    per: tuple[int, ...] = ()
    components: tuple[str, ...] = ()


class _Step(NamedTuple):
    """One item of those that a call of some shape pays for."""

    place: int  # of its usage among the counts
    per: int
    component: str
    base: float
    tiers: tuple[tuple[float, float], ...]
    within: tuple[int, ...]  # places of the steps whose usage is paid for already


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
            if any(mine.contains(unit) for mine, _ in priced) and unit.usage not in PER_CALL
        )
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self.per_call = bool(priced) and all(unit.usage in PER_CALL for unit, _ in priced)
        """Whether a call is paid for whatever it used: by the request, or by the time that it took."""
        self.known = bool(priced)
        """Whether there is any rate."""
        starts = (tier[0] for item in self._items for tier in item.tiers)
        self._first_tier = min(starts, default=float("inf"))
        self._of_many = False

    def of_many(self) -> Rates:
        """The same for the usage of many requests together, of which nobody knows in which tier each was."""
        if self._first_tier == float("inf"):
            return self
        found = copy(self)
        vars(found)["_of_many"] = True
        return found

    def cost(self, usage: Usage, seconds: float = 0.0) -> dict[str, float]:
        """US dollars by component of a call that took ``seconds``.

        Raises:
            UnsupportedUsage: some of the usage has no rate, or its parts are more than the whole.
        """
        used = {name: count for name, count in usage.items() if count}
        return self.of(tuple(used), (*used.values(), seconds, 1))

    def of(self, names: tuple[str, ...], counts: Counts) -> dict[str, float]:
        """:meth:`cost` of usage by its ``names`` and ``counts``, with those of :data:`PER_CALL` behind."""
        steps, rates, per, components = self._plans.get(names) or self._plan(names)
        if rates and min(counts) >= 0:
            return dict(zip(components, map(_DIVIDE, map(mul, rates, counts), per), strict=False))
        if self._least:
            floors = (*(self._least.get(name, 0) for name in names), 0, 0)
            counts = tuple(map(max, counts, floors))
        if self._of_many and _input_of(names, counts) > self._first_tier:
            raise UnsupportedUsage("input_tokens")
        found: dict[str, float] = {}
        own: list[float] = []
        for place, many, component, rate, tiers, within in steps:
            count = counts[place]
            for inner in within:
                count -= own[inner]
            if count < 0:
                raise UnsupportedUsage(names[place])
            own.append(count)
            if count:
                if tiers:
                    rate = _reached(tiers, _input_of(names, counts), rate)  # noqa: PLW2901 - a tier's
                found[component] = found.get(component, 0.0) + rate * count / many
        return found

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        for name in names:
            if name not in self._covered and not self.per_call:
                raise UnsupportedUsage(name)
        places = {name: place for place, name in enumerate(names)} | PER_CALL
        numbers: dict[int, int] = {}
        steps: list[_Step] = []
        for number, (unit, base, tiers, within) in enumerate(self._items):
            if unit.usage in places:
                inner = tuple(numbers[each] for each in within if each in numbers)
                numbers[number] = len(steps)
                steps.append(_Step(places[unit.usage], unit.per, unit.component, base, tiers, inner))
        plan = _Plan(tuple(steps)) if self._least else _simplest(steps)
        if len(self._plans) < _MOST_PLANS:
            self._plans[names] = plan
        return plan


def _simplest(steps: list[_Step]) -> _Plan:
    """Where each count has its own rate, and one component, no loop is needed."""
    ordered = sorted(steps)
    simple = [step.place for step in ordered] == list(range(len(steps))) and not any(
        step.tiers or step.within for step in steps
    )
    components = tuple(step.component for step in ordered)
    if not simple or len(set(components)) < len(components):
        return _Plan(tuple(steps))
    rates, per = ([step.base for step in ordered], [step.per for step in ordered])
    return _Plan(tuple(steps), tuple(rates), tuple(per), components)


def _reached(tiers: tuple[tuple[float, float], ...], tokens: float, base: float) -> float:
    return next((rate for start, rate in tiers if tokens > start), base)


def _input_of(names: tuple[str, ...], counts: Counts) -> float:
    return counts[names.index("input_tokens")] if "input_tokens" in names else 0


def _item(unit: Unit, rate: Rate, within: list[int]) -> _Item:
    if isinstance(rate, Sequence):
        base, *tiers = rate
        ordered = sorted(((start, dearer) for start, dearer in tiers), reverse=True)
        return _Item(unit, base, tuple(ordered), tuple(within))
    return _Item(unit, rate, (), tuple(within))
