"""Spans put together to traces again, and who owns the calls in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from genai_otel import semconv
from genai_otel.processing.dialects import recognised
from genai_otel.processing.measure import client
from genai_otel.processing.processor import Pipeline
from genai_otel.report.unpriced import USUAL, Prices

_OPEN_SPANS: Final = 50_000
_REMEMBERED: Final = 200_000
_DECIDED: Final = frozenset({semconv.MEASURED, semconv.OWNER})


class Trace:
    """The spans of a trace, or what of it came together.

    :ivar roots: spans whose parent is not here, by start.
    :ivar children: spans by the id of their parent, by start.
    """

    def __init__(self, trace_id: int, spans: list[ReadableSpan]) -> None:
        self.trace_id = trace_id
        self.spans = {id_of(span): span for span in spans}
        self.roots: list[ReadableSpan] = []
        self.children: dict[int, list[ReadableSpan]] = {}
        for span in sorted(self.spans.values(), key=start_of):
            above = parent_of(span)
            if above in self.spans:
                self.children.setdefault(above, []).append(span)
            else:
                self.roots.append(span)
        self._break_rings()
        self.start = min(map(start_of, spans))
        self.end = max(span.end_time or 0 for span in spans)

    @property
    def seconds(self) -> float:
        return max(self.end - self.start, 0) / 1e9

    def walk(self) -> Iterator[tuple[int, ReadableSpan]]:
        """Depth and span, each before those below it."""
        waiting = [(0, span) for span in reversed(self.roots)]
        while waiting:
            depth, span = waiting.pop()
            yield depth, span
            waiting += [(depth + 1, child) for child in reversed(self.children.get(id_of(span), ()))]

    def _break_rings(self) -> None:
        """Spans that are each other's parents hang on no root: every one of them becomes one."""
        reached = {id_of(span) for _, span in self.walk()}
        if len(reached) < len(self.spans):
            rest = [key for key in self.spans if key not in reached]
            self.roots += [self.spans[key] for key in rest]
            for key in rest:
                self.children.pop(key, None)


class Traces:
    """Spans that wait for the rest of their trace; those of the trace that waits longest have to go on.

    :ivar split: traces that were given out before all of their spans had come.
    """

    def __init__(self, open_spans: int = _OPEN_SPANS, prices: Prices = USUAL) -> None:
        self.split = 0
        self._prices = prices
        self._most = open_spans
        self._waiting = 0
        self._open: dict[int, list[ReadableSpan]] = {}
        self._gone: dict[int, None] = {}

    def add(self, spans: list[ReadableSpan]) -> Iterator[Trace]:
        """Take spans; what has waited long enough."""
        for span in spans:
            trace_id = span.context.trace_id if span.context else 0
            inside = self._open.pop(trace_id, None)
            if inside is None:
                inside = []
                self.split += trace_id in self._gone
            inside.append(span)
            self._open[trace_id] = inside  # the last one now
            self._waiting += 1
        while self._waiting > self._most:
            yield self._take(next(iter(self._open)), early=True)

    def rest(self) -> Iterator[Trace]:
        """All that still waits."""
        while self._open:
            yield self._take(next(iter(self._open)))

    def _take(self, trace_id: int, *, early: bool = False) -> Trace:
        spans = self._open.pop(trace_id)
        self._waiting -= len(spans)
        if early:
            self._gone[trace_id] = None
            if len(self._gone) > _REMEMBERED:
                del self._gone[next(iter(self._gone))]
        return owned(Trace(trace_id, spans), self._prices)


def owned(trace: Trace, prices: Prices = USUAL) -> Trace:
    """The same with an owner for every call: what no process has decided is decided as it would have been there.

    The pipeline sees the spans start and end once more; those of other libraries come back in the conventions' names.
    """
    if not any(_is_undecided(span) for span in trace.spans.values()):
        return trace
    kept: list[ReadableSpan] = []
    pipeline = Pipeline(client(pricer=prices.pricer), None, [_Kept(kept)])
    waiting: list[tuple[ReadableSpan, bool]] = [(span, False) for span in _by_end(trace.roots)]
    while waiting:
        span, is_open = waiting.pop()
        if is_open:
            pipeline.on_end(span)
        else:
            pipeline.on_start(span)  # type: ignore[arg-type] - it asks an ended span for no more than this one has
            waiting.append((span, True))
            waiting += [(child, False) for child in _by_end(trace.children.get(id_of(span), []))]
    return Trace(trace.trace_id, kept)


def is_call(span: ReadableSpan) -> bool:
    """Whether a span of an owned trace is a call of a model that counts."""
    attributes: Mapping[str, Any] = span.attributes or {}
    if (
        attributes.get(semconv.OPERATION_NAME) not in semconv.MODEL_OPERATIONS
        or attributes.get(semconv.OWNER) is False
    ):
        return False
    return attributes.get(semconv.MEASURED) is True or (_is_ours(span) and span.kind is not SpanKind.SERVER)


def id_of(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0


def parent_of(span: ReadableSpan) -> int:
    return span.parent.span_id if span.parent else 0


def start_of(span: ReadableSpan) -> int:
    return span.start_time or 0


def _is_ours(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == semconv.SCOPE


def _is_undecided(span: ReadableSpan) -> bool:
    attributes: Mapping[str, Any] = span.attributes or {}
    return recognised(attributes) and _DECIDED.isdisjoint(attributes) and not _is_ours(span)


def _by_end(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """To be taken from the end: some libraries make their span of a call after it, with its start."""
    return sorted(spans, key=lambda span: span.end_time or 0, reverse=True)


class _Kept:
    """The queue behind the pipeline."""

    def __init__(self, spans: list[ReadableSpan]) -> None:
        self._spans = spans

    def emit(self, span: ReadableSpan) -> None:
        self._spans.append(span)

    def shutdown(self) -> None:
        """Nothing waits here."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        del timeout_millis
        return True
