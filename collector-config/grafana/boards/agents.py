"""Agents, their loops and tools, workflows, tasks, retrieval, caches of the program's, and what it depends on."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import SERVICES, assembled, choices, traced
from boards.panels import Ask, Panels, legend
from genai_otel import metrics, semconv

_AGENTS = q.where(q.SERVICE, f'{q.AGENT}=~"$agent"')
_STEPS = "gen_ai_(invoke_agent|execute_tool|invoke_workflow)_duration_seconds_count"
_AGENT, _TOOL = legend(q.AGENT), legend(q.TOOL)
_CACHE, _FOUND = q.label(semconv.CACHE_NAME), q.label(semconv.CACHE_RESULT)


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "agents",
        "Agents and tools",
        "Agents, their loops and tools, workflows, tasks, retrieval, caches, and what services depend on.",
        (*choices(_STEPS, *SERVICES, ("agent", "Agent", q.AGENT)), traced()),
        (
            ("Agents", _agents()),
            ("Tools", _tools()),
            ("Workflows and tasks", _steps()),
            ("What they lean on", _lean()),
            ("Traces", _look()),
        ),
    )


def _agents() -> Panels:
    runs = f"{q.of(metrics.INVOKE_AGENT_DURATION)}_count"
    spread = ((0.5, "p50"), (0.95, "p95"))

    def per_run(title: str, instrument: metrics.Instrument, about: str) -> show.Built:
        buckets = q.rate(f"{q.of(instrument)}_bucket", _AGENTS)
        return show.lines(
            title,
            show.COUNT,
            *(
                Ask(q.quantile(each, buckets, q.AGENT), f"{_AGENT} {name}", exemplars=True)
                for each, name in spread
            ),
            about=about,
        )

    return [
        show.lines(
            "Invocations", show.CALLS, Ask(q.total(q.rate(runs, _AGENTS), q.AGENT), _AGENT), stacked=True
        ),
        show.lines(
            "Failed invocations",
            show.SHARE,
            Ask(q.share(q.rate(runs, _AGENTS, q.FAILED), q.rate(runs, _AGENTS), q.AGENT), _AGENT),
        ),
        show.lines(
            "Duration of invocations, p95",
            show.SECONDS,
            Ask(
                q.quantile(0.95, q.rate(f"{q.of(metrics.INVOKE_AGENT_DURATION)}_bucket", _AGENTS), q.AGENT),
                _AGENT,
                exemplars=True,
            ),
        ),
        per_run(
            "Calls of models per invocation", metrics.AGENT_INFERENCE_CALLS, "How often the loop went round."
        ),
        per_run(
            "Calls of tools per invocation",
            metrics.AGENT_TOOL_CALLS,
            "Executions of tools in one invocation.",
        ),
        show.lines(
            "Agents at work",
            show.COUNT,
            Ask(
                q.total(
                    q.now(q.named(metrics.ACTIVE_AGENTS, "{invocation}", "up_down_counter"), _AGENTS), q.AGENT
                ),
                _AGENT,
            ),
        ),
    ]


def _tools() -> Panels:
    name = q.of(metrics.EXECUTE_TOOL_DURATION)
    runs = q.rate(f"{name}_count", q.SERVICE)
    failed = q.rate(f"{name}_count", q.SERVICE, q.FAILED)
    return [
        show.lines("Executions", show.CALLS, Ask(q.total(runs, q.TOOL), _TOOL), stacked=True),
        show.lines("Failed executions", show.SHARE, Ask(q.share(failed, runs, q.TOOL), _TOOL)),
        show.lines(
            "Duration of executions, p95",
            show.SECONDS,
            Ask(q.quantile(0.95, q.rate(f"{name}_bucket", q.SERVICE), q.TOOL), _TOOL, exemplars=True),
        ),
    ]


def _steps() -> Panels:
    def p95(title: str, instrument: metrics.Instrument, by: str) -> show.Built:
        buckets = q.rate(f"{q.of(instrument)}_bucket", q.SERVICE)
        return show.lines(title, show.SECONDS, Ask(q.quantile(0.95, buckets, by), legend(by), exemplars=True))

    form, stage = q.label(semconv.OUTPUT_FORMAT), q.label(semconv.STAGE)
    return [
        p95("Workflows, p95", metrics.INVOKE_WORKFLOW_DURATION, q.label(semconv.WORKFLOW_NAME)),
        p95("Tasks, p95", metrics.TASK_DURATION, q.label(semconv.TASK_NAME)),
        show.lines(
            "Answers in the wrong form",
            show.CALLS,
            Ask(
                q.total(q.rate(q.of(metrics.PARSE_FAILURES), q.SERVICE), form, stage),
                legend(form, stage),
            ),
        ),
    ]


def _lean() -> Panels:
    retrievals = (q.SERVICE, f'{q.OPERATION}="retrieval"')
    name = q.of(metrics.OPERATION_DURATION)  # of both profiles: the newer one has no other for it
    lookups, lookup = q.of(metrics.CACHE_OPERATIONS), q.of(metrics.CACHE_DURATION)
    hits = q.share(q.rate(lookups, q.SERVICE, f'{_FOUND}="hit"'), q.rate(lookups, q.SERVICE), _CACHE)
    up, dependency = q.named(metrics.DEPENDENCY_UP, "1", "gauge"), q.label(semconv.DEPENDENCY)
    return [
        show.lines(
            "Retrievals",
            show.CALLS,
            Ask(q.total(q.rate(f"{name}_count", *retrievals), "service_name"), "{{service_name}}"),
        ),
        show.lines(
            "Retrievals, p95",
            show.SECONDS,
            Ask(
                q.quantile(0.95, q.rate(f"{name}_bucket", *retrievals), "service_name"),
                "{{service_name}}",
                exemplars=True,
            ),
        ),
        show.lines(
            "Dependencies there",
            show.COUNT,
            Ask(
                f"min by (service_name, {dependency}) ({q.now(up, q.SERVICE)})",
                legend("service_name", dependency),
            ),
            about="1 where a dependency answered when a process asked it last, 0 where one did not.",
        ),
        show.lines(
            "Look-ups in caches",
            show.CALLS,
            Ask(q.total(q.rate(lookups, q.SERVICE), _CACHE, _FOUND), legend(_CACHE, _FOUND)),
            stacked=True,
        ),
        show.lines("Hits of caches", show.SHARE, Ask(hits, legend(_CACHE))),
        show.lines(
            "Look-ups in caches, p95",
            show.SECONDS,
            Ask(
                q.quantile(0.95, q.rate(f"{lookup}_bucket", q.SERVICE), _CACHE),
                legend(_CACHE),
                exemplars=True,
            ),
        ),
    ]


def _look() -> Panels:
    return [
        show.traces("Agents, newest traces", "gen_ai.operation.name=invoke_agent"),
        show.traces("Failed tools, newest traces", "gen_ai.operation.name=execute_tool error=true"),
    ]
