"""Jobs that a vendor does later: what they took is told whenever somebody looks, and counted the first time.

The conventions count tokens where they were used.  Of a batch nobody but the vendor sees that place, so its tokens
count where they become known: at the first look of this process at the finished job.
"""

from __future__ import annotations

from typing import Final

_MOST: Final = 10_000
_counted: dict[str, None] = {}


def first_look(job: str) -> bool:
    """Whether this process has not yet counted what ``job`` took; from now on it has."""
    if job in _counted:
        return False
    while len(_counted) >= _MOST:
        _counted.pop(next(iter(_counted)), None)
    _counted[job] = None
    return True
