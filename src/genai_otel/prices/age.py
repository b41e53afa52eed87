"""How old the prices are by which calls are priced, as a metric: stale ones are wrong ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from functools import partial

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from genai_otel import metrics, semconv
from genai_otel.prices.pricer import Book


def observe(meter: Meter, books: Callable[[], Sequence[Book]]) -> None:
    """Register the observable instrument; of prices without a date it says nothing."""
    meter.create_observable_gauge(
        metrics.PRICES_AGE, [partial(_ages, books)], "s", "Time since the date of the prices."
    )


def _ages(books: Callable[[], Sequence[Book]], _: CallbackOptions) -> Iterable[Observation]:
    for book in books():
        if book.date:
            since = datetime.fromisoformat(book.date).replace(tzinfo=timezone.utc).timestamp()
            yield Observation(max(time.time() - since, 0), {semconv.COST_SOURCE: book.source})
