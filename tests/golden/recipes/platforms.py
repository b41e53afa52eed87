"""SDKs of observability platforms, which trace model clients in names of their own."""

from __future__ import annotations

import tempfile
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tests.golden.recipes.recipe import (
    Calls,
    Recipe,
    anthropic_calls,
    anthropic_client,
    openai_calls,
    openai_client,
)

if TYPE_CHECKING:
    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen


def _logfire(seen: Seen, client: Any) -> None:
    logfire = import_module("logfire")
    logfire.configure(send_to_logfire=False, console=False, metrics=False, additional_span_processors=[seen])
    getattr(logfire, f"instrument_{type(client).__module__.partition('.')[0]}")(client)


def _logfire_openai(server: ModelServer, seen: Seen) -> Calls:
    client = openai_client(server)
    _logfire(seen, client)
    yield from openai_calls(server, client)


def _logfire_anthropic(server: ModelServer, seen: Seen) -> Calls:
    client = anthropic_client(server, open_telemetry=False)
    _logfire(seen, client)
    yield from anthropic_calls(server, client)


def _langfuse(server: ModelServer, seen: Seen) -> Calls:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    import_module("langfuse").Langfuse(
        public_key="pk-lf-test",
        secret_key="sk-lf-test",
        base_url=server.url,
        tracer_provider=seen.provider,
        span_exporter=InMemorySpanExporter(),
    )
    yield from openai_calls(server, openai_client(server, import_module("langfuse.openai").OpenAI))


def _openlit(seen: Seen) -> None:
    trace.set_tracer_provider(seen.provider)
    import_module("openlit").init(disable_batch=True, disable_metrics=True, pricing_json="{}")


def _openlit_openai(server: ModelServer, seen: Seen) -> Calls:
    _openlit(seen)
    yield from openai_calls(server, openai_client(server))


def _openlit_anthropic(server: ModelServer, seen: Seen) -> Calls:
    _openlit(seen)
    yield from anthropic_calls(server, anthropic_client(server))


def _mlflow(seen: Seen, client: str) -> None:
    import_module("mlflow").set_tracking_uri(f"sqlite:///{tempfile.mkdtemp()}/mlflow.db")
    import_module(f"mlflow.{client}").autolog()
    # Its spans go to a provider of its own, whatever is the global one.
    import_module("mlflow.tracing.provider").get_bridged_tracer_provider().add_span_processor(seen)


def _mlflow_openai(server: ModelServer, seen: Seen) -> Calls:
    _mlflow(seen, "openai")
    yield from openai_calls(server, openai_client(server))


def _mlflow_anthropic(server: ModelServer, seen: Seen) -> Calls:
    _mlflow(seen, "anthropic")
    yield from anthropic_calls(server, anthropic_client(server, open_telemetry=False))


RECIPES: Final = {
    "logfire": Recipe(("logfire", "openai"), _logfire_openai),
    "logfire_anthropic": Recipe(("logfire", "anthropic"), _logfire_anthropic),
    "langfuse": Recipe(("langfuse", "openai"), _langfuse),
    "openlit": Recipe(("openlit", "openai"), _openlit_openai),
    "openlit_anthropic": Recipe(("openlit", "anthropic"), _openlit_anthropic),
    "mlflow": Recipe(("mlflow", "openai"), _mlflow_openai),
    "mlflow_anthropic": Recipe(("mlflow", "anthropic"), _mlflow_anthropic),
}
