"""The Google Gen AI client."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from tests.contract.payload import CANARY, Case, Payload

# An empty one: reading the system's certificates takes longer than a call, and nobody speaks TLS here.
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    attempts = 1 + options.pop("max_retries", 0)
    http = types.HttpOptions(
        base_url=base_url,
        retry_options=types.HttpRetryOptions(
            attempts=attempts, initial_delay=0.001, max_delay=0.001, jitter=0.0
        ),
        client_args={"verify": _TLS},
        async_client_args={"verify": _TLS, "ssl": _TLS},
        **options.pop("http_options", {}),
    )
    if find_spec("aiohttp") and "httpx_async_client" in types.HttpOptions.model_fields:
        # Else aiohttp is used, where it is there; test_transport has it.
        http.httpx_async_client = httpx2.AsyncClient(verify=_TLS, timeout=None)
    elif find_spec(
        "aiohttp"
    ):  # which older ones give a limit of time for connecting alone: as if it was not there
        vars(import_module("google.genai._api_client"))["has_aiohttp"] = False
    chosen: dict[str, Any] = {"api_key": "sk-test", **options}
    client = genai.Client(**chosen, http_options=http)
    if not asynchronous:
        return client
    aio: Any = client.aio
    aio.whole = client  # which closes the transport of both when it is collected
    return aio


_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.usage.text.input_tokens": 7,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.text.output_tokens": 4,
}
_ANSWER = {
    **_USAGE,
    "gen_ai.response.model": "gemini-3-flash-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
}
_COUNTED = "usage_metadata" in types.EmbedContentResponse.model_fields


_INTERACTION = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.usage.text.input_tokens": 12,
    "gen_ai.response.model": "gemini-3-flash-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.status": "completed",
    "gen_ai.response.finish_reasons": ("stop",),
}


_JOB = {"gen_ai.response.id": ...}


def _content(model: str) -> dict[str, Any]:
    return {"model": model, "contents": CANARY}


def _timeout(seconds: float) -> Mapping[str, Any]:
    return {"config": {"http_options": {"timeout": int(seconds * 1000)}}}


PAYLOAD = Payload(
    client="google_genai",
    provider="gcp.gemini",
    make=_make,
    model="gemini-3-flash",
    host="generativelanguage.googleapis.com",
    timeout=_timeout,
    choices=lambda count: {"config": {"candidate_count": count}},
    error_facts={},
    calling="stop",
    tells_errors=hasattr(errors.APIError, "raise_error"),  # older ones take an error for an empty chunk
    cases=(
        Case(
            "models.generate_content",
            _content,
            _ANSWER,
            operation="generate_content",
            streamed={},
            stream_path="models.generate_content_stream",
            raw=(),
            inner=True,
        ),
        Case(
            "models.embed_content",
            lambda model: {**_content(model), "config": {"output_dimensionality": 4}},
            {
                "gen_ai.embeddings.dimension.count": 4,
                **({"gen_ai.usage.input_tokens": 12} if _COUNTED else {}),
            },
            operation="embeddings",
            raw=(),
        ),
        *(
            (
                Case(
                    "interactions.create",
                    lambda model: {"model": model, "input": CANARY},
                    _INTERACTION,
                    operation="generate_content",
                    streamed={},
                    raw=(),
                ),
            )
            if hasattr(genai.Client, "interactions")
            else ()
        ),
        Case("models.count_tokens", _content, {}, operation="count_tokens", raw=()),
        Case(
            "batches.create",
            lambda model: {"model": model, "src": [{"contents": CANARY}]},
            {
                "gen_ai.response.model": "gemini-3-flash-2024-07-18",
                **_JOB,
                "gen_ai.response.status": "queued",
            },
            operation="create_batch",
            raw=(),
        ),
    ),
)
