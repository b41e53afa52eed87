"""What a call costs in US dollars: a table of prices, and how usage is priced by it.

The table that comes with us is made of genai-prices' data (:mod:`genai_otel.prices.compiled`); its ``source`` says of
which version, of when and under which licence.  :mod:`genai_otel.prices.table` finds the rates of a model in it,
:mod:`genai_otel.prices.rates` applies them.
"""

from __future__ import annotations

import functools
import json
from typing import Final

from genai_otel.prices.pricer import Book
from genai_otel.prices.table import Table

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


def books() -> list[Book]:
    """Where a pricer looks prices up, in that order."""
    table = bundled()
    return [Book(table, "local", table.source.get("date"))]
