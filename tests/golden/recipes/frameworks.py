"""Frameworks and clients that trace themselves: a plain run, and one in which the model calls a tool first."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tests.golden.recipes.recipe import CLAUDE, MODEL, SAID, Calls, Recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

_SYSTEM: Final = f"{SAID} of the system"
_USER: Final = f"{SAID} of the user"


def lookup(city: str) -> str:
    """Looks something up."""
    return f"{SAID} of {city}"


def runs(server: ModelServer, run: Callable[[], Awaitable[Any]], tool: str = "lookup") -> Calls:
    """One answer; a tool call and then an answer; an error of the vendor."""

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        asyncio.run(_awaited(run()))

    def agent() -> None:
        server.reply(tool_calls={tool: {"city": SAID}})
        server.reply(f"{SAID} of the model")
        asyncio.run(_awaited(run()))

    def error() -> None:
        server.reply(status=400, directives="leak")
        with contextlib.suppress(Exception):
            asyncio.run(_awaited(run()))

    for call in (chat, agent, error):
        yield call.__name__, call


async def _awaited(running: Awaitable[Any]) -> None:
    await running


def _pydantic_ai(server: ModelServer, seen: Seen) -> Calls:
    agents, instrumented = import_module("pydantic_ai"), import_module("pydantic_ai.models.instrumented")
    models, providers = (
        import_module("pydantic_ai.models.openai"),
        import_module("pydantic_ai.providers.openai"),
    )
    agents.Agent.instrument_all(instrumented.InstrumentationSettings(tracer_provider=seen.provider))

    def run() -> Any:
        provider = providers.OpenAIProvider(base_url=server.base_url, api_key="sk-test")
        model = models.OpenAIChatModel(MODEL, provider=provider)
        agent = agents.Agent(model, instructions=_SYSTEM, tools=[lookup], name="helper")
        return agent.run(_USER)

    yield from runs(server, run)


def _strands(server: ModelServer, seen: Seen) -> Calls:
    wanted = {"base_url": server.base_url, "api_key": "k", "max_retries": 0}
    kind = import_module("strands.models.openai").OpenAIModel
    yield from _agent_of_strands(server, seen, lambda: kind(client_args=wanted, model_id=MODEL))


def _strands_anthropic(server: ModelServer, seen: Seen) -> Calls:
    wanted = {"base_url": server.url, "api_key": "k", "max_retries": 0}
    kind = import_module("strands.models.anthropic").AnthropicModel
    yield from _agent_of_strands(
        server, seen, lambda: kind(client_args=wanted, model_id=CLAUDE, max_tokens=50)
    )


def _agent_of_strands(server: ModelServer, seen: Seen, make: Callable[[], Any]) -> Calls:
    trace.set_tracer_provider(seen.provider)
    strands = import_module("strands")

    def run() -> Any:
        model = make()
        tools = [strands.tool(lookup)]
        agent = strands.Agent(model, system_prompt=_SYSTEM, tools=tools, callback_handler=None, name="helper")
        return agent.invoke_async(_USER)

    yield from runs(server, run)


def _agent_framework(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    clients, framework = import_module("agent_framework.openai"), import_module("agent_framework")

    def run() -> Any:
        client = clients.OpenAIChatCompletionClient(MODEL, api_key="k", base_url=server.base_url)
        return framework.Agent(client, instructions=_SYSTEM, tools=[lookup], name="helper").run(_USER)

    yield from runs(server, run)


def _semantic_kernel(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    openai, agents = import_module("openai"), import_module("semantic_kernel.agents")
    service = import_module("semantic_kernel.connectors.ai.open_ai")
    functions = import_module("semantic_kernel.functions")
    function = functions.KernelFunctionFromMethod(functions.kernel_function(lookup, name="lookup"), "tools")
    plugin = functions.KernelPlugin("tools", functions=[function])

    def run() -> Any:
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0)
        chat = service.OpenAIChatCompletion(MODEL, async_client=client)
        agent = agents.ChatCompletionAgent(
            service=chat, name="helper", instructions=_SYSTEM, plugins=[plugin]
        )
        return agent.get_response(_USER)

    yield from runs(server, run, "tools-lookup")


def _google_adk(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    models, agents = import_module("google.adk.models.lite_llm"), import_module("google.adk.agents")
    runners, types = import_module("google.adk.runners"), import_module("google.genai.types")

    async def run() -> None:
        model = models.LiteLlm(f"openai/{MODEL}", api_base=server.base_url, api_key="k", max_retries=0)
        agent = agents.Agent(model=model, name="helper", instruction=_SYSTEM, tools=[lookup])
        runner = runners.InMemoryRunner(agent, app_name="app")
        session = await runner.session_service.create_session(app_name="app", user_id="u")
        message = types.Content(role="user", parts=[types.Part(text=_USER)])
        async for _ in runner.run_async(user_id="u", session_id=session.id, new_message=message):
            pass

    yield from runs(server, run)


def _autogen(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    models, agents = import_module("autogen_ext.models.openai"), import_module("autogen_agentchat.agents")

    def run() -> Any:
        client = models.OpenAIChatCompletionClient(
            model=MODEL, base_url=server.base_url, api_key="k", max_retries=0
        )
        agent = agents.AssistantAgent(
            "helper", client, tools=[lookup], system_message=_SYSTEM, reflect_on_tool_use=True
        )
        return agent.run(task=_USER)

    yield from runs(server, run)


def _litellm(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    litellm: Any = import_module("litellm")
    litellm.callbacks = ["otel"]
    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]

    async def run() -> None:
        wanted = {"api_base": server.base_url, "api_key": "k", "max_retries": 0}
        await litellm.acompletion(model=f"openai/{MODEL}", messages=messages, **wanted)
        await asyncio.sleep(1)  # its callbacks run afterwards, in the event loop

    for name, call in runs(server, run):
        if name != "agent":
            yield name, call


def _mcp(server: ModelServer, seen: Seen) -> Calls:
    del server  # it talks to itself
    trace.set_tracer_provider(seen.provider)
    mcp = import_module("mcp")

    async def run() -> None:
        tools = import_module("mcp.server.mcpserver").MCPServer("tools")
        tools.tool()(lookup)
        async with mcp.Client(tools) as client:
            await client.call_tool("lookup", {"city": SAID})

    yield "tool", lambda: asyncio.run(run())


RECIPES: Final = {
    "pydantic_ai": Recipe(("pydantic-ai-slim[openai]",), _pydantic_ai),
    "strands": Recipe(("strands-agents", "openai"), _strands),
    "strands_anthropic": Recipe(("strands-agents[anthropic]>=1.60",), _strands_anthropic),
    "agent_framework": Recipe(
        ("agent-framework-core", "agent-framework-openai"),
        _agent_framework,
        {"ENABLE_SENSITIVE_DATA": "true"},
    ),
    "semantic_kernel": Recipe(
        ("semantic-kernel",),
        _semantic_kernel,
        {"SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE": "true"},
    ),
    "google_adk": Recipe(
        ("google-adk", "litellm", "mcp"), _google_adk, {"ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS": "true"}
    ),
    "autogen": Recipe(("autogen-agentchat", "autogen-ext[openai]"), _autogen),
    "litellm": Recipe(("litellm",), _litellm),
    "mcp": Recipe(("mcp",), _mcp),
}
