"""Azure AI Inference: chat and embeddings of any model that is deployed there.

The client drops a chunk without choices, that which tells of an error in the middle of a stream among them: the program
sees a stream that ends too soon.  It is found in the bytes of its block.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._hosts import peer_at
from genai_otel.clients._parts import get
from genai_otel.clients._stainless import errors
from genai_otel.spec import Blocks, ClientSpec, Endpoint, Facts, Peer, StreamFailed, Streaming

_VENDOR: Final = "azure.ai.inference"
_OPENAI: Final = "azure.ai.openai"


def _connection(client: Any) -> object:
    return client._config  # noqa: SLF001 - one object per client, which holds its address


_DEPLOYMENT: Final = re.compile(r"/deployments/([^/?]+)")


def _peer(client: Any) -> Peer:
    """Azure OpenAI's addresses name the model; a client that was asked which one it serves knows."""
    endpoint: str = client._config.endpoint  # noqa: SLF001 - see above
    peer = peer_at(endpoint, _VENDOR)
    deployed = _DEPLOYMENT.search(endpoint)
    info = getattr(client, "_model_info", None)
    return peer._replace(
        provider=_OPENAI if peer.provider == _OPENAI else _VENDOR,
        model=client._model or (deployed and deployed.group(1)) or getattr(info, "model_name", None),  # noqa: SLF001 - see above
    )


# --- facts ---------------------------------------------------------------------------------------


def _stored(model: Any) -> Any:
    """What the vendor sent, as the model holds it: read through the model, a value is converted at each look."""
    return getattr(model, "_data", model)


def _first(facts: Facts, result: Any) -> None:
    """Who answers."""
    _identity(facts, _stored(result))


def _identity(facts: Facts, held: Any) -> None:
    if held.get("id"):
        facts[semconv.RESPONSE_ID] = held["id"]
    if held.get("model"):
        facts[semconv.RESPONSE_MODEL] = held["model"]


def _response(result: Any) -> Facts:
    facts: Facts = {}
    held = _stored(result)
    _identity(facts, held)
    choices = held.get("choices")
    if choices:
        reasons = [_stored(choice).get("finish_reason") or "error" for choice in choices]
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)
    elif choices is None:  # as embeddings have none, too
        results.refused(facts, held)
    usage = held.get("usage")
    if usage:
        results.usage_facts(facts, _stored(usage))
    return facts


# A reason, usage, an error.  The quotes of texts are masked, so that none says such a thing.
_TELLING: Final = rb'"finish_reason" *: *"|"usage" *: *\{|"error"'


def _chat_chunk(facts: Facts, chunk: Any) -> None:
    held = _stored(chunk)
    for choice in held.get("choices") or ():
        if getattr(choice, "_data", choice).get("finish_reason"):
            _identity(facts, held)
            results.finished(facts, choice)
    usage = held.get("usage")
    if usage:
        results.usage_facts(facts, _stored(usage))


def _errors(error: BaseException) -> Facts:
    """What any API error tells; this vendor's gateways have ids of the request in headers of their own."""
    facts = errors(error)
    headers = get(get(error, "response"), "headers")
    if headers is not None and not facts.get(semconv.REQUEST_ID):
        found = headers.get("x-ms-request-id") or headers.get("apim-request-id")
        if isinstance(found, str):
            facts[semconv.REQUEST_ID] = found
    return facts


def _block(block: bytes) -> None:
    if b'"error"' in block:
        for event in block.split(b"data: ")[1:]:
            try:
                error = json.loads(event).get("error")
            except (ValueError, AttributeError):
                continue
            if error:
                raise StreamFailed(results.kind_of(error))


# --- requests: a format has classes and words of its own ---------------------------------------------


def _format(facts: Facts, value: Any) -> None:
    kind = value if isinstance(value, str) else get(value, "type") or "json"  # of the class of a schema
    facts[semconv.OUTPUT_TYPE] = "json" if str(kind).startswith("json") else "text"


_CHAT: Final = {**requests.CHAT, "response_format": _format}

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
} | {"_internal_response_format": "response_format"}


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
_STREAMING: Final = Streaming(
    stepped=True,
    asks=lambda _: False,
    blocks=Blocks("_bytes_iterator", "_queue", telling=_TELLING, check=_block),
)


def _endpoints(module: str, asynchronous: bool) -> tuple[Endpoint, ...]:
    chat = Endpoint(
        f"{module}:ChatCompletionsClient.complete",
        semconv.CHAT,
        asynchronous=asynchronous,
        request=requests.request(_CHAT),
        response=_response,
        first=_first,
        chunk=_chat_chunk,
        content=messages.CHAT,
        positional=("body",),
        streaming=_STREAMING,
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
    errors=_errors,
    endpoints=(
        *_endpoints("azure.ai.inference._patch", asynchronous=False),
        *_endpoints("azure.ai.inference.aio._patch", asynchronous=True),
    ),
)
