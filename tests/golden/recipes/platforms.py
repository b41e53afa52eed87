"""SDKs of observability platforms, which trace model clients in names of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tests.golden.recipes.recipe import (
    MODEL,
    SAID,
    Calls,
    Recipe,
    anthropic_calls,
    anthropic_client,
    openai_calls,
    openai_client,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _vercel_ai(server: ModelServer, seen: Seen) -> Calls:
    """A library of JavaScript: needs node and npm."""
    folder = Path(tempfile.mkdtemp())
    packages = ("ai", "@ai-sdk/openai", "@opentelemetry/api", "@opentelemetry/sdk-trace-node")
    subprocess.run(["npm", "install", "--silent", "--prefix", folder, *packages], check=True)
    script = shutil.copy(Path(__file__).with_name("vercel_ai.mjs"), folder)
    for name in packages:
        about = json.loads((folder / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
        seen.packages[name] = about["version"]

    def run(name: str) -> None:
        wanted = {"MODELS": server.base_url, "MODEL": MODEL, "SAID": SAID, "CALL": name}
        done = subprocess.run(
            ["node", script], check=True, stdout=subprocess.PIPE, env={**os.environ, **wanted}
        )
        seen.ended.extend(json.loads(done.stdout.splitlines()[-1]))

    for name, _ in openai_calls(server, None):
        yield name, partial(_answered, server, name, partial(run, name))


def _answered(server: ModelServer, name: str, run: Callable[[], None]) -> None:
    if name == "error":
        server.reply(status=429, directives="leak")
    elif name == "tools":
        server.reply(tool_calls={"lookup": {"city": SAID}})
    elif name != "embeddings":
        server.reply(f"{SAID} of the model")
    run()


RECIPES: Final = {
    "logfire": Recipe(("logfire", "openai"), _logfire_openai),
    "logfire_anthropic": Recipe(("logfire", "anthropic"), _logfire_anthropic),
    "langfuse": Recipe(("langfuse", "openai"), _langfuse),
    "openlit": Recipe(("openlit", "openai"), _openlit_openai),
    "openlit_anthropic": Recipe(("openlit", "anthropic"), _openlit_anthropic),
    "mlflow": Recipe(("mlflow", "openai"), _mlflow_openai),
    "vercel_ai": Recipe((), _vercel_ai),
    "mlflow_anthropic": Recipe(("mlflow", "anthropic"), _mlflow_anthropic),
}
