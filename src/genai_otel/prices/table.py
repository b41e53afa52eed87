"""Finds the rates of a model in a table of prices, at the time of a call and for the way in which it was made.

A table is JSON: ``units`` (name → usage, how many, dimensions) and ``providers``, each with ``names`` (a clause for the
provider's name), ``also`` (providers whose models it sells, too) and ``models``; a model has a ``match`` (a clause, its
own id where that is missing), ``prices`` (rates by unit, or a list of ``[from when, rates]``, of which the last that
holds counts) and ``variants`` (``[context, from when, rates]`` in place of single rates).  "From when" is a date, a
pair of times of the day (UTC), or null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timezone
from typing import Any, Final

from genai_otel.prices.clauses import holds
from genai_otel.prices.rates import Rate, Rates, Unit

Context = tuple[tuple[str, str], ...]
"""How a call was made, as far as prices depend on it: ``("service_tier", "flex")``, ``("processing", "batch")``."""

_MOST: Final = 1024
_COMPACT_DATE: Final = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


class Model:
    """A model of a table; ``id`` is the table's name of it."""

    def __init__(self, provider: str, raw: Mapping[str, Any], units: Mapping[str, Unit]) -> None:
        self.provider = provider
        self.id: str = raw["id"]
        self.match: Any = raw.get("match", f"={self.id.lower()}")
        self._raw = raw
        self._units = units
        self._rates: dict[tuple[int, ...], Rates] = {}

    @property
    def is_priced(self) -> bool:
        """Whether the table has any price of it."""
        return any(rates for _, rates in self._dated())

    @property
    def is_dated(self) -> bool:
        """Whether its rates depend on the time."""
        since = [each[0] for each in self._dated()] + [each[1] for each in self._variants]
        return any(each is not None for each in since)

    @property
    def contexts(self) -> list[Context]:
        """The ways to make a call for which there are other rates."""
        return list(dict.fromkeys(tuple(when.items()) for when, _, _ in self._variants))

    def rates(self, at: datetime, context: Context = ()) -> Rates:
        """The rates at a time, with a time zone, and for the ``context`` of a call."""
        key = self._places(at, context)
        found = self._rates.get(key)
        if found is None:
            found = self._rates[key] = Rates(self._chosen(*key), self._units, self._raw.get("least"))
        return found

    def now(self, at: datetime, context: Context = ()) -> Mapping[str, Rate]:
        """The same as the table has them: unit → rate."""
        return self._chosen(*self._places(at, context))

    def _places(self, at: datetime, context: Context) -> tuple[int, ...]:
        """The place of the prices that hold, and those of the variants."""
        dated = self._dated()
        standard = next((place for place in reversed(range(len(dated))) if _active(dated[place][0], at)), 0)
        asked = dict(context).items()
        variants = enumerate(self._variants if context else ())
        return standard, *(
            place for place, (when, since, _) in variants if _active(since, at) and when.items() <= asked
        )

    def _chosen(self, standard: int, *variants: int) -> dict[str, Rate]:
        chosen: dict[str, Rate] = dict(self._dated()[standard][1])
        for place in reversed(variants):  # of two that say the same the first counts
            chosen.update(self._variants[place][2])
        return chosen

    @property
    def _variants(self) -> Sequence[Any]:
        return self._raw.get("variants", ())

    def _dated(self) -> Sequence[Any]:
        prices = self._raw["prices"]
        return [(None, prices)] if isinstance(prices, Mapping) else prices


def _active(since: Any, at: datetime) -> bool:
    if since is None:
        return True
    now = at.astimezone(timezone.utc)
    if isinstance(since, str):
        return now.date() >= date.fromisoformat(since)
    start, end = map(time.fromisoformat, since)
    if end < start:
        return not end <= now.time() < start
    return start <= now.time() < end


def _dashed(found: re.Match[str]) -> str:
    """A date as vendors write it; gateways leave the dashes out."""
    try:
        return f"-{date(*map(int, found.groups())).isoformat()}"
    except ValueError:
        return found[0]


class Table:
    """A table of prices.  ``names`` maps a provider's name in the conventions to the table's, where it has another."""

    def __init__(self, raw: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
        units = {
            name: Unit(usage, per, dimensions) for name, (usage, per, dimensions) in raw["units"].items()
        }
        self.source: Mapping[str, str] = raw.get("source", {})
        self._providers: dict[str, Mapping[str, Any]] = {each["id"]: each for each in raw["providers"]}
        self._models = {
            each["id"]: [Model(each["id"], model, units) for model in each["models"]]
            for each in raw["providers"]
        }
        self._names = names or {}
        self._found: dict[tuple[str, str], Model | None] = {}

    @property
    def sellers(self) -> Iterable[str]:
        """The ids of all providers."""
        return self._providers.keys()

    @property
    def models(self) -> Iterable[Model]:
        """All of them."""
        return (model for models in self._models.values() for model in models)

    def names(self, provider: str) -> Any:
        """The clause of the names of a provider, by its id."""
        return self._providers[provider]["names"]

    def provider(self, name: str) -> str | None:
        """The table's id of a provider that is called ``name``."""
        name = self._names.get(name, name).lower().strip()
        if name in self._providers:
            return name
        return next((each["id"] for each in self._providers.values() if holds(each["names"], name)), None)

    def find(self, provider: str, model: str) -> Model | None:
        """The model that a provider, by the table's id, calls ``model``."""
        key = provider, model
        try:
            return self._found[key]
        except KeyError:
            if len(self._found) >= _MOST:  # model names may be the users' own
                self._found.clear()
        name = model.lower()
        found = self._matching(provider, name)
        if found is None and (dashed := _COMPACT_DATE.sub(_dashed, name)) != name:
            found = self._matching(provider, dashed)
        self._found[key] = found
        return found

    def _matching(self, provider: str, name: str) -> Model | None:
        for seller in (provider, *(self._providers[provider].get("also") or ())):
            for model in self._models.get(seller, ()):
                if holds(model.match, name):
                    return model
        return None
