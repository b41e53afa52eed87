"""The same measurements in standard instruments, for a MeterProvider that the user owns."""

from __future__ import annotations

from typing import Any

from opentelemetry.metrics import Counter, Histogram, Meter
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from genai_otel.metrics import Instrument
from genai_otel.processing.measure import Key, Reading, measured
from genai_otel.processing.series import DEFAULT_LIMIT, labels


class InstrumentSink:
    """Records measurements with the instruments of ``meter``; its Views, readers and limits apply."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._instruments: dict[Instrument, Histogram | Counter] = {}
        self._labels: dict[Key, dict[str, Any]] = {}

    def record(self, reading: Reading, context: SpanContext) -> None:
        """Add what was read of one span; the provider's exemplar filter goes by its context."""
        around = set_span_in_context(NonRecordingSpan(context))
        for value, key in measured(reading, context):  # whose time the API takes itself
            instrument = key[0].of or key[0]
            target = self._instruments.get(instrument) or self._create(instrument)
            attributes = self._attributes(key)
            if isinstance(target, Histogram):
                target.record(value, attributes, context=around)
            else:
                target.add(value, attributes, context=around)

    def settle(self) -> None:
        """Nothing waits here: what was recorded has been measured."""

    def _create(self, instrument: Instrument) -> Histogram | Counter:
        if instrument.buckets:
            made: Histogram | Counter = self._meter.create_histogram(
                instrument.name,
                instrument.unit,
                instrument.description,
                explicit_bucket_boundaries_advisory=instrument.buckets,
            )
        else:
            made = self._meter.create_counter(instrument.name, instrument.unit, instrument.description)
        return self._instruments.setdefault(instrument, made)

    def _attributes(self, key: Key) -> dict[str, Any]:
        found = self._labels.get(key)
        if found is None:
            if len(self._labels) >= 4 * DEFAULT_LIMIT:
                self._labels.clear()
            found = self._labels[key] = labels(key)
        return found
