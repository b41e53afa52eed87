"""What a forked child must not go on with: its parent's locks and sums in the SDK's metrics.

Another thread of the parent may have held any of these locks when it forked, and nobody would ever release them in
the child; and a sum that both go on from is counted twice.  The SDK renews neither, and the places have no public
names: what is not where it was is left alone, and a test notices.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

_LOCK = "_lock"


def renew(meter_provider: Any, readers: Iterable[Any]) -> None:
    """Give the metrics of ``meter_provider`` new locks and let them start from zero."""
    consumer = getattr(meter_provider, "_measurement_consumer", None)
    _unlock(meter_provider, consumer)
    for storage in getattr(consumer, "_reader_storages", {}).values():
        _unlock(storage)
        for matches in getattr(storage, "_instrument_view_instrument_matches", {}).values():
            for match in matches:
                _unlock(match)
                getattr(match, "_attributes_aggregation", {}).clear()
    for reader in readers:
        _unlock(reader)  # of the one that keeps what it collects in memory
        _unlock(reader, name="_export_lock")


def _unlock(*owners: Any, name: str = _LOCK) -> None:
    for owner in owners:
        held = getattr(owner, name, None)
        if held is not None:
            setattr(owner, name, threading.RLock() if isinstance(held, _RLOCK) else threading.Lock())


_RLOCK = type(threading.RLock())
