"""Labels that the user allows: what the program said of the context, as labels of the metrics of every span below.

Only keys that a setting names, at most a hundred values of each in a process; what comes later is ``__other__``, so
sums stay right and a tenant more is never a series too many.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from genai_otel import safe
from genai_otel.ambient import NAMES
from genai_otel.processing.measure import Measure, Measurement, Values

MOST: Final = 100
LONGEST: Final = 64
OTHER: Final = "__other__"


class MetricKeys:
    """The allowed keys, in the words of ``genai_otel.context``, and the values that each has had.

    With ``http`` they are labels of HTTP requests, too.
    """

    def __init__(self, words: Iterable[str] = (), *, http: bool = False) -> None:
        self.http = http
        self.names = tuple(dict.fromkeys(NAMES.get(word, word) for word in words))
        self._seen: dict[str, set[str]] = {name: set() for name in self.names}

    def labels(self, values: Values) -> tuple[str, ...]:
        """Name, value, name, value … of what the span says."""
        found: list[str] = []
        for name, value in zip(self.names, values, strict=True):
            if value is not None:
                found += (name, self._bounded(name, value))
        return tuple(found)

    def _bounded(self, name: str, value: Any) -> str:
        label, seen = safe.label(value)[:LONGEST], self._seen[name]
        if label not in seen:
            if len(seen) >= MOST:
                return OTHER
            seen.add(label)
        return label

    def on(self, measure: Measure) -> Measure:
        """``measure`` with these labels."""
        if not self.names:
            return measure
        wrapped = {name: partial(self._of, of, len(self.names)) for name, of in measure.readers.items()}
        return measure._replace(names=(*measure.names, *self.names), **wrapped)

    def _of(self, of: Any, count: int, values: Values, *times: Any) -> list[Measurement]:
        found: list[Measurement] = of(values[:-count], *times)
        labels = self.labels(values[-count:])
        if not labels:
            return found
        return [
            (number, (instrument, identity, (*(extra or ()), *labels)))
            for number, (instrument, identity, extra) in found
        ]


NO_KEYS: Final = MetricKeys()
