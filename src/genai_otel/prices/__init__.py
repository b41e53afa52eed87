"""What a call costs in US dollars: a table of prices, and how usage is priced by it.

The table that comes with us is made of genai-prices' data (:mod:`genai_otel.prices.compiled`); its ``source`` says of
which version, of when and under which licence.  :mod:`genai_otel.prices.table` finds the rates of a model in it,
:mod:`genai_otel.prices.rates` applies them.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genai_otel import fence
from genai_otel.prices.pricer import Book
from genai_otel.prices.table import Table

if TYPE_CHECKING:
    from genai_otel.prices.own import Own

_NAMES: Final = {
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gen_ai": "google",
    "fireworks_ai": "fireworks",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
}
"""Providers of the conventions that the table's own clauses do not recognise."""


@functools.cache
def bundled() -> Table:
    """The table that comes with us; reading it takes a few milliseconds, once."""
    from importlib.resources import files

    text = (files(__name__) / "table.json").read_text(encoding="utf-8")
    return Table(json.loads(text), _NAMES)


def refreshed() -> Path:
    """Where ``genai-otel prices update`` puts a newer table, of this user."""
    home = os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(home).expanduser() / "genai-otel" / "prices.json"


@functools.cache
def current() -> Table:
    """The newer of the table that comes with us and the one that the user has refreshed."""
    known = bundled()
    path = refreshed()
    if not path.is_file():
        return known
    from genai_otel.prices.own import PriceError, read

    try:
        own = read(path).whole
    except PriceError as error:
        fence.warn(f"prices that were updated cannot be used; those that come with genai-otel hold: {error}")
        return known
    newer = own is not None and _version(own["source"]) > _version(known.source)
    return Table(own, _NAMES) if own is not None and newer else known


def _version(source: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(source.get("version"))))


def books(own: Own | None = None) -> list[Book]:
    """Where a pricer looks prices up, in that order: ``own`` prices of the user's, then those that come with us."""
    known = current() if own is None or own.whole is None else Table(own.whole, _NAMES)
    found = [Book(known, "local", known.source.get("date") or None)]
    if own is not None and own.providers:
        from genai_otel.prices.own import UNITS

        raw = {"units": UNITS, "providers": [_provider(known, *each) for each in own.providers.items()]}
        found.insert(0, Book(Table(raw), "custom", own.date))
    return found


def _provider(known: Table, name: str, models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A provider of the user's by every name that means the same one to the table that we bring."""
    if name == "*":
        return {"id": name, "names": "~", "models": models}
    seller = known.provider(name)
    names: Any = f"={name}"
    if seller is not None:
        names = [names, f"={seller}", known.names(seller) or []]
        names += [f"={other}" for other, meant in _NAMES.items() if meant == seller]
    return {"id": name, "names": names, "also": ["*"], "models": models}
