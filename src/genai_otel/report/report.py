"""All that a page shows, added up trace by trace."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel import semconv
from genai_otel.report.evaluations import Evaluation, Evaluations, of_span
from genai_otel.report.figures import Call, Groups, Totals
from genai_otel.report.steps import Steps, is_look_up, step_of
from genai_otel.report.tally import Tally
from genai_otel.report.timeline import Timeline
from genai_otel.report.traces import Trace, id_of, is_call
from genai_otel.report.unpriced import USUAL, Prices

SERVICE_NAME: Final = "service.name"
_MOST_KEYS: Final = 2_000
_MOST_ANSWERED: Final = 100


class Model(NamedTuple):
    """What is one row of models; its name is what was asked for, so that failed calls stand with the others."""

    name: str
    provider: str
    operation: str


class Error(NamedTuple):
    """What is one row of errors."""

    type: str
    status: str
    model: str


class Failures:
    """How often an error came, when first and last (seconds since the epoch), and in which trace last."""

    def __init__(self) -> None:
        self.count = 0
        self.first = float("inf")
        self.last = 0.0
        self.trace_id = 0

    def add(self, call: Call) -> None:
        self.count += 1
        self.first = min(self.first, call.start)
        if call.start >= self.last:
            self.last = call.start
            self.trace_id = call.span.context.trace_id if call.span.context else 0


class Window(NamedTuple):
    """What is looked at: traces that start in this time (seconds since the epoch), and calls of a service.

    Calls are grouped ``by`` attributes, too: those of their span, else those of its resource.
    """

    since: float = 0.0
    until: float = float("inf")
    service: str | None = None
    by: tuple[str, ...] = ()

    def holds(self, time: int) -> bool:
        """Whether a moment, in nanoseconds since the epoch, is in it."""
        return self.since <= time / 1e9 < self.until


class Report:
    """The figures of a period; calls that do not say what they cost are priced by ``prices``.

    :ivar spans: spans read, in the window.
    :ivar uncounted: spans of calls that another span counts.
    :ivar split: parts of traces that were counted by themselves.
    :ivar start: seconds since the epoch at which the first call starts; ``end`` at which the last one ends.
    :ivar slowest: traces with calls of models or steps, the slowest first once :meth:`close` was called.
    """

    def __init__(self, window: Window | None = None, slowest: int = 10, prices: Prices = USUAL) -> None:
        self.window = window or Window()
        self.prices = prices
        self.spans = 0
        self.traces = 0
        self.uncounted = 0
        self.split = 0
        self.totals = Totals()
        self.models: Groups[Model] = Groups()
        self.by: dict[str, Groups[str]] = {key: Groups() for key in self.window.by}
        self.answered: dict[Model, dict[str, None]] = {}
        self.steps = Steps()
        self.errors: dict[Error, Failures] = {}
        self.reasons = Tally()
        self.services = Tally()
        self.evaluations = Evaluations()
        self.timeline = Timeline()
        self.start = float("inf")
        self.end = 0.0
        self.slowest: list[Trace] = []
        self._most_slow = slowest
        self._slow: list[tuple[float, int, Trace]] = []

    def add(self, trace: Trace) -> None:
        """Count a trace, if it starts in the window."""
        if not self.window.holds(trace.start):
            return
        self.spans += len(trace.spans)
        calls: dict[int, Call] = {}
        is_genai = False
        for span in trace.spans.values():
            attributes: Mapping[str, Any] = span.attributes or {}
            is_genai = is_genai or step_of(span) is not None or is_look_up(span)
            for result in of_span(span):
                self.evaluations.add(result)
            if is_call(span) and self._serves(span):
                calls[id_of(span)] = Call(span, self.prices)
            elif attributes.get(semconv.OWNER) is False:
                self.uncounted += 1
        if not calls and not is_genai:
            return
        self.traces += 1
        for call in calls.values():
            self._count(call)
        self.steps.add(trace, calls)
        self._keep(trace)

    def evaluate(self, result: Evaluation) -> None:
        """Count a result that came as a log record, if it is of the window or says no time."""
        _, time, _ = result.key
        if not time or self.window.holds(time):
            self.evaluations.add(result)

    def close(self, split: int = 0) -> None:
        """Nothing more comes; so many parts of traces came when the others had been counted."""
        self.split = split
        self.slowest = [trace for _, _, trace in sorted(self._slow, key=lambda item: -item[0])]

    def _serves(self, span: ReadableSpan) -> bool:
        return self.window.service in (None, span.resource.attributes.get(SERVICE_NAME))

    def _count(self, call: Call) -> None:
        self.totals.add(call)
        self.timeline.add(call)
        self.start = min(self.start, call.start)
        self.end = max(self.end, call.start + call.seconds)
        provider, operation = (
            str(call.attributes.get(name) or "") for name in (semconv.PROVIDER_NAME, semconv.OPERATION_NAME)
        )
        model = Model(call.model, provider, operation)
        self.models.of(model).add(call)
        answered = self.answered.setdefault(model, {}) if model in self.models else {}
        if call.answered is not None and len(answered) < _MOST_ANSWERED:
            answered[call.answered] = None
        for key, groups in self.by.items():
            found = call.attributes.get(key, call.span.resource.attributes.get(key))
            groups.of("" if found is None else str(found)).add(call)
        service = call.span.resource.attributes.get(SERVICE_NAME)
        self.services.note(str(service or ""))
        for reason in call.attributes.get(semconv.RESPONSE_FINISH_REASONS) or ():
            self.reasons.note(str(reason))
        if call.is_bad:
            self._fail(call)

    def _fail(self, call: Call) -> None:
        kind, status = (call.attributes.get(name) for name in (semconv.ERROR_TYPE, semconv.HTTP_STATUS))
        error = Error(str(kind or call.outcome), str(status or ""), call.model)
        if error in self.errors or len(self.errors) < _MOST_KEYS:
            self.errors.setdefault(error, Failures()).add(call)

    def _keep(self, trace: Trace) -> None:
        item = (trace.seconds, self.traces, trace)  # the number decides between equals, never the trace
        if len(self._slow) < self._most_slow:
            heapq.heappush(self._slow, item)
        elif self._slow:
            heapq.heappushpop(self._slow, item)
