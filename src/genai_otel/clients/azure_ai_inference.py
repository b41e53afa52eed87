"""Azure AI Inference: chat and embeddings of any model that is deployed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._hosts import peer_at
from genai_otel.clients._stainless import errors
from genai_otel.spec import Blocks, ClientSpec, Endpoint, Facts, Peer, Streaming

_VENDOR: Final = "azure.ai.inference"


def _connection(client: Any) -> object:
    return client._config  # noqa: SLF001 - one object per client, which holds its address


def _peer(client: Any) -> Peer:
    peer = peer_at(client._config.endpoint, _VENDOR)  # noqa: SLF001 - see above
    return peer._replace(provider=_VENDOR, model=client._model)  # noqa: SLF001 - see above


# --- facts ---------------------------------------------------------------------------------------


def _stored(model: Any) -> Any:
    """What the vendor sent, as the model holds it: read through the model, a value is converted at each look."""
    return getattr(model, "_data", model)


def _identity(facts: Facts, result: Any) -> None:
    held = _stored(result)
    if held.get("id"):
        facts[semconv.RESPONSE_ID] = held["id"]
    if held.get("model"):
        facts[semconv.RESPONSE_MODEL] = held["model"]


def _response(result: Any) -> Facts:
    facts: Facts = {}
    _identity(facts, result)
    held = _stored(result)
    choices = held.get("choices")
    if choices:
        reasons = [_stored(choice).get("finish_reason") or "error" for choice in choices]
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)
    usage = held.get("usage")
    if usage:
        results.usage_facts(facts, _stored(usage))
    return facts


def _chat_chunk(facts: Facts, chunk: Any) -> None:
    held = chunk._data  # noqa: SLF001 - see _stored
    for choice in held.get("choices") or ():
        if getattr(choice, "_data", choice).get("finish_reason"):
            _identity(facts, chunk)
            results.finished(facts, choice)
    usage = held.get("usage")
    if usage:
        results.usage_facts(facts, _stored(usage))


# --- the endpoints: what a call leaves out stands in the client, or the whole request in one argument ---------------

_DEFAULTS: Final = {
    f"_{name}": name
    for name in (
        *(
            "frequency_penalty",
            "presence_penalty",
            "temperature",
            "top_p",
            "max_tokens",
            "stop",
            "tools",
            "seed",
        ),
        *("dimensions", "encoding_format"),
    )
}


def _routed(endpoint: Endpoint) -> Endpoint:
    def route(client: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]]:
        body = arguments.get("body")
        if isinstance(body, Mapping):
            return routed, cast("Mapping[str, Any]", body)
        held: dict[str, Any] = client.__dict__
        extras: Mapping[str, Any] | None = arguments.get("model_extras") or held.get("_model_extras")
        if extras is not None or any(map(held.get, _DEFAULTS)):
            kept = {name: held[at] for at, name in _DEFAULTS.items() if held.get(at) is not None}
            return routed, {**kept, **arguments, **(extras or {})}
        return routed, arguments

    routed = replace(endpoint, route=route)
    return routed


# Usage in streams is not asked for: it takes `model_extras`, a header with it, and not every model has it.
def _streaming(reader: str) -> Streaming:
    return Streaming(
        blocks=Blocks(
            reader,
            queue="_queue",
            body=lambda stream: stream._response,  # noqa: SLF001 - its connection
        )
    )


def _endpoints(module: str, asynchronous: bool) -> tuple[Endpoint, ...]:
    chat = Endpoint(
        f"{module}:ChatCompletionsClient.complete",
        semconv.CHAT,
        asynchronous=asynchronous,
        request=requests.request(requests.CHAT),
        response=_response,
        first=_identity,
        chunk=_chat_chunk,
        content=messages.CHAT,
        positional=("body",),
        streaming=_streaming("_read_next_block_async" if asynchronous else "_read_next_block"),
    )
    texts, images = (
        Endpoint(
            f"{module}:{name}.embed",
            semconv.EMBEDDINGS,
            asynchronous=asynchronous,
            request=requests.request(requests.EMBEDDINGS),
            response=_response,
            positional=("body",),
        )
        for name in ("EmbeddingsClient", "ImageEmbeddingsClient")
    )
    return tuple(_routed(endpoint) for endpoint in (chat, texts, images))


SPEC: Final = ClientSpec(
    name="azure_ai_inference",
    requires="azure-ai-inference >= 1.0.0b9, < 2",
    connection=_connection,
    peer=_peer,
    errors=errors,
    instrumentors=("azure-ai-inference", "azure_ai_inference"),
    endpoints=(
        *_endpoints("azure.ai.inference._patch", asynchronous=False),
        *_endpoints("azure.ai.inference.aio._patch", asynchronous=True),
    ),
)
