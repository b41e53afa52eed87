"""litellm's list of prices (``model_prices_and_context_window.json``) as a table: US dollars for one token.

What it knows beside prices is left out, as are prices of what no call tells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from genai_otel.prices.source import Source
from genai_otel.setting_values import shown

_TOKENS: Final = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
}
_EACH: Final = {
    "input_cost_per_request": "request",
    "input_cost_per_second": "audio_second",
    "search_cost": "web_search",
    "file_search_cost_per_1k_calls": "file_search",
}
_MANY: Final = {"file_search": 1000}
_WAYS: Final = {
    "batches": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
_TIER: Final = re.compile(r"(.+)_above_(\d+)k_tokens")
_WAY: Final = re.compile(rf"(.+)_({'|'.join(_WAYS)})")


def is_meant(content: Mapping[str, Any]) -> bool:
    """Whether this is litellm's list, or a part of it."""
    return any(isinstance(each, Mapping) and "litellm_provider" in each for each in content.values())


def providers(source: Source, units: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The models of each provider as a table has them.

    Raises:
        PriceError: a price is no number.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for name, given in source.content.items():
        if not isinstance(given, Mapping) or name == "sample_spec":
            continue
        fields = cast("Mapping[str, Any]", given)
        prices, ways = _rates(source, name, fields)
        if prices.keys() & units.keys():
            provider = str(fields.get("litellm_provider", "*"))
            names = {name.lower(), name.rpartition("/")[2].lower()}
            found.setdefault(provider, []).append({
                "id": name,
                "match": [f"={each}" for each in sorted(names)],
                "prices": prices,
                "variants": [[_WAYS[way], None, rates] for way, rates in ways.items()],
            })  # fmt: skip
    return found


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields, and the one price of a search, where it does not depend on how much is read of what was found."""
    yield from fields.items()
    sizes = fields.get("search_context_cost_per_query")
    prices: list[Any] = list(sizes.values()) if isinstance(sizes, Mapping) else []  # pyright: ignore[reportUnknownArgumentType] - any mapping
    if prices and prices == prices[:1] * len(prices):
        yield "search_cost", prices[0]


def _rates(
    source: Source, name: str, fields: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    rates: dict[str, Any] = {}
    ways: dict[str, dict[str, Any]] = {}
    tiers: list[tuple[str, int, float]] = []
    for field, value in _flat(fields):
        way, tier = _WAY.fullmatch(field), _TIER.fullmatch(field)
        base = way[1] if way else tier[1] if tier else field
        unit = _TOKENS.get(base) or _EACH.get(base)
        if unit is None or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise source.wrong((name, field), f"is {shown(value)}; it must be a number, 0 or more")
        rate = value * 1e6 if base in _TOKENS else value / _MANY.get(unit, 1)
        if way:
            ways.setdefault(way[2], {})[unit] = rate
        elif tier:
            tiers.append((unit, int(tier[2]) * 1000, rate))
        else:
            rates[unit] = rate
    for unit, start, rate in sorted(tiers):
        if unit in rates:
            below: Sequence[Any] = rates[unit] if isinstance(rates[unit], list) else [rates[unit]]
            rates[unit] = [*below, [start, rate]]
    return rates, ways
