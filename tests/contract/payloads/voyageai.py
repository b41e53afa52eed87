"""The Voyage AI client: nothing of its streams, and no answer says who gave it."""

from __future__ import annotations

import os
from typing import Any

import voyageai
from tenacity import wait_none

from tests.contract.payload import CANARY, Case, Payload

_voyageai: Any = voyageai  # which says neither what it exports nor what a proxy is
# Its calls reach the model server by a proxy, and one of its HTTP libraries does not ask the environment for that.
_voyageai.proxy = os.environ.get("HTTP_PROXY")


def _hurrying(controller: Any) -> Any:
    """Retries that come at once; the client's wait for a second and more."""
    controller.wait = wait_none()
    return controller


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **options: Any) -> Any:
    kind: Any = _voyageai.AsyncClient if asynchronous else _voyageai.Client
    client = kind(**{"api_key": "sk-test", "max_retries": max_retries + 1, **options})
    if hasattr(client, "retry_controller"):  # of older versions, which know the address by another name
        _hurrying(client.retry_controller)
    else:
        make = client._make_retry_controller
        client._make_retry_controller = lambda: _hurrying(make())
    client._params["base_url" if "base_url" in client._params else "api_base"] = base_url
    return client


def _limit(client: Any, seconds: float) -> None:
    client._params["request_timeout"] = seconds


_TOKENS = {"gen_ai.usage.input_tokens": 12}
_CASES = (
    Case(
        "embed",
        lambda model: {"texts": [CANARY, CANARY], "model": model, "output_dimension": 4},
        {**_TOKENS, "gen_ai.embeddings.dimension.count": 4},
        operation="embeddings",
        raw=(),
    ),
    Case(
        "multimodal_embed",
        lambda model: {"inputs": [[CANARY], [CANARY]], "model": model},
        {**_TOKENS, "gen_ai.usage.text.input_tokens": 4},
        operation="embeddings",
        raw=(),
    ),
    Case(
        "contextualized_embed",
        lambda model: {"inputs": [[CANARY, CANARY]], "model": model, "output_dtype": "float"},
        {**_TOKENS, "gen_ai.request.encoding_formats": ("float",)},
        operation="embeddings",
        raw=(),
    ),
    Case(
        "rerank",
        lambda model: {"query": CANARY, "documents": [CANARY, CANARY], "model": model},
        _TOKENS,
        operation="rerank",
        raw=(),
    ),
)

PAYLOAD = Payload(
    client="voyageai",
    provider="voyage_ai",
    make=_make,
    model="voyage-3.5",
    host="api.voyageai.com",
    limit=_limit,
    http_spans=False,
    choices=None,
    cases=tuple(case for case in _CASES if hasattr(_voyageai.Client, case.path)),
)
