"""The Mistral client: one class with sync methods and async ones beside them."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any

from tests.contract.payload import CANARY, Case, Payload

_MAJOR = int(metadata.version("mistralai").partition(".")[0])
_package: Any = importlib.import_module("mistralai" if _MAJOR < 2 else "mistralai.client")
_utils: Any = importlib.import_module(f"{_package.__name__}.utils")
_http: Any = importlib.import_module("httpx" if _MAJOR < 3 else "httpx2")

_PAUSE = 700  # milliseconds


class Client(_package.Mistral):
    """A client that is used for its sync methods, and can be closed."""

    def close(self) -> None:
        self.sdk_configuration.client.close()


class AsyncClient(_package.Mistral):
    """A client that is used for its async methods."""

    async def close(self) -> None:
        await self.sdk_configuration.async_client.aclose()


def _make(
    base_url: str, asynchronous: bool, *, max_retries: int = 0, native: bool = False, **options: Any
) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    if asynchronous:
        options = {"async_client": _http.AsyncClient(verify=False), **options}
    else:
        options = {"client": _http.Client(verify=False), **options}
    if max_retries:
        # Its retries are limited by time alone: as many as are wanted begin before it is over.
        backoff = _utils.BackoffStrategy(_PAUSE, _PAUSE, 1.0, _PAUSE * max_retries - 100)
        options = {"retry_config": _utils.RetryConfig("backoff", backoff, True), **options}
    kind: Any = AsyncClient if asynchronous else Client
    client = kind(api_key="sk-test", server_url=base_url.removesuffix("/v1"), **options)
    return client if native or _MAJOR > 1 else _silent(client)


def _silent(client: Any) -> Any:
    """Without the tracing of its own, which the first major has no switch for; test_native has it."""
    every: dict[str, list[Any]] = client.sdk_configuration._hooks.__dict__
    for name, hooks in every.items():
        if name.endswith("_hooks"):
            hooks[:] = [hook for hook in hooks if type(hook).__name__ != "TracingHook"]
    return client


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_ANSWER = {
    "gen_ai.response.model": "mistral-small-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
}

PAYLOAD = Payload(
    client="mistralai",
    provider="mistral_ai",
    make=_make,
    model="mistral-small",
    host="api.mistral.ai",
    timeout=lambda seconds: {"timeout_ms": int(seconds * 1000)},
    cases=(
        Case(
            "chat.complete",
            lambda model: {"model": model, "messages": MESSAGES},
            _ANSWER,
            streamed={},
            stream_path="chat.stream",
            suffix="_async",
            raw=(),
        ),
        Case(
            "agents.complete",  # the id tells the model server which model and directives are meant
            lambda model: {"agent_id": model, "messages": MESSAGES[1:]},
            {**_ANSWER, "gen_ai.agent.id": ...},
            streamed={},
            stream_path="agents.stream",
            suffix="_async",
            raw=(),
            named=False,
        ),
        Case(
            "fim.complete",
            lambda model: {"model": model, "prompt": CANARY, "suffix": CANARY},
            _ANSWER,
            operation="text_completion",
            streamed={},
            stream_path="fim.stream",
            suffix="_async",
            raw=(),
        ),
        Case(
            "embeddings.create",
            lambda model: {"model": model, "inputs": [CANARY, CANARY]},
            {
                "gen_ai.response.model": "mistral-small",
                "gen_ai.response.id": ...,
                "gen_ai.usage.input_tokens": 12,
            },
            operation="embeddings",
            suffix="_async",
            raw=(),
        ),
    ),
)
