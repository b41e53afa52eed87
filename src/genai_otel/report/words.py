"""Figures as people read them, with their units; what is unknown is a dash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Final

from genai_otel.console.facts import duration, money

UNKNOWN: Final = "\u2013"
_LARGE: Final = ((1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"))


def number(value: float | None) -> str:
    """1,234,567 in full; 12.3 M from ten million on."""
    if value is None:
        return UNKNOWN
    for size, unit in _LARGE:
        if value >= size and value >= 10_000_000:
            return f"{value / size:.3g} {unit}" if value < size * 1000 else f"{value / size:,.0f} {unit}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def counted(count: int, what: str) -> str:
    """1 call, 2 calls."""
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def short(value: float) -> str:
    """For the axis of a chart: 250, 1.5 k, 20 M."""
    for size, unit in (*_LARGE, (1_000, "k")):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"


def seconds(value: float | None) -> str:
    return UNKNOWN if value is None else duration(value)


def share(value: float | None) -> str:
    """A share in percent, never rounded to all or nothing."""
    if value is None:
        return UNKNOWN
    if value in (0, 1):
        return f"{value:.0%}"
    text = f"{value:.1%}" if 0.001 <= value <= 0.999 else f"{value:.2%}"
    return {"0.00%": "<0.01%", "100.00%": ">99.99%"}.get(text, text)


def amount(cost: Mapping[str, float]) -> str:
    """An amount of money, one per currency."""
    return " + ".join(money(value, currency) for currency, value in sorted(cost.items())) or UNKNOWN


def brief(cost: Mapping[str, float]) -> str:
    """The same for the axis of a chart, without needless zeros."""
    return re.sub(r"\.(\d*?)0+(?!\d)", lambda found: f".{found[1]}" if found[1] else "", amount(cost))


def minute(moment: float) -> str:
    return _utc(moment).strftime("%Y-%m-%d %H:%M")


def second(moment: float) -> str:
    return _utc(moment).strftime("%Y-%m-%d %H:%M:%S")


def tick(moment: float, width: int) -> str:
    """A time on an axis with a mark every so many seconds."""
    time = _utc(moment)
    if width >= 43_200 or (width >= 3_600 and time.hour == 0):
        return time.strftime("%b %d")
    return time.strftime("%H:%M:%S" if width < 60 else "%H:%M")


def long(value: float | None) -> str:
    """Minutes, hours and days: 12 min, 3 h 05 min, 2 d 4 h."""
    if value is None:
        return UNKNOWN
    if value < 60:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def stretch(width: int) -> str:
    """A length of time in its largest whole unit: 15 min, 3 h, 1 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if width >= size and width % size == 0:
            return f"{width // size} {unit}"
    return f"{width} s"


def _utc(moment: float) -> datetime:
    try:
        return datetime.fromtimestamp(moment, timezone.utc)
    except (OverflowError, OSError, ValueError):  # a clock that was far off
        return datetime.fromtimestamp(0, timezone.utc)
