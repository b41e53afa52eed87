"""Hugging Face's inference client: chat, text, embeddings, images, sound, video.

It asks the vendor's router, a provider with a key of its own, or an address.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _huggingface_text as text_generation
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._hosts import peer_at
from genai_otel.clients._huggingface_tasks import TASKS
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer

# --- whom a client talks to -----------------------------------------------------------------------

_VENDOR: Final = "hugging_face"
_ROUTER: Final = "https://router.huggingface.co"
_ITS_OWN: Final = frozenset({"", "auto", "hf-inference"})


def _connection(client: Any) -> object:
    return client.headers  # one object per client; the client itself would be kept alive


def _peer(client: Any) -> Peer:
    model = client.model
    if isinstance(model, str) and model.startswith(("http://", "https://")):
        return peer_at(model, _VENDOR)
    provider: str = client.provider or ""
    own = provider in _ITS_OWN
    routed = own or client.token is None or client.token.startswith("hf_")
    peer = peer_at(_ROUTER if routed else _address(provider), _VENDOR)
    return peer._replace(provider=_VENDOR if own else _name(provider), model=model)


def _name(provider: str) -> str:
    return "together_ai" if provider == "together" else provider.replace("-", "_")


def _address(provider: str) -> str:
    """Where a provider is reached with a key of its own: the client has a table of that."""
    table = getattr(sys.modules.get("huggingface_hub.inference._providers"), "PROVIDERS", {})
    return next((helper.base_url for helper in table.get(provider, {}).values()), "")


# --- the endpoints -------------------------------------------------------------------------------


def _errors(error: BaseException) -> Facts:
    facts: Facts = {}
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(status, int):
        facts[semconv.HTTP_STATUS] = status
    request_id = getattr(error, "request_id", None) or getattr(error.__cause__, "request_id", None)
    if isinstance(request_id, str):
        facts[semconv.REQUEST_ID] = request_id
    return facts


_ENDPOINTS: Final[dict[str, dict[str, Any]]] = {
    "chat_completion": {
        "operation": semconv.CHAT,
        "request": requests.request(requests.CHAT),
        "response": results.chat_response,
        "first": results.identity,
        "chunk": results.chat_chunk,
        "content": messages.CHAT,
        "positional": ("messages",),
        "with_usage": requests.with_usage,
        "hidden": requests.only_usage,
    },
    "text_generation": {
        "operation": semconv.TEXT_COMPLETION,
        "request": requests.request(text_generation.PARAMETERS),
        "response": text_generation.response,
        "chunk": text_generation.chunk,
        "content": text_generation.CONTENT,
        "positional": ("prompt",),
    },
    "feature_extraction": {
        "operation": semconv.EMBEDDINGS,
        "request": requests.request(requests.EMBEDDINGS),
        "positional": ("text",),
    },
    **TASKS,
}
_SYNC: Final = "huggingface_hub.inference._client:InferenceClient."
_ASYNC: Final = "huggingface_hub.inference._generated._async_client:AsyncInferenceClient."

SPEC: Final = ClientSpec(
    name="huggingface_hub",
    requires="huggingface_hub >= 1.0, < 3",
    connection=_connection,
    peer=_peer,
    errors=_errors,
    endpoints=(
        *(Endpoint(_SYNC + name, **fields) for name, fields in _ENDPOINTS.items()),
        *(Endpoint(_ASYNC + name, asynchronous=True, **fields) for name, fields in _ENDPOINTS.items()),
    ),
)
