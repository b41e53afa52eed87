"""What is added up: calls, tokens, cost and times, over all, by model, by step, by error."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel import semconv
from genai_otel.report.distribution import Distribution
from genai_otel.report.tally import Tally
from genai_otel.report.unpriced import USUAL, Prices

_Key = TypeVar("_Key")

_MOST_GROUPS: Final = 2_000
_MOST_CURRENCIES: Final = 20
_BAD: Final = frozenset({"cut", "failed"})
NO_OUTCOME: Final = "ended"
"""Spans of other libraries do not say how a call ended, only whether with an error."""

INPUT, CACHED, WRITTEN, OUTPUT, REASONING = USAGE = (
    semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS,
    semconv.USAGE_REASONING_OUTPUT_TOKENS,
)


class Call:
    """One owning span in numbers; None is what it does not say.  What it cost may be known by ``prices``."""

    __slots__ = (
        "attributes",
        "cost",
        "currency",
        "first_chunk",
        "outcome",
        "seconds",
        "span",
        "start",
        "unpriced",
    )

    def __init__(self, span: ReadableSpan, prices: Prices = USUAL) -> None:
        attributes: Mapping[str, Any] = span.attributes or {}
        self.span = span
        self.attributes = attributes
        self.start = (span.start_time or 0) / 1e9
        self.seconds = max((span.end_time or 0) - (span.start_time or 0), 0) / 1e9
        self.first_chunk = _number(attributes.get(semconv.RESPONSE_TIME_TO_FIRST_CHUNK))
        self.cost = _number(attributes.get(semconv.COST_AMOUNT))
        self.unpriced: str | None = None
        if self.cost is None:
            self.cost, self.unpriced = prices.of(attributes, span.start_time or 0, self.seconds)
        self.currency = str(attributes.get(semconv.COST_CURRENCY, "USD"))
        said = attributes.get(semconv.OUTCOME)
        self.outcome: str = (
            said if isinstance(said, str) else NO_OUTCOME if span.status.status_code.value != 2 else "failed"
        )

    @property
    def is_bad(self) -> bool:
        return self.outcome in _BAD

    @property
    def model(self) -> str:
        """The model that was asked, else the one that answered."""
        found = self.attributes.get(semconv.REQUEST_MODEL)
        return found if isinstance(found, str) else self.answered or ""

    @property
    def answered(self) -> str | None:
        found = self.attributes.get(semconv.RESPONSE_MODEL)
        return found if isinstance(found, str) else None

    def tokens(self, name: str) -> int | None:
        count = self.attributes.get(name)
        if isinstance(count, float) and count.is_integer():  # other languages know one kind of number
            count = int(count)
        return count if type(count) is int and count >= 0 else None


class Totals:
    """The sums of many calls.

    :ivar tokens: sum by name of usage; a name that no call reports is absent.
    :ivar reporting: calls that report it, by name.
    :ivar cost: sum by currency, of the calls that are ``priced``.
    :ivar unpriced: calls whose cost nobody knows, by the reason; where nothing was to be paid a call is neither.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.bad = 0
        self.priced = 0
        self.unpriced: Counter[str] = Counter()
        self.outcomes = Tally()
        self.tokens: Counter[str] = Counter()
        self.reporting: Counter[str] = Counter()
        self.cost: dict[str, float] = {}
        self.seconds = Distribution()
        self.first_chunk = Distribution()

    def add(self, call: Call) -> None:
        self.calls += 1
        self.bad += call.is_bad
        self.outcomes.note(call.outcome)
        for name in USAGE:
            count = call.tokens(name)
            if count is not None:
                self.tokens[name] += count
                self.reporting[name] += 1
        if call.unpriced is not None:
            self.unpriced[call.unpriced] += 1
        elif call.cost is not None and (call.currency in self.cost or len(self.cost) < _MOST_CURRENCIES):
            self.priced += 1
            self.cost[call.currency] = self.cost.get(call.currency, 0.0) + call.cost
        self.seconds.add(call.seconds)
        if call.first_chunk is not None:
            self.first_chunk.add(call.first_chunk)

    @property
    def good_share(self) -> float | None:
        return (self.calls - self.bad) / self.calls if self.calls else None

    @property
    def amount(self) -> float | None:
        """What the priced calls cost; None where none is, or where they are not of one currency."""
        return next(iter(self.cost.values())) if len(self.cost) == 1 else None

    def used(self, name: str) -> int | None:
        """Tokens by name of usage; None where no call reports any."""
        return self.tokens[name] if name in self.reporting else None


class Groups(dict[_Key, Totals], Generic[_Key]):
    """Totals by key; what comes after so many keys is counted in ``beyond``."""

    def __init__(self) -> None:
        super().__init__()
        self.beyond = Totals()

    def of(self, key: _Key) -> Totals:
        found = self.get(key)
        if found is None:
            if len(self) >= _MOST_GROUPS:
                return self.beyond
            found = self[key] = Totals()
        return found

    def ranked(self) -> list[tuple[_Key, Totals]]:
        """Those with the most calls first."""
        return sorted(self.items(), key=lambda item: -item[1].calls)


def _number(value: object) -> float | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value < 0
    ):
        return None
    return float(value)
