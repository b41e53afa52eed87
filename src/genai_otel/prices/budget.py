"""What may be spent in a window of time, for all and for each tenant: read from a setting."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from genai_otel.setting_values import shown

WINDOWS: Final = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
"""Seconds; a month is thirty days.  A window is the time before now, whatever the calendar says."""

_FORM: Final = re.compile(r"\s*\$?\s*(\d+(?:\.\d+)?)\s*(?:USD)?\s*(?:/|per)\s*(\w+)\s*", re.IGNORECASE)
ANY: Final = "*"


class BudgetError(ValueError):
    """A budget that cannot be; the text says what one is."""


class Limit(NamedTuple):
    """US dollars in a window of ``WINDOWS``."""

    amount: float
    window: str


class Budget(NamedTuple):
    """A limit for everything, None where there is none, and limits by tenant; ``*`` is every tenant without its own."""

    total: Limit | None
    tenants: Mapping[str, Limit]

    def of(self, tenant: str) -> Limit | None:
        """The limit of a tenant."""
        return self.tenants.get(tenant) or self.tenants.get(ANY)


def read(value: object) -> Budget:
    """``"100 USD/day"``, or ``{"total": "100 USD/day", "tenants": {"acme": "5 USD/hour", "*": "1 USD/day"}}``.

    Raises:
        BudgetError: it is neither.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            raise BudgetError("is no JSON") from None
    if isinstance(value, str):
        return Budget(_limit("", value), {})
    if not isinstance(value, Mapping):
        raise BudgetError(f"is {shown(value)}; allowed are a text such as '100 USD/day' and a mapping")
    given = dict(cast("Mapping[Any, Any]", value))
    total, tenants = given.pop("total", None), given.pop("tenants", {})
    if given:
        raise BudgetError(f"has {', '.join(map(shown, given))}; it may have total and tenants")
    if not isinstance(tenants, Mapping):
        raise BudgetError("tenants is no mapping of tenants to limits")
    limits = {
        str(name): _limit(f"tenants.{name} ", limit)
        for name, limit in cast("Mapping[Any, Any]", tenants).items()
    }
    return Budget(None if total is None else _limit("total ", total), limits)


def _limit(which: str, value: object) -> Limit:
    found = _FORM.fullmatch(value) if isinstance(value, str) else None
    window = found[2].lower() if found else ""
    if found is None or window not in WINDOWS or not 0 < float(found[1]) < math.inf:
        raise BudgetError(f"{which}is {shown(value)}; a limit is like '100 USD/day', of {', '.join(WINDOWS)}")
    return Limit(float(found[1]), window)
