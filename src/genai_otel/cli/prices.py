"""``genai-otel prices``: which rates the table has for a model, and of what it is made."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, cast

from genai_otel.prices import bundled
from genai_otel.prices.table import Model


def show(name: str, provider: str | None) -> int:
    """Print the rates that hold now of every model that is called ``name``; exit code 1 where there is none."""
    table = bundled()
    sellers = list(table.sellers) if provider is None else [table.provider(provider)]
    if sellers == [None]:
        print(f"no provider is called {provider!r}; known are {', '.join(table.sellers)}", file=sys.stderr)
        return 1
    found = [table.find(seller, name) for seller in sellers if seller is not None]
    models = {(model.provider, model.id): model for model in found if model is not None}
    for model in models.values():
        print("\n".join(_lines(model)), end="\n\n")
    print("{name} {version} ({licence}), prices of {date}".format(**table.source))
    if not models:
        print(f"no model is called {name!r}: calls of it have no known price", file=sys.stderr)
    return 0 if models else 1


def _lines(model: Model) -> Iterator[str]:
    yield (
        f"{model.id} of {model.provider}, USD"
        if model.is_priced
        else f"{model.id} of {model.provider}: no price"
    )
    now = datetime.now(timezone.utc)
    usual = model.now(now)
    yield from _rates(usual)
    for context in model.contexts:
        rates = {unit: rate for unit, rate in model.now(now, context).items() if rate != usual.get(unit)}
        if rates:
            yield "  with " + ", ".join(f"{name} {value}" for name, value in context)
            yield from _rates(rates)


def _rates(rates: Mapping[str, Any]) -> Iterator[str]:
    for unit, rate in rates.items():
        base, *tiers = cast("list[Any]", [rate] if isinstance(rate, (int, float)) else rate)
        yield f"  {unit:<24} {base:>10g}"
        for start, dearer in tiers:
            yield f"    above {start:,} input tokens".ljust(27) + f"{dearer:>10g}"
