"""The Cohere client: the second version of its API as ``v2``, the first on top."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import httpx

from tests.contract.payload import CANARY, Case, Payload, offered

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # older ones use what Pydantic no longer wants
    import cohere

_RETRIES = (
    "max_retries" in inspect.signature(cohere.Client).parameters
)  # older ones retry what a call says alone


class _Closing:
    _client_wrapper: Any

    @property
    def transport(self) -> Any:
        return self._client_wrapper.httpx_client.httpx_client


class Client(_Closing, cohere.Client):
    """A client that can be closed."""

    def close(self) -> None:
        self.transport.close()


class AsyncClient(_Closing, cohere.AsyncClient):
    """An async client that can be closed."""

    async def close(self) -> None:
        await self.transport.aclose()


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **options: Any) -> Any:
    if _RETRIES:
        options = {"max_retries": max_retries, **options}
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (httpx.AsyncClient if asynchronous else httpx.Client)(verify=False)
    chosen = {"api_key": "sk-test", "httpx_client": transport, **options}
    kind: Any = AsyncClient if asynchronous else Client
    return kind(base_url=base_url.removesuffix("/v1"), **chosen)


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
}
_ANSWER = {
    **_USAGE,
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
}
_EMBEDDED = {"gen_ai.response.id": ..., "gen_ai.usage.input_tokens": 12}

PAYLOAD = Payload(
    client="cohere",
    provider="cohere",
    make=_make,
    model="command-a",
    host="api.cohere.com",
    timeout=lambda seconds: {"request_options": {"timeout_in_seconds": seconds}},
    retries=_RETRIES,
    choices=None,
    tools=offered,
    cases=(
        Case(
            "v2.chat",
            lambda model: {"model": model, "messages": MESSAGES},
            _ANSWER,
            streamed={},
            stream_path="v2.chat_stream",
            raw=(),
        ),
        Case(
            "v2.embed",
            lambda model: {"model": model, "texts": [CANARY, CANARY], "input_type": "search_query"},
            _EMBEDDED,
            operation="embeddings",
            raw=(),
        ),
        Case(
            "v2.rerank",
            lambda model: {"model": model, "query": CANARY, "documents": [CANARY, CANARY]},
            {"gen_ai.response.id": ...},
            operation="rerank",
            raw=(),
        ),
        Case(
            "generate",
            lambda model: {"model": model, "prompt": CANARY},
            _ANSWER,
            operation="text_completion",
            streamed=dict.fromkeys(_USAGE),
            stream_path="generate_stream",
            raw=(),
        ),
        Case(
            "embed",  # without batches, which are sent in threads that know no context
            lambda model: {"model": model, "texts": [CANARY, CANARY], "batching": False},
            _EMBEDDED,
            operation="embeddings",
            raw=(),
        ),
        Case(
            "rerank",
            lambda model: {"model": model, "query": CANARY, "documents": [CANARY, CANARY]},
            {"gen_ai.response.id": ...},
            operation="rerank",
            raw=(),
        ),
    ),
)
