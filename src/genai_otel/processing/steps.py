"""What the span of an agent, a tool, a workflow or another step says in numbers, whoever made it.

Their tokens are not among it: those were counted where the models were called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from genai_otel import metrics, semconv
from genai_otel.metrics import Instrument
from genai_otel.processing.measure import Measure, Measurement, Values

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
    semconv.CACHE_LOOKUP: _measure(metrics.CACHE_OPERATIONS),
}
"""How one span of each operation is measured, and what happens without one."""
