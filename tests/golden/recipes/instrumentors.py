"""Instrumentations of model clients, and a client that traces itself."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tests.golden.recipes.recipe import (
    Calls,
    Recipe,
    anthropic_calls,
    anthropic_client,
    bedrock_calls,
    bedrock_client,
    mistral_calls,
    mistral_client,
    openai_calls,
    openai_client,
    xai_calls,
    xai_client,
)

if TYPE_CHECKING:
    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

_CONTENT: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "TRACELOOP_TRACE_CONTENT": "true",
}


def _instrumented(module: str, **more: str) -> Recipe:
    """An OpenTelemetry instrumentor of a client, in a distribution that is named as its ``module``."""
    client = module.rpartition(".")[2]

    def calls(server: ModelServer, seen: Seen) -> Calls:
        kind = getattr(
            import_module(module), "OpenAIInstrumentor" if client == "openai" else "AnthropicInstrumentor"
        )
        kind().instrument(tracer_provider=seen.provider)
        if client == "openai":
            yield from openai_calls(server, openai_client(server))
        else:
            yield from anthropic_calls(server, anthropic_client(server, **_untraced()))

    return Recipe((client, module.replace(".", "-")), calls, {**_CONTENT, **more})


def _untraced() -> dict[str, Any]:
    """Clients that trace themselves shall not do it beside the package under test."""
    return {"open_telemetry": False}


def _anthropic_native(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    yield from anthropic_calls(server, anthropic_client(server))


def _botocore(server: ModelServer, seen: Seen) -> Calls:
    kind = import_module("opentelemetry.instrumentation.botocore").BotocoreInstrumentor
    kind().instrument(tracer_provider=seen.provider)
    with bedrock_client(server) as client:
        yield from bedrock_calls(server, client)


def _mistral_native(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    yield from mistral_calls(server, mistral_client(server))


def _xai_native(server: ModelServer, seen: Seen) -> Calls:
    trace.set_tracer_provider(seen.provider)
    yield from xai_calls(server, xai_client(server))


RECIPES: Final = {
    "openllmetry": _instrumented("opentelemetry.instrumentation.openai"),
    "openllmetry_anthropic": _instrumented("opentelemetry.instrumentation.anthropic"),
    "openinference": _instrumented("openinference.instrumentation.openai"),
    "openinference_genai": _instrumented(
        "openinference.instrumentation.openai", OPENINFERENCE_ENABLE_GENAI_SEMCONV="true"
    ),
    "openinference_anthropic": _instrumented("openinference.instrumentation.anthropic"),
    "genai_openai": _instrumented("opentelemetry.instrumentation.genai.openai"),
    "genai_anthropic": _instrumented("opentelemetry.instrumentation.genai.anthropic"),
    "botocore": Recipe(("boto3", "opentelemetry-instrumentation-botocore"), _botocore, _CONTENT),
    "mistral_native": Recipe(("mistralai",), _mistral_native, {"MISTRAL_SDK_TELEMETRY": "global"}),
    "anthropic_native": Recipe(("anthropic",), _anthropic_native),
    "xai_native": Recipe(("xai-sdk",), _xai_native),
}
