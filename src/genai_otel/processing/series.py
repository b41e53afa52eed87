"""Pre-aggregated series of our own: what a record costs under a microsecond, and what is right after a fork.

The SDK's instruments clean, copy and hash the labels on every record, go on from the parent's values in a forked
child and can hang it on an inherited lock (docs/decisions).  These series keep one slot per label set, found by a
plain tuple, and start at zero with new locks in a child.  :mod:`genai_otel.processing.collect` hands them to readers.

Cardinality is bounded per instrument; past the limit measurements fold into one ``otel.metric.overflow`` series, as
in the SDK.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final, Literal

from opentelemetry.trace import SpanContext, TraceFlags

from genai_otel import fence, safe
from genai_otel.metrics import Instrument
from genai_otel.processing.measure import Key, Reading, measured

OVERFLOW: Final = {"otel.metric.overflow": True}
DEFAULT_LIMIT: Final = 2000

ExemplarFilter = Literal["trace_based", "always_on", "always_off"]
"""As ``OTEL_METRICS_EXEMPLAR_FILTER``: which calls their metrics may point to."""

Found = tuple[float, int, "SpanContext | None"]
"""(value, time in ns, context of the span if it makes an exemplar)"""

Recorded = tuple[Reading, SpanContext]
"""What was read of one span, and its context."""

_VALUE: Final = itemgetter(0)
_END: Final = 3  # of a reading
_FOLD_EVERY: Final = 256
_INT64: Final = 2**63
_SAMPLED: Final = TraceFlags.SAMPLED


class Series:
    """One instrument with one label set: a histogram, or a counter when the instrument has no buckets."""

    __slots__ = ("attributes", "bounds", "buckets", "count", "exemplars", "max", "min", "start", "sum")

    def __init__(self, instrument: Instrument, attributes: dict[str, Any], start: int) -> None:
        self.attributes = attributes
        self.bounds = instrument.buckets or ()
        self.buckets = [0] * (len(self.bounds) + 1)
        self.exemplars: list[Found | None] = [None] * len(self.buckets)
        self.count = 0
        self.sum: float = 0
        self.min = float("inf")
        self.max = float("-inf")
        self.start = start

    def add(self, found: Sequence[Found]) -> None:
        """Count some values, later ones last; only under the sink's lock."""
        values = list(map(_VALUE, found))
        self.count += len(values)
        self.sum += sum(values)
        if not self.bounds:
            self.buckets[0] = self.count
            self.exemplars[0] = next((one for one in reversed(found) if one[2]), self.exemplars[0])
            return
        buckets = list(map(partial(bisect_left, self.bounds), values))
        for bucket in buckets:
            self.buckets[bucket] += 1
        self.min = min(self.min, *values)
        self.max = max(self.max, *values)
        for bucket, one in zip(buckets, found, strict=True):
            if one[2] is not None:
                self.exemplars[bucket] = one


class Snapshot:
    """The values of a series at one moment."""

    __slots__ = ("buckets", "count", "exemplars", "max", "min", "series", "sum", "time")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.count, self.sum, self.min, self.max = series.count, series.sum, series.min, series.max
        self.buckets = tuple(series.buckets)
        self.exemplars = tuple(series.exemplars)
        self.time = time.time_ns()


class SeriesSink:
    """Records measurements into series and gives them out, instrument by instrument.

    Recording is one atomic ``append``: no lock is waited for on the path of a call, so none can be held by a frame that
    a finaliser, a signal handler or a fork interrupts.  What was recorded is measured and folded into series a few
    hundred calls at a time, which costs a fraction of doing it for each, and when somebody collects.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, exemplars: ExemplarFilter = "trace_based") -> None:
        self._limit = limit
        # A call is an exemplar where (flags | always) & sampled is not 0.
        self._always = _SAMPLED if exemplars == "always_on" else 0
        self._sampled = 0 if exemplars == "always_off" else _SAMPLED
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._start = time.time_ns()
        self._recorded: deque[Recorded] = deque()
        self._by_key: dict[Key, Series] = {}
        self._by_labels: dict[Instrument, dict[object, Series]] = {}

    after_fork = _reset
    """A forked child counts from zero: its parent goes on counting what it had."""

    def record(self, reading: Reading, context: SpanContext) -> None:
        """Add what was read of one span."""
        recorded = self._recorded
        recorded.append((reading, context))
        if len(recorded) >= _FOLD_EVERY and self._lock.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._lock.release()

    def _fold(self) -> None:
        by_key = self._by_key
        found: defaultdict[Series, list[Found]] = defaultdict(list)
        try:
            for reading, context in self._taken():
                sampled = context if (context.trace_flags | self._always) & self._sampled else None
                try:
                    for value, key in measured(reading, context):
                        found[by_key.get(key) or self._series(key)].append((value, reading[_END], sampled))
                except Exception as error:  # noqa: BLE001 - one measurement less, not those after it
                    fence.report("pipeline.measure", error)
        finally:  # a signal handler may raise anywhere
            for series, values in found.items():
                series.add(values)

    def _taken(self) -> Iterator[Recorded]:
        for _ in range(len(self._recorded)):
            try:
                yield self._recorded.popleft()
            except IndexError:  # a collection that could not wait for the lock took it
                return

    def _series(self, key: Key) -> Series:
        instrument = key[0]
        attributes = labels(key)
        known = self._by_labels.setdefault(instrument.of or instrument, {})
        label_set: object = tuple(attributes.items())
        overflows = label_set not in known and len(known) >= self._limit - 1
        if overflows:
            attributes, label_set = dict(OVERFLOW), None
        series = known.get(label_set)
        if series is None:
            series = known[label_set] = Series(instrument, attributes, self._start)
        # Keys that overflow are not kept: there may be any number of them.
        if not overflows and len(self._by_key) < 2 * self._limit * len(self._by_labels):
            self._by_key[key] = series
        return series

    def settle(self) -> None:
        """Measure what has been recorded so far."""
        held = self._lock.acquire(timeout=0.5)
        try:
            self._fold()
        finally:
            if held:
                self._lock.release()

    def collect(self) -> dict[Instrument, list[Snapshot]]:
        """The values of all series by instrument."""
        # The lock may be held by a frame that a signal handler interrupted, so it is not insisted on.
        held = self._lock.acquire(timeout=0.5)
        try:
            self._fold()
            return {
                instrument: [Snapshot(series) for series in list(known.values())]
                for instrument, known in list(self._by_labels.items())
            }
        finally:
            if held:
                self._lock.release()


def labels(key: Key) -> dict[str, Any]:
    """The label set of a measurement; what the span does not say is not a label."""
    instrument, identity, extra = key
    found: dict[str, Any] = {}
    for name, value in zip(instrument.labels, identity, strict=True):
        if value is not None:
            found[name] = value if type(value) is int and abs(value) < _INT64 else safe.label(value)
    if extra is not None:
        found.update(zip(extra[::2], map(safe.label, extra[1::2]), strict=True))
    return found
