"""What a call cost, from what its span says: a pure function of attributes and time, or the reason why nobody knows.

The same function prices a span before it leaves and the reading that metrics are made of, so both have one figure.
Rates are kept by who answered and how the call was made, in a cache that is bounded: model names may be the users' own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import compress
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from genai_otel import fence, safe, semconv
from genai_otel.prices.rates import Rates, UnsupportedUsage
from genai_otel.prices.table import Context, Model, Table
from genai_otel.prices.usage import COUNTED, NAMES, OPERATION, PAID, UNITS, context

Reason = Literal["unknown_model", "unknown_provider", "no_usage", "unsupported_usage"]
Source = Literal["provider", "local", "custom"]

_MOST_KEPT: Final = 1024
_MOST_TOLD: Final = 256
_MOST: Final = 1e9  # US dollars; no call costs more
_MINUTE: Final = 60_000_000_000
_FOREVER: Final = 1 << 80
_NUMBERS: Final = frozenset({int, float})
_BATCH: Final = ("processing", "batch")
_AMOUNT: Final = semconv.COST_AMOUNT
_CURRENCY: Final = semconv.COST_CURRENCY
_SOURCE: Final = semconv.COST_SOURCE
_FAILED, _REPORTED, _KEY = range(3)


class Priced(NamedTuple):
    """What a call cost in US dollars, to 12 significant digits; its ``parts`` by component add up to it.

    ``date`` is that of the prices, None where they have none.
    """

    amount: float
    parts: Mapping[str, float]
    source: Source
    date: str | None


class Unpriced(NamedTuple):
    """Why nobody knows what a call cost."""

    reason: Reason


Price: TypeAlias = "Priced | Unpriced | None"
"""None where there is nothing to pay."""


class Book(NamedTuple):
    """A table of prices, what a cost by it says of its ``source``, and the ``date`` of its prices."""

    table: Table
    source: Source
    date: str | None


Aliases = Callable[[Any, Sequence[Any]], Iterable[tuple[Any, str]]]


class _Entry(NamedTuple):
    """The rates of one kind of call that begins between two times, or why there are none."""

    since: int
    until: int
    rates: Rates | Reason
    source: Source = "local"
    date: str | None = None


_NONE: Final = _Entry(0, 0, "unknown_model")


class Pricer:
    """Prices calls by the first of the ``books`` that knows the model; they are asked for when the first call is.

    ``aliases`` give provider and model behind the names that a call has, where they are others; ``compatible`` are
    families of attributes of others that spans have beside ours.  ``own`` knows the user's own prices and no others.
    With ``says`` it says once of each model that nobody knows what it costs.
    """

    def __init__(
        self,
        books: Callable[[], Sequence[Book]],
        aliases: Aliases | None = None,
        compatible: Sequence[str] = (),
        *,
        own: Pricer | None = None,
        says: bool = True,
    ) -> None:
        self.books = functools.cache(books)
        """Where it looks, read when it is asked for the first time."""
        self._aliases = aliases
        self._compatible = frozenset(compatible)
        self._entries: dict[tuple[Any, ...], _Entry] = {}
        self._told: set[object] = set()
        self.own = own
        self._says = says

    def price(self, attributes: Mapping[str, Any], at: int, seconds: float = 0.0) -> Price:
        """What a call with these attributes cost that began ``at`` nanoseconds since the epoch and took ``seconds``.

        None where nothing is to be paid: it failed before anything was used, or only looks something up.
        """
        return self.of(tuple(map(attributes.get, NAMES)), at, seconds)

    def of(self, values: tuple[Any, ...], at: int, seconds: float) -> Price:
        """As :meth:`price`, of the values of :data:`NAMES`."""
        key = values[_KEY:COUNTED]
        reported = values[_REPORTED]
        if reported is not None and type(reported) in _NUMBERS and 0 <= reported < _MOST:
            return Priced(_rounded(reported), {"other": reported}, "provider", None)
        try:
            entry = self._entries.get(key) or _NONE
        except TypeError:  # something stands there that cannot be a key
            known = (each if type(each) is str else None for each in key)
            return self.of((*values[:_KEY], *known, *values[COUNTED:]), at, seconds)
        since, until, rates, source, date = entry
        if not since <= at < until:
            since, until, rates, source, date = entry = self._entry(key, at)
        counts = values[COUNTED:]
        used = (*filter(None, counts),)
        if not _NUMBERS.issuperset(map(type, used)):  # on a span of any library
            counts = tuple(count if type(count) in _NUMBERS else None for count in counts)
            used = (*filter(None, counts),)
        if not used or isinstance(rates, str):
            return self._without(entry, values, seconds)
        try:
            parts = rates.of(tuple(compress(UNITS, counts)), (*used, seconds, 1))
        except UnsupportedUsage as unit:
            return self._unpriced("unsupported_usage", key, f", in {unit}")
        except OverflowError:  # of a number that is none of tokens
            return self._unpriced("unsupported_usage", key)
        amount = sum(parts.values())
        if 0 <= amount < _MOST:
            return Priced(float(f"{amount:.12g}"), parts, source, date)
        return self._unpriced("unsupported_usage", key)

    def told(self, priced: Price) -> dict[str, Any]:
        """What a span says of its cost; nothing where it is not known."""
        if not isinstance(priced, Priced):
            return {}
        amount, _, source, date = priced
        found: dict[str, Any] = {_AMOUNT: amount, _CURRENCY: "USD", _SOURCE: source}
        if date is not None:
            found[semconv.COST_PRICE_DATE] = date
        if "gen_ai.usage.cost" in self._compatible:
            said = "provider" if source == "provider" else "local"
            found |= {semconv.PROPOSED_COST_AMOUNT: amount, semconv.PROPOSED_COST_CURRENCY: "USD"}
            found[semconv.PROPOSED_COST_SOURCE] = said
        if "operation.cost" in self._compatible:
            found[semconv.OPERATION_COST] = amount
        return found

    def _without(self, entry: _Entry, values: tuple[Any, ...], seconds: float) -> Price:
        """Of a call that used nothing, or of a model that has no price."""
        key, counts, rates = values[_KEY:COUNTED], values[COUNTED:], entry.rates
        if not any(counts):
            silent = counts.count(None) == len(counts)
            if values[_FAILED] is not None or (silent and key[OPERATION] not in PAID):
                return None
            if not isinstance(rates, str) and (rates.per_call or not silent):
                parts = rates.of((), (seconds, 1)) or {"input": 0.0}
                return Priced(_rounded(sum(parts.values())), parts, entry.source, entry.date)
        return self._unpriced(rates if isinstance(rates, str) else "no_usage", key)

    def _entry(self, key: tuple[Any, ...], at: int) -> _Entry:
        if len(self._entries) >= _MOST_KEPT:  # model names may be the users' own
            self._entries.clear()
        found = self._entries[key] = self._look_up(key, at)
        return found

    def _look_up(self, key: tuple[Any, ...], at: int) -> _Entry:
        provider, answered, asked, *way = key
        how = context(*way)
        meant = () if self._aliases is None else self._aliases(provider, (asked, answered))
        names = [*meant, (provider, answered), (provider, asked)]
        found = _Entry(0, _FOREVER, "unknown_provider")
        for book in self.books():
            for whose, name in names:
                seller = book.table.provider(whose) if isinstance(whose, str) else None
                if seller is None or not isinstance(name, str):
                    continue
                model = book.table.find(seller, name)
                if model is None:
                    found = found._replace(rates="unknown_model")
                    continue
                found = _entry(book, model, how, at)
                if not isinstance(found.rates, str):
                    return found
        return found

    def _unpriced(self, reason: Reason, key: tuple[Any, ...], what: str = "") -> Unpriced:
        provider, answered, asked = key[:3]
        who = (provider, answered or asked)
        if self._says and who not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(who)
            fence.warn(
                f"calls of model {safe.label(who[1])!r} of {safe.label(provider)!r} have no known cost "
                f"({reason}{what}): they count in genai_otel.client.cost.unpriced{_ADVICE[reason]}"
            )
        return Unpriced(reason)


_PRICES: Final = "; GENAI_OTEL_PRICES can name a file with your own prices"
_ADVICE: Final[Mapping[Reason, str]] = {
    "unknown_model": _PRICES,
    "unknown_provider": _PRICES,
    "no_usage": "; nobody told what they used (of OpenAI's streams it is told where GENAI_OTEL_STREAM_USAGE asks)",
    "unsupported_usage": ", for there is no rate for all that they used" + _PRICES,
}


def _entry(book: Book, model: Model, how: Context, at: int) -> _Entry:
    start = at - at % _MINUTE
    since, until = (start, start + _MINUTE) if model.is_dated else (0, _FOREVER)
    rates = model.rates(datetime.fromtimestamp(at / 1e9, timezone.utc), how)
    if not rates.known:
        return _Entry(since, until, "unknown_model")
    if _BATCH in how:
        rates = rates.of_many()
    return _Entry(since, until, rates, book.source, book.date)


def _rounded(amount: float) -> float:
    return float(f"{amount:.12g}")
