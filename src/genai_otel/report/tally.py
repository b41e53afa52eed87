"""Counts by names that anybody may have made up: there are never more of them than fit."""

from __future__ import annotations

from collections import Counter
from typing import Final

_MOST: Final = 1_000
OTHERS: Final = "(others)"


class Tally(Counter[str]):
    """Counts by name; names that come after a thousand others are counted together."""

    def note(self, name: str, count: int = 1) -> None:
        """Count a name."""
        self[name if name in self or len(self) < _MOST else OTHERS] += count
