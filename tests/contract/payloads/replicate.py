"""The Replicate client, sync and async in one: what an async program calls begins with ``async_``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx
import replicate

from tests.contract.payload import CANARY, Case, Payload


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **options: Any) -> Any:
    del max_retries  # it tries again only what changes nothing
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here; with a transport of its
    # own, which this client always has, httpx does not ask the environment for a proxy.
    kind: Any = httpx.AsyncHTTPTransport if asynchronous else httpx.HTTPTransport
    transport = kind(verify=False, proxy=os.environ.get("HTTP_PROXY"))
    chosen = {"api_token": "sk-test", "transport": transport, **options}
    module: Any = replicate  # which does not say what it exports
    client = module.Client(base_url=base_url.removesuffix("/v1"), **chosen)
    client.asynchronous = asynchronous
    client.close = client._async_client.aclose if asynchronous else client._client.close
    return client


def _limit(client: Any, seconds: float) -> None:
    """Whatever a request of the client says itself."""

    def hurry(request: Any) -> None:
        request.extensions["timeout"] = httpx.Timeout(seconds).as_dict()

    async def hurry_too(request: Any) -> None:
        hurry(request)

    if client.asynchronous:
        client._async_client.event_hooks = {"request": [hurry_too]}
    else:
        client._client.event_hooks = {"request": [hurry]}


class OfBoth(Case):
    """A case of a client that is sync and async."""

    def on(self, client: Any, path: str) -> str:
        resource, dot, method = path.rpartition(".")
        return f"{resource}{dot}{'async_' if client.asynchronous else ''}{method}"


def _input(**more: Any) -> Mapping[str, Any]:
    return {"input": {"prompt": CANARY, "temperature": 0.5}, **more}


_REQUEST = {"gen_ai.request.temperature": 0.5}
_USAGE = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7}
_TOOK = {**_USAGE, "genai_otel.response.compute_time": 0.25}
_MADE = {
    **_REQUEST,
    "gen_ai.response.id": ...,
    "gen_ai.response.model": "meta/llama-3",
}
_DONE = {**_MADE, **_TOOK, "gen_ai.response.status": "completed"}

PAYLOAD = Payload(
    client="replicate",
    provider="replicate",
    make=_make,
    model="meta/llama-3",
    host="api.replicate.com",
    limit=_limit,
    retries=False,
    choices=None,
    refuses_arguments=False,
    error_facts={"genai_otel.response.compute_time": None},
    cases=(
        OfBoth(
            "run",
            lambda model: _input(ref=model, wait=True),
            _DONE,
            operation="generate_content",
            streamed=dict.fromkeys(_TOOK),
            stream_path="stream",
            raw=(),
            model_argument="ref",
        ),
        OfBoth(
            "models.predictions.create",
            lambda model: _input(model=model, wait=True),
            _DONE,
            operation="generate_content",
            raw=(),
        ),
        OfBoth(
            "deployments.predictions.create",
            lambda model: _input(deployment=model, wait=True),
            _DONE,
            operation="generate_content",
            raw=(),
            model_argument="deployment",
        ),
        OfBoth(
            "predictions.create",
            lambda model: _input(version=model),
            {**_MADE, "gen_ai.response.status": "queued"},
            operation="generate_content",
            raw=(),
            model_argument="version",
        ),
    ),
)
