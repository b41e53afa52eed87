"""What a call cost that does not say it: by prices of the user's own, or nobody knows, by the pipeline's own rule."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from genai_otel.prices import books
from genai_otel.prices.own import NOTHING, Own
from genai_otel.prices.pricer import Pricer, Unpriced

_REASONS: Final = {
    "unknown_model": "unknown model",
    "unknown_provider": "unknown provider",
    "no_usage": "no usage",
    "unsupported_usage": "no rate for all of the usage",
}
_NOT_SAID: Final = "exported without its cost"


class Cost(NamedTuple):
    """US dollars, or the ``reason`` why nobody knows; neither where there was nothing to pay."""

    amount: float | None
    reason: str | None


class Prices:
    """Prices calls that do not say what they cost, by the user's ``own`` prices.

    ``pricer`` prices the calls of others as a live process does: those of ours say themselves what they cost.
    """

    def __init__(self, own: Own = NOTHING) -> None:
        self.pricer = Pricer(partial(books, own), own.models, says=False)

    def of(self, attributes: Mapping[str, Any], at: int, seconds: float) -> Cost:
        """The cost of a call that began ``at`` nanoseconds since the epoch."""
        found = self.pricer.price(attributes, at, seconds)
        if found is None:
            return Cost(None, None)
        if isinstance(found, Unpriced):
            return Cost(None, _REASONS.get(found.reason, found.reason))
        return Cost(found.amount, None) if found.source == "custom" else Cost(None, _NOT_SAID)


USUAL: Final = Prices()
"""Where the user has none."""
