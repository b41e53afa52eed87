"""Times that people write: moments, and lengths of time."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def seconds(text: str) -> float:
    """``90m``, ``24h``, ``7d``, ``2w``, ``800ms`` in seconds.

    :raises ValueError: it is no length of time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip())
    unit = _UNITS.get(found[2]) if found else None
    if found is None or unit is None:
        raise ValueError(f"{text!r} is no length of time, as 90m, 24h or 7d are")
    return float(found[1]) * unit


def moment(text: str) -> float:
    """``2026-11-23`` or ``2026-11-23T08:00:00+01:00`` in seconds since the epoch; without a zone it is UTC.

    :raises ValueError: it is no moment.
    """
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError(f"{text!r} is no moment, as 2026-11-23 or 2026-11-23T08:00:00+01:00 are") from error
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
