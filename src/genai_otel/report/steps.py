"""The program's own steps: what ran how often, and what the calls inside took; how often agents went round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from genai_otel import semconv
from genai_otel.report.distribution import Distribution
from genai_otel.report.figures import Call, Groups
from genai_otel.report.tally import Tally
from genai_otel.report.traces import Trace, id_of, is_call

AGENT: Final = "agent"
TOOL: Final = "tool"

KINDS: Final = ("workflow", AGENT, "task", TOOL, "retrieval")
"""In the order in which they are shown."""

_KINDS: Final[Mapping[object, tuple[str, str]]] = {
    semconv.INVOKE_WORKFLOW: ("workflow", semconv.WORKFLOW_NAME),
    semconv.INVOKE_AGENT: (AGENT, semconv.AGENT_NAME),
    semconv.EXECUTE_TOOL: (TOOL, semconv.TOOL_NAME),
    semconv.RETRIEVAL: ("retrieval", semconv.DATA_SOURCE_ID),
    semconv.TASK: ("task", semconv.TASK_NAME),
}
_EXACT: Final = 2_000
_MOST: Final = 2_000


class Step(NamedTuple):
    """What a span is to the program: its kind and its name."""

    kind: str
    name: str


class Runs:
    """How often a step ran, how often it failed, and how long it took in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.seconds = Distribution(_EXACT)

    def add(self, span: ReadableSpan) -> None:
        self.count += 1
        self.failed += span.status.status_code is StatusCode.ERROR
        self.seconds.add(max((span.end_time or 0) - (span.start_time or 0), 0) / 1e9)


class Loops:
    """How agents of one name work: calls of models and of tools that one run of them makes itself."""

    def __init__(self) -> None:
        self.iterations = Distribution(_EXACT)
        self.tool_calls = Distribution(_EXACT)
        self.tools = Tally()


class _Run:
    """One run of an agent."""

    def __init__(self) -> None:
        self.calls = 0
        self.tools: Counter[str] = Counter()


class Steps:
    """A call counts for the innermost step of each kind around it, so that those of a kind add up.

    :ivar caches: look-ups by name and result.
    :ivar outside: calls in no step at all.
    """

    def __init__(self) -> None:
        self.runs: dict[Step, Runs] = {}
        self.calls: Groups[Step] = Groups()
        self.loops: dict[str, Loops] = {}
        self.caches: dict[str, Tally] = {}
        self.outside = 0

    def add(self, trace: Trace, calls: Mapping[int, Call]) -> None:
        """Take a trace with the calls in it by the id of their span."""
        runs: dict[int, tuple[str, _Run]] = {}
        waiting: list[tuple[ReadableSpan, Mapping[str, tuple[Step, int]]]] = [
            (span, {}) for span in trace.roots
        ]
        while waiting:
            span, around = waiting.pop()
            step = step_of(span)
            self._look_up(span)
            if step is not None:
                self._note(step, span, around, runs)
                around = {**around, step.kind: (step, id_of(span))}
            if id_of(span) in calls:
                self._call(calls[id_of(span)], around, runs)
            waiting += [(child, around) for child in trace.children.get(id_of(span), ())]
        for name, run in runs.values():
            loops = self.loops.get(name)
            if loops is None:
                if len(self.loops) >= _MOST:
                    continue
                loops = self.loops[name] = Loops()
            loops.iterations.add(run.calls)
            loops.tool_calls.add(sum(run.tools.values()))
            for tool, count in run.tools.items():
                loops.tools.note(tool, count)

    def _look_up(self, span: ReadableSpan) -> None:
        """Count the look-up of a cache, if the span is one."""
        attributes: Mapping[str, Any] = span.attributes or {}
        if is_look_up(span):
            name = str(attributes.get(semconv.CACHE_NAME) or span.name)
            if name in self.caches or len(self.caches) < _MOST:
                self.caches.setdefault(name, Tally()).note(
                    str(attributes.get(semconv.CACHE_RESULT) or "unknown")
                )

    def _note(
        self,
        step: Step,
        span: ReadableSpan,
        around: Mapping[str, tuple[Step, int]],
        runs: dict[int, tuple[str, _Run]],
    ) -> None:
        found = self.runs.get(step)
        if found is None and len(self.runs) < _MOST:
            found = self.runs[step] = Runs()
        if found is not None:
            found.add(span)
        if step.kind == AGENT:
            runs[id_of(span)] = (step.name, _Run())
        elif step.kind == TOOL and AGENT in around:
            runs[around[AGENT][1]][1].tools[step.name] += 1

    def _call(
        self,
        call: Call,
        around: Mapping[str, tuple[Step, int]],
        runs: dict[int, tuple[str, _Run]],
    ) -> None:
        self.outside += not around
        for step, _ in around.values():
            self.calls.of(step).add(call)
        if AGENT in around:
            runs[around[AGENT][1]][1].calls += 1


def is_look_up(span: ReadableSpan) -> bool:
    """Whether a span is the look-up of a cache."""
    return (span.attributes or {}).get(semconv.OPERATION_NAME) == semconv.CACHE_LOOKUP


def step_of(span: ReadableSpan) -> Step | None:
    """The step that a span stands for, if any; one without a name has that of its span."""
    attributes: Mapping[str, Any] = span.attributes or {}
    found = _KINDS.get(attributes.get(semconv.OPERATION_NAME))
    if found is None or is_call(span):
        return None
    kind, key = found
    name = attributes.get(key)
    return Step(kind, name if isinstance(name, str) and name else span.name)
