"""Instrumentations of model clients."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from tests.golden.recipes.recipe import Calls, Recipe, openai_calls, openai_client

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from genai_otel.testing import ModelServer


def _instrumented(module: str, name: str) -> Recipe:
    """An OpenTelemetry instrumentor of the OpenAI client with its distribution's name as ``module``, less dots."""

    def calls(server: ModelServer, provider: TracerProvider) -> Calls:
        getattr(import_module(module), name)().instrument(tracer_provider=provider)
        yield from openai_calls(server, openai_client(server))

    return Recipe(("openai", module.replace(".", "-").replace("_", "-")), calls, _CONTENT)


_CONTENT: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "TRACELOOP_TRACE_CONTENT": "true",
}

RECIPES: Final = {
    "openllmetry": _instrumented("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
    "openinference": _instrumented("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    "genai_openai": _instrumented("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
}
