"""Frameworks whose spans come from instrumentors, from a package beside them, or from a session that is asked for.

OpenLLMetry's instrumentor of Haystack cannot be switched on with a Haystack of today: it looks for what is gone.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tests.golden.recipes.recipe import MODEL, SAID, Calls, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

_SYSTEM: Final = f"{SAID} of the system"
_USER: Final = f"{SAID} of the user"
_PARAMETERS: Final[Any] = {"temperature": 0.5, "max_tokens": 50}
_QUIET: Final = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_TESTING": "true",
}


def _lookup(city: str) -> str:
    """Looks something up.

    Args:
        city: Where.
    """
    return f"{SAID} of {city}"


def _instrumented(module: str, kind: str, seen: Seen, **options: Any) -> None:
    getattr(import_module(module), kind)().instrument(tracer_provider=seen.provider, **options)


def _runs(
    server: ModelServer,
    ask: Callable[[], Any],
    run: Callable[[], Any],
    final: Mapping[str, Any] | None = None,
) -> Calls:
    """One answer; an agent's tool call and then an answer, or a ``final`` call; an error of the vendor."""

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        ask()

    def agent() -> None:
        server.reply(tool_calls={"lookup": {"city": SAID}})
        server.reply(None if final else f"{SAID} of the model", tool_calls=final)
        run()

    def error() -> None:
        server.reply(status=400, directives="leak")
        with contextlib.suppress(Exception):
            ask()

    for call in (chat, agent, error):
        yield call.__name__, call


def _smolagents(server: ModelServer, seen: Seen) -> Calls:
    _instrumented("openinference.instrumentation.smolagents", "SmolagentsInstrumentor", seen)
    smolagents: Any = import_module("smolagents")
    said = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]

    def model() -> Any:
        retries = {"max_retries": 0}
        return smolagents.OpenAIModel(
            MODEL, api_base=server.base_url, api_key="k", client_kwargs=retries, **_PARAMETERS
        )

    def run() -> None:
        agent = smolagents.ToolCallingAgent(
            [smolagents.tool(_named())], model(), instructions=_SYSTEM, verbosity_level=0
        )
        agent.run(_USER)

    def stream() -> None:
        server.reply(f"{SAID} of the model")
        for _ in model().generate_stream(said):
            pass

    yield from _runs(server, lambda: model().generate(said), run, {"final_answer": {"answer": SAID}})
    yield "stream", stream


def _named() -> Any:
    """A function of this name, which frameworks take for the tool's."""

    def lookup(city: str) -> str:
        """Looks something up.

        Args:
            city: Where.
        """
        return _lookup(city)

    return lookup


def _crew(server: ModelServer, around: Callable[[], Any], **options: Any) -> Calls:
    crewai, tools = import_module("crewai"), import_module("crewai.tools")

    def model() -> Any:
        wanted = {"base_url": server.base_url, "api_key": "k", "max_retries": 0, **_PARAMETERS, **options}
        return crewai.LLM(f"openai/{MODEL}", **wanted)

    def ask() -> None:
        said = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]
        with around():
            model().call(said)

    def run() -> None:
        agent = crewai.Agent(
            role="helper",
            goal=_SYSTEM,
            backstory=_SYSTEM,
            llm=model(),
            tools=[tools.tool("lookup")(_named())],
        )
        task = crewai.Task(description=_USER, expected_output=_SYSTEM, agent=agent)
        with around():
            crewai.Crew(name="crew", agents=[agent], tasks=[task]).kickoff()

    yield from _runs(server, ask, run)


def _crewai(server: ModelServer, seen: Seen) -> Calls:
    """Its own session, which a host opens around a run."""
    session: Any = import_module("crewai.telemetry.tracing.session")
    yield from _crew(server, lambda: session.telemetry_session("run", "crew", processors=[seen]))


def _openllmetry_crewai(server: ModelServer, seen: Seen) -> Calls:
    _instrumented("opentelemetry.instrumentation.crewai", "CrewAIInstrumentor", seen)
    # It does not see the calls that CrewAI makes without litellm.
    yield from _crew(server, contextlib.nullcontext, is_litellm=True)


def _openinference_crewai(server: ModelServer, seen: Seen) -> Calls:
    _instrumented("openinference.instrumentation.crewai", "CrewAIInstrumentor", seen, use_event_listener=True)
    bus: Any = import_module("crewai.events.event_bus").crewai_event_bus

    @contextlib.contextmanager
    def around() -> Generator[None]:
        try:
            yield
        finally:
            bus.flush()

    yield from _crew(server, around)


def _pipeline(server: ModelServer) -> Calls:
    haystack, secrets = import_module("haystack"), import_module("haystack.utils")
    chat, agents = (
        import_module("haystack.components.generators.chat"),
        import_module("haystack.components.agents"),
    )
    said: Any = import_module("haystack.dataclasses").ChatMessage

    def model() -> Any:
        return chat.OpenAIChatGenerator(
            secrets.Secret.from_token("k"),
            MODEL,
            api_base_url=server.base_url,
            max_retries=0,
            generation_kwargs=_PARAMETERS,
        )

    def ask() -> None:
        pipeline = haystack.Pipeline()
        pipeline.add_component("model", model())
        pipeline.run({"model": {"messages": [said.from_system(_SYSTEM), said.from_user(_USER)]}})

    def run() -> None:
        pipeline = haystack.Pipeline()
        tools = [import_module("haystack.tools").create_tool_from_function(_named())]
        agent = agents.Agent(chat_generator=model(), tools=tools, system_prompt=_SYSTEM)
        pipeline.add_component("agent", agent)
        pipeline.run({"agent": {"messages": [said.from_user(_USER)]}})

    yield from _runs(server, ask, run)


def _haystack(server: ModelServer, seen: Seen) -> Calls:
    """Its own tracer, in a package beside it."""
    made: Any = import_module("haystack_integrations.tracing.opentelemetry").OpenTelemetryTracer
    import_module("haystack.tracing").enable_tracing(made(seen.provider.get_tracer("haystack")))
    yield from _pipeline(server)


def _openinference_haystack(server: ModelServer, seen: Seen) -> Calls:
    _instrumented("openinference.instrumentation.haystack", "HaystackInstrumentor", seen)
    yield from _pipeline(server)


RECIPES: Final = {
    "smolagents": Recipe(("smolagents[openai]", "openinference-instrumentation-smolagents"), _smolagents),
    "crewai": Recipe(("crewai",), _crewai, _QUIET),
    "openllmetry_crewai": Recipe(
        ("crewai[litellm]", "opentelemetry-instrumentation-crewai"),
        _openllmetry_crewai,
        {**_QUIET, "LITELLM_LOCAL_MODEL_COST_MAP": "true"},
    ),
    "openinference_crewai": Recipe(
        ("crewai", "openinference-instrumentation-crewai"), _openinference_crewai, _QUIET
    ),
    "haystack": Recipe(
        ("haystack-ai", "opentelemetry-haystack"), _haystack, {"HAYSTACK_CONTENT_TRACING_ENABLED": "true"}
    ),
    "openinference_haystack": Recipe(
        ("haystack-ai", "openinference-instrumentation-haystack"), _openinference_haystack
    ),
}
