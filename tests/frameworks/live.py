"""Runs one framework with everything on and says what was recorded: `python -m tests.frameworks.live NAME`."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tests.golden.recipes import RECIPES
from tests.golden.recipes.frameworks import lookup, runs
from tests.golden.recipes.langchain import LANGCHAIN
from tests.golden.recipes.recipe import MODEL, SAID, Calls, Recipe

if TYPE_CHECKING:
    from genai_otel.testing import ModelServer, Telemetry
    from tests.golden.seen import Seen

_SYSTEM: Final = f"{SAID} of the system"
_USER: Final = f"{SAID} of the user"


def _openai_agents(server: ModelServer, seen: Seen) -> Calls:
    del seen
    agents, openai = import_module("agents"), import_module("openai")
    agents.set_tracing_disabled(True)  # its own, which goes to the vendor

    def run() -> Any:
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0)
        model = agents.OpenAIChatCompletionsModel(MODEL, client)
        agent = agents.Agent(
            "helper", instructions=_SYSTEM, model=model, tools=[agents.function_tool(lookup)]
        )
        return agents.Runner.run(agent, _USER)

    yield from runs(server, run)


LIVE: Final = {
    **{
        name: RECIPES[name]
        for name in (
            "pydantic_ai",
            "strands",
            "agent_framework",
            "semantic_kernel",
            "autogen",
            "google_adk",
            "haystack",
            "openinference_haystack",
            "smolagents",
            "openinference_langchain",
            "openllmetry_langchain",
        )
    },
    "langchain": LANGCHAIN,
    "openai_agents": Recipe(("openai-agents",), _openai_agents),
}


def main(name: str) -> None:
    recipe = LIVE[name]
    os.environ.update(recipe.environment)
    from genai_otel.testing import ModelServer, telemetry

    kept = telemetry()
    seen: Any = SimpleNamespace(provider=trace.get_tracer_provider())
    with ModelServer() as server:
        for call, make in recipe.calls(server, seen):
            server.clear()
            kept.clear()
            make()
            print(json.dumps({"call": call, **_told(kept)}), flush=True)
    os._exit(0)  # some wait for back ends that are not there


def _told(kept: Telemetry) -> dict[str, Any]:
    spans, metrics = kept.spans(), kept.metrics()
    tokens: Counter[str] = Counter()
    for point in metrics.get("gen_ai.client.token.usage", ()):
        tokens[str(point.attributes["gen_ai.token.type"])] += int(point.sum)
    durations = metrics.get("gen_ai.client.operation.duration", ())
    traces = {exemplar.span_id for point in durations for exemplar in point.exemplars}
    return {
        "calls": sum(point.count for point in durations),
        "tokens": tokens,
        "said": SAID
        in str([span.to_json() for span in spans] + [str(log) for log in kept.logs()] + [metrics]),
        "spans": [
            {
                "scope": span.instrumentation_scope.name if span.instrumentation_scope else None,
                "name": span.name,
                "operation": (span.attributes or {}).get("gen_ai.operation.name"),
                "owner": (span.attributes or {}).get("genai_otel.owner"),
                "measured": (span.attributes or {}).get("genai_otel.measured"),
                "exemplar": span.context is not None and span.context.span_id in traces,
            }
            for span in spans
        ],
    }


if __name__ == "__main__":
    main(sys.argv[1])
