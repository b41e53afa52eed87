"""What judges and users thought of responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel import semconv
from genai_otel.quality import names
from genai_otel.report.tally import Tally

_MOST: Final = 2_000
_MOST_SEEN: Final = 200_000


class Evaluation(NamedTuple):
    """One result; what it does not say is None.

    ``key`` is equal for what one result was written to: a log record, a span, an event of a span.
    """

    name: str
    score: float | None
    label: str | None
    error: str | None
    key: tuple[int, int, str]


class Results:
    """The results of one evaluation."""

    def __init__(self) -> None:
        self.count = 0
        self.scores = 0
        self.sum = 0.0
        self.failed = 0
        self.labels = Tally()

    def add(self, result: Evaluation) -> None:
        self.count += 1
        if result.score is not None:
            self.scores += 1
            self.sum += result.score
        if result.label is not None:
            self.labels.note(result.label)
        self.failed += result.error is not None

    @property
    def mean(self) -> float | None:
        return self.sum / self.scores if self.scores else None


class Evaluations(dict[str, Results]):
    """Results by the name of their evaluation; each counts once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[int, int, str]] = set()

    def add(self, result: Evaluation) -> None:
        _, time, _ = result.key
        if time:
            if result.key in self._seen:
                return
            if len(self._seen) < _MOST_SEEN:
                self._seen.add(result.key)
        found = self.get(result.name)
        if found is None:
            if len(self) >= _MOST:
                return
            found = self[result.name] = Results()
        found.add(result)


def evaluation(attributes: Mapping[str, Any], trace_id: int, time: int) -> Evaluation:
    """What the attributes of a result say; ``time`` is nanoseconds since the epoch, 0 where it is not known."""
    score = attributes.get(names.SCORE)
    label, error = attributes.get(names.LABEL), attributes.get(semconv.ERROR_TYPE)
    name = str(attributes.get(names.NAME, "unnamed"))
    told = attributes.get(names.ID)
    return Evaluation(
        name,
        float(score) if isinstance(score, (int, float)) else None,
        label if isinstance(label, str) else None,
        error if isinstance(error, str) else None,
        (trace_id, time, name) if told is None else (trace_id, 1, str(told)),
    )


def of_span(span: ReadableSpan) -> Iterator[Evaluation]:
    """The results that a span tells: its own, and those of its events."""
    trace_id = span.context.trace_id if span.context else 0
    attributes: Mapping[str, Any] = span.attributes or {}
    if names.NAME in attributes and span.name.startswith(names.SPAN_NAME):
        yield evaluation(attributes, trace_id, span.start_time or 0)
    for event in span.events:
        if event.name == names.EVENT:
            yield evaluation(event.attributes or {}, trace_id, event.timestamp)
