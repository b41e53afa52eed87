"""Which calls cost something that nobody knows, by the rule that the pipeline counts them by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from genai_otel.prices import books
from genai_otel.prices.pricer import Pricer, Unpriced

_REASONS: Final = {
    "unknown_model": "unknown model",
    "unknown_provider": "unknown provider",
    "no_usage": "no usage",
    "unsupported_usage": "no rate for all of the usage",
}
_NOT_SAID: Final = "exported without its cost"


@cache
def pricer() -> Pricer:
    """Prices the calls of others as a live process does; those of ours say themselves what they cost."""
    return Pricer(books)


def unpriced(attributes: Mapping[str, Any], at: int, seconds: float) -> str | None:
    """Why nobody knows what a call cost that does not say it; None where there was nothing to pay."""
    found = pricer().price(attributes, at, seconds)
    if found is None:
        return None
    return _REASONS.get(found.reason, found.reason) if isinstance(found, Unpriced) else _NOT_SAID
