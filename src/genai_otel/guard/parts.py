"""An oversize batch goes in several parts, because a backend refuses it as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

SPAN_BYTES: Final = 65_536
# Below the 4 MiB that gRPC servers take by default.
BATCH_BYTES: Final = 3_145_728

_T = TypeVar("_T")


def parts(sized: Iterable[tuple[_T, int]], limit: int) -> list[list[_T]]:
    """``(item, bytes)`` in order, in lists of at most ``limit`` bytes; an item that is larger is alone in its list."""
    found: list[list[_T]] = [[]]
    left = limit
    for item, size in sized:
        if size > left and found[-1]:
            found.append([])
            left = limit
        found[-1].append(item)
        left -= size
    return found
