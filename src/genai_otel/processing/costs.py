"""What a call that was read has cost: reckoned once, by whoever needs it first, for the span and for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.trace import SpanContext

from genai_otel import metrics, semconv
from genai_otel.prices.pricer import Price, Priced, Unpriced
from genai_otel.prices.usage import NAMES

if TYPE_CHECKING:
    from genai_otel.processing.measure import Measurement, Reading, Values

_READ: Final = 4  # of a reading, before its price is known
_USED: Final = len(NAMES)
_COST: Final = metrics.COST
_UNPRICED: Final = metrics.COST_UNPRICED
_COMPONENT: Final = semconv.COST_COMPONENT
_WHO: Final = len(_COST.labels) - 1  # the first labels of a call are those of a cost


def price(reading: Reading) -> Price:
    """What a span that was read has cost."""
    if len(reading) > _READ:
        return reading[_READ]
    measure, values, start, end = reading
    if measure.pricer is None:
        return None
    used = values[measure.used : measure.used + _USED]
    priced = measure.pricer.of(used, start, (end - start) / 1e9)
    reading.append(priced)
    return priced


def spent(reading: Reading, context: SpanContext | None) -> Price:
    """The same, of which whoever adds it up is told."""
    measure, priced = reading[0], price(reading)
    if measure.note is not None and context is not None and isinstance(priced, Priced):
        measure.note(priced.amount, reading[1][measure.used - 1], context)
    return priced


def counted(values: Values, priced: Price) -> list[Measurement]:
    """The points of the counters, of a call of whom the first values tell."""
    if priced is None:
        return []
    who = values[:_WHO]
    if isinstance(priced, Unpriced):
        return [(1, (_UNPRICED, (*who, priced.reason), None))]
    identity = (*who, priced.source)
    return [(part, (_COST, identity, (_COMPONENT, name))) for name, part in priced.parts.items()]
