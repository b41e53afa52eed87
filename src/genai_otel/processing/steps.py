"""What the span of an agent, a tool, a workflow or another step says in numbers, whoever made it.

Their tokens are not among it: those were counted where the models were called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import get_current_span

from genai_otel import metrics, semconv
from genai_otel.metrics import Instrument
from genai_otel.processing.dialects import operation
from genai_otel.processing.keys import MetricKeys
from genai_otel.processing.measure import Measure, Measurement, Sink, Times, Values, read
from genai_otel.processing.owner import UPSTREAM, Live, scope_of

if TYPE_CHECKING:
    from genai_otel.engine.call import Call

_Count = tuple[Instrument, str]
"""A further instrument of a step, which has the first of its labels, and the attribute that it counts."""


def _of(
    counts: tuple[_Count, ...], instrument: Instrument, values: Values, seconds: float
) -> list[Measurement]:
    width = len(instrument.labels)
    identity = tuple(values[:width])
    found: list[Measurement] = [(1 if instrument.buckets is None else seconds, (instrument, identity, None))]
    for (each, _), count in zip(counts, values[width:], strict=True):
        if type(count) is int and count > 0:
            found.append((count, (each, identity[:1], None)))
    return found


def _of_cache(values: Values, seconds: float) -> list[Measurement]:
    identity = tuple(values)
    return [
        (1, (metrics.CACHE_OPERATIONS, identity, None)),
        (seconds, (metrics.CACHE_DURATION, identity, None)),
    ]


def _measure(instrument: Instrument, *counts: _Count) -> Measure:
    of: Callable[[Values, float], list[Measurement]] = partial(_of, counts, instrument)
    return Measure((*instrument.labels, *(name for _, name in counts)), of)


MEASURES: Final[Mapping[str, Measure]] = {
    semconv.INVOKE_WORKFLOW: _measure(metrics.INVOKE_WORKFLOW_DURATION),
    semconv.INVOKE_AGENT: _measure(
        metrics.INVOKE_AGENT_DURATION,
        (metrics.AGENT_INFERENCE_CALLS, semconv.AGENT_INFERENCE_CALLS),
        (metrics.AGENT_TOOL_CALLS, semconv.AGENT_TOOL_CALLS),
    ),
    semconv.EXECUTE_TOOL: _measure(metrics.EXECUTE_TOOL_DURATION),
    semconv.RETRIEVAL: _measure(metrics.OPERATION_DURATION),
    semconv.TASK: _measure(metrics.TASK_DURATION),
    semconv.PARSE_FAILURE: _measure(metrics.PARSE_FAILURES),
    semconv.CACHE_LOOKUP: Measure(metrics.CACHE_OPERATIONS.labels, _of_cache),
}
"""How one span of each operation is measured, and what happens without one."""


_NAMED: Final = semconv.NAME_OF_STEP


class OfSteps:
    """Measures the program's own steps, and what happens without a span."""

    def __init__(self, sink: Sink | None, keys: MetricKeys) -> None:
        self._sink = sink
        self.measures = {doing: keys.on(measure) for doing, measure in MEASURES.items()}

    def ending(self, step: Call, live: Live | None) -> None:
        """Measure one that has ended; the calls of models in it are counted where they are made."""
        attributes = step.attributes
        doing = attributes[semconv.OPERATION_NAME]
        attributes.update(found_out(attributes, live))
        counts = semconv.OWNER not in attributes
        if live is not None:
            tally(live, doing if counts else None)
        measure = self.measures.get(doing)
        if counts and measure is not None and self._sink is not None:
            self._sink.record(read(measure, step), step.span_context)

    def happened(self, what: str, attributes: Mapping[str, Any]) -> None:
        """Measure one thing that has no span; ``what`` is one of :data:`MEASURES`."""
        if self._sink is not None:
            now = time.time_ns()
            reading = read(self.measures[what], Times(attributes, now, now))
            self._sink.record(reading, get_current_span().get_span_context())


def found_out(attributes: Mapping[str, Any], live: Live | None) -> dict[str, Any]:
    """What the spans around a step that has ended, and those in it, tell of it.

    What was not seen in an agent is not known to be none.
    """
    doing = operation(attributes)
    if live is None or doing not in _NAMED:
        return {}
    if _repeats(live, doing, attributes.get(_NAMED[doing])):
        return {semconv.OWNER: False}
    if doing != semconv.INVOKE_AGENT:
        return {}
    found = {semconv.AGENT_INFERENCE_CALLS: live.inferences, semconv.AGENT_TOOL_CALLS: live.tools}
    return {name: count for name, count in found.items() if count}


def _repeats(live: Live, doing: str, name: object) -> bool:
    """Whether a step is the one right around it, seen by another library: a framework's, and the program's own."""
    above = live.above
    while above is not None and above.span is not None:
        said: Mapping[str, Any] = above.span.attributes or {}
        around = operation(said)
        if around is not None:
            same = around == doing and said.get(_NAMED[doing], name) == name
            return same and scope_of(above.span) != scope_of(live.span)
        above = above.above
    return False


def tally(live: Live, doing: object) -> None:
    """Tell what a span that has ended is in about it; an agent keeps to itself what was in it."""
    above = live.above
    if above is None or above is UPSTREAM:
        return
    if doing != semconv.INVOKE_AGENT:
        above.inferences += live.inferences
        above.tools += live.tools
    if doing in semconv.INFERENCE:
        above.inferences += 1
    elif doing == semconv.EXECUTE_TOOL:
        above.tools += 1
