"""``genai-otel prices``: which rates hold for a model, whether own prices are good, and newer prices."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from genai_otel.prices import books, bundled, compiled, refreshed
from genai_otel.prices.own import NOTHING, Own, PriceError, read
from genai_otel.prices.table import Model


def show(name: str, provider: str | None) -> int:
    """Print the rates that hold now of every model that is called ``name``; exit code 1 where there is none.

    Prices that ``GENAI_OTEL_PRICES`` names come first, as they do where calls are priced.
    """
    path = os.environ.get("GENAI_OTEL_PRICES", "").strip()
    try:
        own = read(path) if path else NOTHING
    except PriceError as error:
        print(f"GENAI_OTEL_PRICES: {error}", file=sys.stderr)
        return 1
    tables = [book.table for book in books(own)]
    known = {seller: None for table in tables for seller in table.sellers}
    if provider is not None and not any(table.provider(provider) for table in tables):
        print(f"no provider is called {provider!r}; known are {', '.join(known)}", file=sys.stderr)
        return 1
    names = [(provider, name), *own.models(provider, [name])]
    models: dict[int, Model] = {}
    for table in tables:
        for whose, called in names:
            sellers = table.sellers if whose is None else [table.provider(whose)]
            found = [table.find(seller, called) for seller in sellers if seller is not None]
            models |= {id(model): model for model in found if model is not None}
    for model in models.values():
        print("\n".join(_lines(model)), end="\n\n")
    print(_source(tables[-1].source))
    if not models:
        print(f"no model is called {name!r}: calls of it have no known price", file=sys.stderr)
    return 0 if models else 1


def check(path: str) -> int:
    """Say what is in a file of prices; exit code 1, and what is wrong in one line, where it cannot be used."""
    try:
        own = read(path)
    except PriceError as error:
        print(error, file=sys.stderr)
        return 1
    for line in _contents(own):
        print(line)
    print(f"good; GENAI_OTEL_PRICES={path} uses it")
    return 0


def _contents(own: Own) -> Iterator[str]:
    if own.whole is not None:
        yield f"a whole table, in place of the one that comes with genai-otel: {_source(own.whole['source'])}"
        return
    if own.date is not None:
        yield f"prices of {own.date}, when the file was written"
    known = bundled()
    for provider, models in own.providers.items():
        same = known.provider(provider)
        meant = "any provider" if provider == "*" else f"{provider}, {same}" if same else f"{provider} itself"
        yield f"{provider}: {len(models)} model{'s' * (len(models) != 1)}, for calls of {meant}"
    for alias in own.aliases:
        whose = alias.provider or "the same provider"
        yield f"{alias.pattern}: means {alias.model} of {whose}"


def _source(source: Mapping[str, Any]) -> str:
    """Whose prices they are, and of when."""
    name, version, licence, date, taken = map(source.get, ("name", "version", "licence", "date", "taken"))
    return f"{name} {version} ({licence}), prices of {date or 'an unknown date'}" + (
        f", taken on {taken}" if taken else ""
    )


def update(path: str | None, date: str | None) -> int:
    """Make a table of the genai-prices that is installed; exit code 1 where there is none.

    ``date`` is that of its release, where somebody knows it.
    """
    target = refreshed() if path is None else Path(path)
    try:
        import_module("genai_prices")
    except ImportError:
        print(
            "genai-prices is not installed: pip install 'genai-otel[prices]' (Python 3.11 or newer)",
            file=sys.stderr,
        )
        return 1
    print("reading genai-prices …", flush=True)
    table = compiled.compiled("")
    today = datetime.now(timezone.utc).date().isoformat()
    table["source"] |= {"date": date or compiled.newest(table, today), "taken": today}
    models = sum(len(provider["models"]) for provider in table["providers"])
    print(f"{_source(table['source'])}: {models} models of {len(table['providers'])} providers", flush=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    waiting = target.with_name(target.name + ".new")  # whoever reads it meanwhile finds a whole one
    compiled.write(table, waiting)
    waiting.replace(target)
    used = (
        "programs use it where it is newer than their own"
        if path is None
        else f"GENAI_OTEL_PRICES={target} uses it"
    )
    print(f"written to {target}; {used}")
    return 0


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
