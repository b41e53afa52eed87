"""LangChain, and others' instrumentors of it."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tests.golden.recipes.frameworks import lookup, runs
from tests.golden.recipes.recipe import MODEL, SAID, Calls, Recipe

if TYPE_CHECKING:
    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

_SYSTEM: Final = f"{SAID} of the system"
_USER: Final = f"{SAID} of the user"
_EXPLICIT: Final = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "langchain"}
"""Two packages here instrument LangChain, and a run is of one of them or of none."""


def _langchain(server: ModelServer, seen: Seen) -> Calls:
    del seen
    chat = import_module("langchain_openai").ChatOpenAI
    agent: Any = import_module("langchain.agents").create_agent

    model = chat(model=MODEL, base_url=server.base_url, api_key="k", max_retries=0)

    async def run() -> None:
        said = {"messages": [{"role": "user", "content": _USER}]}
        agent(model, tools=[lookup], system_prompt=_SYSTEM).invoke(
            said
        )  # its async client outlives an event loop

    yield from runs(server, run)

    async def streamed() -> None:
        server.reply(f"{SAID} of the model")
        async for _ in model.astream(_USER, stream_usage=True):
            pass

    yield "stream", lambda: asyncio.run(streamed())

    def unknown() -> None:
        server.reply(f"{SAID} of the model")
        for _ in model.stream(_USER, stream_usage=False):
            pass

    yield "stream of unknown usage", unknown


def _traced_langchain(module: str, kind: str) -> Recipe:
    """LangChain with another's instrumentor of it: its spans come from callbacks and are never current."""

    def calls(server: ModelServer, seen: Seen) -> Calls:
        getattr(import_module(module), kind)().instrument(tracer_provider=seen.provider)
        yield from _langchain(server, seen)

    return Recipe(("langchain", "langchain-openai", module.replace(".", "-")), calls, _EXPLICIT)


LANGCHAIN: Final = Recipe(("langchain", "langchain-openai"), _langchain, _EXPLICIT)
RECIPES: Final = {
    "openinference_langchain": _traced_langchain(
        "openinference.instrumentation.langchain", "LangChainInstrumentor"
    ),
    "openllmetry_langchain": _traced_langchain(
        "opentelemetry.instrumentation.langchain", "LangchainInstrumentor"
    ),
}
