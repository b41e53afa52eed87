"""How values are spread: every one of them while there are few, then buckets that are half a percent wide."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Final

_EXACT: Final = 20_000
_GROWTH: Final = math.log(1.01)  # of a bucket: what is in its middle is wrong by 0.5 % at most
_SMALLEST: Final = 1e-9


class Distribution:
    """Quantiles are by the nearest rank: the smallest value that is not below so many of all.

    :ivar is_exact: whether every value is still known.
    """

    def __init__(self, exact: int = _EXACT) -> None:
        self.count = 0
        self.sum = 0.0
        self.max = 0.0
        self.is_exact = True
        self._most = exact
        self._values = array("d")
        self._is_sorted = True
        self._buckets: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Note a value that is not negative."""
        self.count += 1
        self.sum += value
        if value > self.max:
            self.max = value
        if self.is_exact and len(self._values) < self._most:
            self._values.append(value)
            self._is_sorted = False
            return
        self._fold()
        self._buckets[_bucket(value)] += 1

    def join(self, other: Distribution) -> None:
        """Take in all values of another one."""
        if other.is_exact:
            for value, _ in other.counted():
                self.add(value)
            return
        self._fold()
        self.count += other.count
        self.sum += other.sum
        self.max = max(self.max, other.max)
        self._buckets.update(other._buckets)

    def _fold(self) -> None:
        if self.is_exact:
            self.is_exact = False
            self._buckets.update(map(_bucket, self._values))
            self._values = array("d")

    @property
    def mean(self) -> float | None:
        return self.sum / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """The value that ``share`` of all do not exceed; None where there is none."""
        rank = max(math.ceil(share * self.count - 1e-9), 1)
        for value, count in self.counted():
            rank -= count
            if rank <= 0:
                return value
        return None

    def share_within(self, limit: float) -> float | None:
        """How many of all are not above a limit, as a share."""
        if not self.count:
            return None
        return sum(count for value, count in self.counted() if value <= limit) / self.count

    def counted(self) -> Iterator[tuple[float, int]]:
        """Values in order, and how often each is there."""
        if not self.is_exact:
            yield from (
                (math.exp((key + 0.5) * _GROWTH), self._buckets[key]) for key in sorted(self._buckets)
            )
            return
        if not self._is_sorted:
            self._values = array("d", sorted(self._values))
            self._is_sorted = True
        yield from ((value, 1) for value in self._values)


def _bucket(value: float) -> int:
    return math.floor(math.log(max(value, _SMALLEST)) / _GROWTH)
