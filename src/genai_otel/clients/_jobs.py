"""Jobs that a vendor does later: what they took is told whenever somebody looks, and counted the first time.

The conventions count tokens where they were used.  Of a batch nobody but the vendor sees that place, so its tokens
count where they become known: at the first look of this process at the finished job.
"""

from __future__ import annotations

from typing import Final

from genai_otel.spec import Facts

_MOST: Final = 10_000
_counted: dict[object, None] = {}
_reading: dict[object, None] = {}


def first_look(job: str) -> bool:
    """Whether this process has not yet counted what ``job`` took; from now on it has."""
    if job in _counted:
        return False
    _keep(_counted, job)
    return True


def begin(facts: Facts, job: str) -> None:
    """The results of ``job`` are read one by one, which is a first look or is not."""
    _reading.pop(id(facts), None)
    if first_look(job):
        _keep(_reading, id(facts))


def counting(facts: Facts) -> bool:
    """Whether what is read into ``facts`` counts; asked only after :func:`begin`, so an old address tells nothing."""
    return id(facts) in _reading


def _keep(kept: dict[object, None], key: object) -> None:
    while len(kept) >= _MOST:
        kept.pop(next(iter(kept)), None)
    kept[key] = None
