"""Voyage AI: embeddings of texts, of chunks in their context, of images and videos; reranking.

A call is one span, retries included.  The old functions of the module, which are to go away, give vectors and nothing
else, so their spans have no usage.  A model that the client runs in this process has no server.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._hosts import peer_at
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer

# --- whom a call goes to: what the client says, or the arguments of a function, else the module --------------------

_VENDOR: Final = "voyage_ai"
_HERE: Final = ""
"""In place of an address where the model runs in this process."""


def _address(subject: Any) -> str:
    return subject if isinstance(subject, str) else _said(subject._params)  # noqa: SLF001 - where a client keeps it


def _said(given: Mapping[str, Any]) -> str:
    address = given.get("base_url")
    return address or _otherwise(given)


def _otherwise(given: Mapping[str, Any]) -> str:
    """What older versions called it, or the vendor's own."""
    module = sys.modules.get("voyageai")
    address = given.get("api_base") or getattr(module, "api_base", None)
    if isinstance(address, str):
        return address
    key = given.get("api_key") or getattr(module, "api_key", None) or os.environ.get("VOYAGE_API_KEY")
    return _OF_MONGODB if isinstance(key, str) and key.startswith("al-") else _OF_VOYAGE


_OF_VOYAGE: Final = "https://api.voyageai.com/v1"
_OF_MONGODB: Final = "https://ai.mongodb.com/v1"


def _peer(subject: Any) -> Peer:
    address = _address(subject)
    return peer_at(address, _VENDOR) if address else Peer(_VENDOR)


# --- facts ---------------------------------------------------------------------------------------------------------


def _encoding(facts: Facts, value: Any) -> None:
    if isinstance(value, str):
        facts[semconv.REQUEST_ENCODING_FORMATS] = (value,)


_request: Final = requests.request(
    {"output_dimension": semconv.EMBEDDINGS_DIMENSION_COUNT, "output_dtype": _encoding}
)


def _response(result: Any) -> Facts:
    facts: Facts = {semconv.USAGE_INPUT_TOKENS: result.total_tokens}
    texts = getattr(result, "text_tokens", None)
    if texts:
        facts[semconv.USAGE_TEXT_INPUT_TOKENS] = texts
    return facts


def _errors(error: BaseException) -> Facts:
    facts: Facts = {}
    status = getattr(error, "http_status", None)
    if isinstance(status, int):
        facts[semconv.HTTP_STATUS] = status
    headers: Any = getattr(error, "headers", None) or {}
    request_id = headers.get("request-id") or headers.get("x-request-id")
    if isinstance(request_id, str):
        facts[semconv.REQUEST_ID] = request_id
    return facts


# --- the endpoints -------------------------------------------------------------------------------------------------


def _routed(endpoint: Endpoint) -> Endpoint:
    def route(client: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any], str]:
        model = arguments.get("model")
        if model is None:
            model = getattr(sys.modules.get("voyageai"), "VOYAGE_EMBED_DEFAULT_MODEL", None)
            arguments = {**arguments, "model": model}
        if _is_here(model):
            return endpoint, arguments, _HERE
        return endpoint, arguments, _said(arguments) if client is None else _address(client)

    return replace(endpoint, route=route, routes=(endpoint,))


def _is_here(model: Any) -> bool:
    registry = sys.modules.get("voyageai.local.model_registry")
    return registry is not None and type(model) is str and model in registry.SUPPORTED_MODELS


_embed: Final[dict[str, Any]] = {
    "operation": semconv.EMBEDDINGS,
    "request": _request,
    "response": _response,
    "positional": ("texts", "model", "input_type", "truncation", "output_dtype", "output_dimension"),
}
_METHODS: Final[dict[str, dict[str, Any]]] = {
    "embed": _embed,
    "multimodal_embed": _embed,
    "contextualized_embed": {
        **_embed,
        "positional": ("inputs", "model", "input_type", "output_dtype", "output_dimension"),
    },
    "rerank": {
        "operation": semconv.RERANK,
        "response": _response,
        "positional": ("query", "documents", "model"),
    },
}


def _functions() -> Iterator[Endpoint]:
    for name in ("get_embedding", "get_embeddings"):
        for kind in ("", "a"):
            yield Endpoint(
                f"voyageai:{kind}{name}",
                semconv.EMBEDDINGS,
                asynchronous=bool(kind),
                positional=("text", "model"),
            )


SPEC: Final = ClientSpec(
    name="voyageai",
    requires="voyageai >= 0.3.2, < 1",
    connection=_address,
    peer=_peer,
    errors=_errors,
    endpoints=(
        *(
            _routed(Endpoint(f"voyageai.client{module}:{kind}.{name}", asynchronous=bool(module), **fields))
            for module, kind in (("", "Client"), ("_async", "AsyncClient"))
            for name, fields in _METHODS.items()
        ),
        *map(_routed, _functions()),
    ),
)
