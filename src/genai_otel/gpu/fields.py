"""Values of NVML's fields: a union of C with its type beside it, and counters that start anew at 2**32."""

from __future__ import annotations

from typing import Any, Final

_MEMBERS: Final = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")
_WRAP: Final = 2**32


def value_of(field: Any) -> float | None:
    """The value that a field's type names; None for a type that is not known."""
    kind: int = field.valueType
    return getattr(field.value, _MEMBERS[kind], None) if 0 <= kind < len(_MEMBERS) else None


class Unwrapped:
    """A counter that may be one of 32 bits: where it falls, it has gone round, if it can have."""

    def __init__(self) -> None:
        self._last = 0
        self._rounds = 0

    def next(self, value: float | None) -> float | None:
        """What it has counted in all; None for once where it fell from more than 32 bits can hold: it was reset."""
        if value is None:
            return None
        last, self._last = self._last, int(value)
        if value < last:
            if last >= _WRAP:
                self._rounds = 0
                return None
            self._rounds += 1
        return value + self._rounds * _WRAP
