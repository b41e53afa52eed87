"""What a step of the program's own costs, beside the same written by hand with the OpenTelemetry API.

``python -m tests.benchmarks.steps SUBJECT`` prints JSON.  A process of its own, as in :mod:`tests.benchmarks.count`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, NamedTuple

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

import genai_otel
from tests.benchmarks import subjects
from tests.benchmarks.count import BATCH, Tally

VALUES: Final = 20
CALLS: Final = 8


class Cost(NamedTuple):
    """Bytecodes of one run: in the calling thread, and with what comes later."""

    bytecodes: float
    exported: float


def _tool(city: str) -> str:
    return city


async def _agent(question: str) -> str:
    return question


def _values(count: int) -> Iterator[int]:
    yield from range(count)


class ByHand:
    """A span with the same facts, its duration in a histogram, exceptions noted, the context the caller's own."""

    def __init__(self) -> None:
        self.tracer = trace.get_tracer("app")
        meter = metrics.get_meter("app")
        self.seconds = meter.create_histogram("gen_ai.execute_tool.duration", "s")

    def tool(self, function: Callable[[str], str]) -> Callable[[str], str]:
        facts = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "_tool",
            "gen_ai.tool.type": "function",
        }

        @functools.wraps(function)
        def run(city: str) -> str:
            started = time.perf_counter()
            with self.tracer.start_as_current_span("execute_tool _tool", kind=SpanKind.INTERNAL) as span:
                span.set_attributes(facts)
                try:
                    result = function(city)
                except Exception as error:
                    self.failed(span, facts, started, error)
                    raise
                self.seconds.record(time.perf_counter() - started, facts)
                return result

        return run

    def agent(self, function: Callable[[str], Coroutine[Any, Any, str]]) -> Any:
        facts = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "_agent"}

        @functools.wraps(function)
        async def run(question: str) -> str:
            started = time.perf_counter()
            with self.tracer.start_as_current_span("invoke_agent _agent", kind=SpanKind.INTERNAL) as span:
                span.set_attributes(facts)
                try:
                    result = await function(question)
                except Exception as error:
                    self.failed(span, facts, started, error)
                    raise
                self.seconds.record(time.perf_counter() - started, facts)
                return result

        return run

    def workflow(self, function: Callable[[int], Iterator[int]]) -> Callable[[int], Iterator[int]]:
        facts = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "_values"}

        @functools.wraps(function)
        def run(count: int) -> Iterator[int]:
            started = time.perf_counter()
            span = self.tracer.start_span("invoke_workflow _values", kind=SpanKind.INTERNAL)
            span.set_attributes(facts)
            values = function(count)
            try:
                while True:
                    with trace.use_span(span):
                        value = next(values, None)
                    if value is None:
                        break
                    yield value
                self.seconds.record(time.perf_counter() - started, facts)
            except Exception as error:
                self.failed(span, facts, started, error)
                raise
            finally:
                span.end()

        return run

    def failed(self, span: trace.Span, facts: dict[str, str], started: float, error: Exception) -> None:
        kind = {"error.type": type(error).__qualname__}
        span.set_attributes(kind)
        span.set_status(Status(StatusCode.ERROR, kind["error.type"]))
        self.seconds.record(time.perf_counter() - started, {**facts, **kind})


class Nothing:
    """The functions alone."""

    @staticmethod
    def tool(function: Any) -> Any:
        return function

    agent = workflow = tool


def _runs(steps: Any) -> dict[str, Callable[[int], None]]:
    """By name, what performs that many runs."""
    tool, agent, workflow = steps.tool(_tool), steps.agent(_agent), steps.workflow(_values)

    def tools(calls: int) -> None:
        for _ in range(calls):
            tool("Rome")

    async def awaited(calls: int) -> None:
        for _ in range(calls):
            await agent("why")

    def workflows(calls: int) -> None:
        for _ in range(calls):
            for _value in workflow(VALUES):
                pass

    return {
        "tool": tools,
        "agent, async": lambda calls: asyncio.run(awaited(calls)),
        f"generator of {VALUES} values": workflows,
    }


def _cost(run: Callable[[int], None], session: subjects.Session) -> Cost:
    run(6)
    session.flush()
    call, export = Tally(), Tally()
    call.run(run, CALLS)
    session.flush()
    run(BATCH)
    export.run(lambda _: session.flush(), 1)
    bytecodes = call.bytecodes / CALLS
    return Cost(bytecodes, bytecodes + export.bytecodes / BATCH)


def added(subject: str) -> dict[str, Cost]:
    """What the subject adds to one run of each function."""
    session = subjects.set_up(subject)
    steps = ByHand() if subject == "floor" else genai_otel
    alone = {name: _cost(run, session) for name, run in _runs(Nothing).items()}
    return {
        name: Cost(*(mine - theirs for mine, theirs in zip(_cost(run, session), alone[name], strict=True)))
        for name, run in _runs(steps).items()
    }


def count(subject: str, mode: str = "default") -> dict[str, Cost]:
    """:func:`added`, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, subject],
        env=subjects.environment(mode),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name: Cost(*values) for name, values in json.loads(done.stdout.splitlines()[-1]).items()}


if __name__ == "__main__":
    print(json.dumps(added(sys.argv[1])))
