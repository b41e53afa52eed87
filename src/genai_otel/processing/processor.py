"""The one span processor in front of the exporters: dialect, owner, measure, and on to the next.

It sees every span of the process, of whatever scope.  A span that no step changes is passed on as the very object;
where a step changes something the next processor gets a public copy, because an ended span is read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags, get_current_span

from genai_otel import fence, safe, semconv
from genai_otel.ambient import put
from genai_otel.processing.changes import Change, Limits, with_change
from genai_otel.processing.dialects import Translation, is_named, operation, recognised, translated
from genai_otel.processing.http import HTTP, serves_http
from genai_otel.processing.keys import NO_KEYS, MetricKeys
from genai_otel.processing.measure import Measure, Reading, Sink, Times, read, served
from genai_otel.processing.owner import (
    LATEST,
    Live,
    Owners,
    agent_of,
    hold,
    owns,
    scope_of,
)
from genai_otel.processing.priced import cost_of
from genai_otel.processing.served import SERVER
from genai_otel.processing.serving import Serving
from genai_otel.processing.steps import OfSteps, found_out, tally

if TYPE_CHECKING:
    from genai_otel.engine.call import Call


_MOST_CHANGES = 16_384
_SAMPLED = TraceFlags.SAMPLED
# Names of this module's own, because they are looked up on the path of every call.
_latest = LATEST.set
_MEASURED = semconv.MEASURED
_MODEL_OPERATIONS = semconv.MODEL_OPERATIONS
_OPERATION = semconv.OPERATION_NAME
_DECIDED = frozenset({semconv.MEASURED, semconv.OWNER})


class Queue(Protocol):
    """Where sampled spans wait for an exporter of ours."""

    def emit(self, span: ReadableSpan) -> None: ...
    def shutdown(self) -> None: ...
    def force_flush(self, timeout_millis: int = 30_000) -> bool: ...


class Pipeline(SpanProcessor):
    """Derives metrics from ended spans and hands the spans on.

    ``following`` are the queues of our exporters; with a TracerProvider of the user's there are none, because his own
    processors stand ``beside`` this one.  Spans of other libraries keep the attributes that were translated, or lose
    them without ``keep_attributes``.  ``watched`` says that a processor of the program's looks at spans that start.
    """

    def __init__(
        self,
        measure: Measure,
        sink: Sink | None,
        following: Sequence[Queue] = (),
        limits: SpanLimits | None = None,
        *,
        beside: bool = False,
        keep_attributes: bool = True,
        keys: MetricKeys = NO_KEYS,
    ) -> None:
        self.watched = False
        self._measure = keys.on(measure)
        self._server = keys.on(served(SERVER, measure.pricer))
        self._of_steps = OfSteps(sink, keys)
        self.happened = self._of_steps.happened
        self._http = keys.on(HTTP) if keys.http else None
        self.keys = keys
        self._record: Callable[..., object] = (lambda *_: None) if sink is None else sink.record
        self._following = tuple(following)
        self._emits = tuple(queue.emit for queue in following)
        self._added: tuple[SpanProcessor, ...] = ()
        self._beside = beside
        self._changes: dict[int, Change] = {}
        self._keeps = keep_attributes
        self.cost = partial(cost_of, measure.pricer)  # what a span says of it, by what was read of the span
        self._owners = Owners()
        self._ended = self._owners.ended
        self._count_call = self._owners.count
        self.recent = self._owners.recent  # the calls that were counted last, the latest first
        self.began = self._owners.began
        """Note the span of a call of ours that starts, as ``on_start`` does of the SDK's."""
        self.stepped = self._owners.stepped
        """The same for a step of the program's own."""
        self.serving = Serving(self, self._owners, self._server, sink)
        """The same for requests that this process serves."""
        self._limits = Limits(limits)

    # --- the SDK's interface ----------------------------------------------------------------------

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            self._owners.started(span, parent_context)
            put(span, get_current() if parent_context is None else parent_context)
        except Exception as error:  # noqa: BLE001 - an exception here would reach the user's code
            fence.report("pipeline.on_start", error)
        for processor in self._added:
            processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        context: Any = span.context  # annotated optional for spans that never started
        try:
            live = self._ended(context.span_id, None)
            if self._http is not None and serves_http(span.kind, span.attributes):
                self._count(self._http, span, dict(span.attributes or {}))
            if recognised(span.attributes) and not _is_ours(span):
                span = self._foreign(span, context, live)
            elif live is not None and live.above is not None:
                tally(live, None)
        except Exception as error:  # noqa: BLE001 - an exception here would reach the user's code
            fence.report("pipeline.on_end", error)
        if context.trace_flags & _SAMPLED:
            for emit in self._emits:
                emit(span)
        elif (
            recognised(span.attributes)
            or is_named(span.name)
            or not self._added
            or (self._http is not None and serves_http(span.kind, span.attributes))
        ):
            return  # recorded for us alone
        for processor in self._added:
            processor.on_end(span)

    def shutdown(self) -> None:
        for each in (*self._following, *self._added):
            each.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        flushed = [each.force_flush(timeout_millis) for each in (*self._following, *self._added)]
        return all(flushed)

    # --- the steps --------------------------------------------------------------------------------

    def around(self, call: Call) -> None:
        """Note that a call of ours is a session: the calls inside it count."""
        with fence.contain("pipeline.around"):
            self._owners.around(call.span_context.span_id)

    def ending(self, call: Call) -> None:
        """Decide who owns a call of ours and measure it if its span does, recorded or not."""
        try:
            attributes, context = call.attributes, call.span_context
            live = self._ended(context.span_id, None)
            if attributes[_OPERATION] not in _MODEL_OPERATIONS:
                self._of_steps.ending(call, live)
                return
            alone = live is None or (live.above is None and live.owns)
            if alone or owns(live):
                agent = None
                if live is not None and not alone:
                    tally(live, attributes[_OPERATION])
                    agent = agent_of(live)
                attributes[_MEASURED] = True
                counted = (attributes, call.end_time, context, None, agent)
                values = tuple(map(attributes.get, self._measure.names))  # as read() does it, for every call
                call.reading = reading = [self._measure, values, call.start_time, call.end_time]
                self._record(reading, context)
                self._count_call(counted)
                _latest(counted)
            else:
                attributes[semconv.OWNER] = False
                if live is not None:
                    hold(live, attributes)
        except Exception as error:  # noqa: BLE001 - one measurement less, never a span less
            fence.report("pipeline.ending", error)

    def mark_request(self, told: Mapping[str, Any]) -> None:
        """Put what may be a label on the span of the HTTP request in which the program says it."""
        labels = {name: told[name] for name in self.keys.names if name in told}
        span = self._owners.serving(get_current_span().get_span_context(), serves_http) if labels else None
        if span is not None:
            span.set_attributes(labels)

    def add(self, processor: SpanProcessor) -> None:
        """Hand spans on to a processor of the user's, after those that are there."""
        self._added = (*self._added, processor)
        self.watched = True

    def ended(self, call: Call, attributes: Mapping[str, Any]) -> None:
        """Hand the span of a call of ours on, if it is sampled; the exporting thread cleans and prices it."""
        if call.span_context.trace_flags & _SAMPLED:
            span: Any = call.span
            if len(attributes) > self._limits.most:
                span.keep(self._limits.of({**attributes, **self.cost(call.reading)}))
            else:
                span.reading = call.reading
            for emit in self._emits:
                emit(span)

    def changes_of(self, span: ReadableSpan) -> Change | None:
        """What becomes of an ended span before it is exported; asked once per span."""
        return self._changes.pop(span.context.span_id, None) if span.context is not None else None

    def after_fork(self) -> None:
        """A forked child has none of its parent's live spans."""
        self._owners.after_fork()

    def _foreign(self, span: ReadableSpan, context: SpanContext, live: Live | None) -> ReadableSpan:
        """Translate a span of another library and count it, if nobody else has counted its call."""
        given: Any = span.attributes or {}
        original: Mapping[str, Any] = given.copy()  # the SDK's class is asked for each by itself
        said = translated(span)
        changed = said.changed
        attributes = {**original, **changed}
        doing = None if said.serves else operation(attributes)
        if said.serves:
            self._count(self._server, span, attributes)
        elif not original.keys().isdisjoint(_DECIDED):
            doing = None
        elif doing in _MODEL_OPERATIONS:
            if not self._owned(span, said, attributes, live):
                doing = None
        elif (measure := self._of_steps.measures.get(doing or "")) is not None:
            changed.update(found_out(attributes, live))
            if semconv.OWNER in changed:
                doing = None
            else:
                self._count(measure, span, {**attributes, **changed}, said.start_time)
        if live is not None:
            tally(live, doing)
        change = Change(changed, frozenset() if self._keeps else said.replaced)
        if self._beside:
            if change:
                self._note(context.span_id, change)
            return span
        return with_change(span, change, self._limits)

    def _owned(
        self, span: ReadableSpan, said: Translation, attributes: dict[str, Any], live: Live | None
    ) -> bool:
        """Whether another library's span of a call of a model owns it; then it is measured."""
        context: Any = span.context
        changed = said.changed
        holds = live is not None and live.held is not None  # the call that it stands for is inside it
        if (
            not said.is_whole
            or not owns(live)
            or (not holds and self._owners.is_counted(span, attributes, nameless=said.is_nameless))
        ):
            changed[semconv.OWNER] = False
            if live is not None:
                hold(live, attributes)
            return False
        if live is not None and live.held is not None:
            changed.update({name: value for name, value in live.held.items() if name not in attributes})
        changed[semconv.MEASURED] = True
        told = {**attributes, **changed}
        changed.update(self.cost(self._count(self._measure, span, told, said.start_time)))
        agent = None if live is None else agent_of(live)
        counted = (told, span.end_time or 0, context, scope_of(span), agent)
        self._owners.count(counted)
        _latest(counted)
        return True

    def _count(
        self, measure: Measure, span: ReadableSpan, attributes: dict[str, Any], start_time: int | None = None
    ) -> Reading:
        safe.clean(attributes)  # of any library: what is no plain value can be no label
        ended = Times(attributes, span.start_time if start_time is None else start_time, span.end_time)
        reading = read(measure, ended)
        self._record(reading, span.context)
        return reading

    def _note(self, span_id: int, change: Change) -> None:
        self._changes[span_id] = change
        if len(self._changes) > _MOST_CHANGES:  # nobody wraps his exporter, or many spans are unsampled
            self._changes.pop(next(iter(self._changes)), None)


def _is_ours(span: ReadableSpan) -> bool:
    """Whether a span of the SDK's class is the engine's: it is whole, and was measured when its call ended."""
    scope = span.instrumentation_scope
    return scope is not None and scope.name == semconv.SCOPE


def apply_changes(pipeline: Pipeline, span: ReadableSpan) -> ReadableSpan:
    """``span`` with what ``pipeline``, beside the processor that exports it, found out about it when it ended."""
    change = pipeline.changes_of(span)
    return span if change is None else with_change(span, change, Limits(None))
