"""Whom a call of litellm goes to, and what litellm hangs on its results beside the answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_results as results
from genai_otel.clients._hosts import peer_at
from genai_otel.clients._parts import Reader
from genai_otel.spec import Facts, Peer

_DEEPEST: Final = 5
"""Exceptions that are asked for an answer of the vendor's, of those that were made of one another."""
_REQUEST_IDS: Final = ("x-request-id", "request-id", "x-amzn-requestid", "x-debug-trace-id")
"""The headers by which vendors name a request."""
_ANSWERS_IDS: Final = tuple(f"llm_provider-{name}" for name in _REQUEST_IDS)
"""The same as litellm hands them on."""
_BESIDE: Final = ("provider_response_model", "additional_headers", "api_base")
_CACHE: Final = frozenset({"cache_hit", "cache_key"})
_INPUT: Final = semconv.USAGE_INPUT_TOKENS
_OUTPUT: Final = semconv.USAGE_OUTPUT_TOKENS
_MODEL: Final = semconv.RESPONSE_MODEL
_REQUEST_ID: Final = semconv.REQUEST_ID
_IS_TEXT: Final = str.__instancecheck__
_NAMES: Final = {
    "aiohttp_openai": "openai",
    "custom_openai": "openai",
    "openai_like": "openai",
    "text-completion-openai": "openai",
    "azure": "azure.ai.openai",
    "azure_text": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "anthropic_text": "anthropic",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "bedrock_mantle": "aws.bedrock",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "codestral": "mistral_ai",
    "mistral": "mistral_ai",
    "text-completion-codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "ai21_chat": "ai21",
    "hosted_vllm": "vllm",
    "huggingface": "hugging_face",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""litellm's names of providers where the convention, or our spec of the vendor's own client, has another."""


_KEPT: Final = 512
_found: dict[tuple[object, ...], tuple[Peer, str]] = {}


def whom(arguments: Mapping[str, Any]) -> tuple[Peer, Any]:
    """The peer of a call, always the same object for the same one, and the model as the peer knows it."""
    told = arguments.get
    key = (
        told("model"),
        told("custom_llm_provider"),
        told("api_base") or told("base_url") or getattr(_litellm(), "api_base", None),
    )
    try:
        return _found[key]
    except (KeyError, TypeError):  # the latter where something stands there that cannot be a key
        return _look_for(*key)


def _look_for(model: object, named: object, base: object) -> tuple[Peer, Any]:
    if not isinstance(model, str):
        return _peer("", None), model
    provider, rest = _split(model, named if isinstance(named, str) else None)
    found = _peer(provider, base if isinstance(base, str) else None), rest
    if provider and type(base) in (str, type(None)):  # what is not known now may be registered later
        if len(_found) >= _KEPT:
            _found.clear()
        _found[model, named, base] = found
    return found


def _split(model: str, named: str | None) -> tuple[str, str]:
    """The provider and the rest of a model's name, as litellm reads it; its own look-up would read secrets."""
    prefix, slash, rest = model.partition("/")
    if named:
        return named, rest if slash and prefix == named else model
    litellm = _litellm()
    if slash and prefix in getattr(litellm, "provider_list", ()):
        return prefix, rest
    known: Mapping[str, Any] = getattr(litellm, "model_cost", {}).get(model) or {}
    return known.get("litellm_provider") or "", model


def _litellm() -> Any:
    return sys.modules.get("litellm")


@lru_cache(maxsize=_KEPT)
def _peer(provider: str, base: str | None) -> Peer:
    name = provider.partition("-")[0] if provider.startswith("vertex_ai-") else provider
    name = _NAMES.get(name, name) or "litellm"
    return Peer(name) if base is None else peer_at(base, name)


@lru_cache(maxsize=_KEPT)
def _server(base: str) -> Facts:
    peer = peer_at(base, "")
    return (
        {} if peer.address is None else {semconv.SERVER_ADDRESS: peer.address, semconv.SERVER_PORT: peer.port}
    )


# --- what stands beside an answer ------------------------------------------------------------------


def hidden(result: Any) -> Mapping[str, Any]:
    """What litellm knows of a result that the vendor did not say."""
    known: Any
    try:
        # Asked for it by name, a model takes forty times as long.
        known = result.__pydantic_private__["_hidden_params"]
    except (AttributeError, KeyError, TypeError):
        known = getattr(result, "_hidden_params", None)
    if known.__class__ is dict:
        return known
    return results.fields(known) if hasattr(known, "get") else {}  # a model that reads like one, only slowly


def streamed(facts: Facts, chunk: Any) -> Mapping[str, Any]:
    """Who answered, by a chunk, whose model is the one that was asked for; newer versions know the other, too."""
    results.identity(facts, chunk)
    known = beside(facts, chunk, results.fields(chunk).get)
    if not known.get("provider_response_model"):
        facts.pop(semconv.RESPONSE_MODEL, None)
    return known


def beside(facts: Facts, result: Any, field: Reader) -> Mapping[str, Any]:
    """The model, the vendor's request id, and where he was reached; gives what they were read from."""
    known = hidden(result)
    named, headers, base = map(known.get, _BESIDE)
    named = named or field("model")
    if named and isinstance(named, str):
        # Before it may stand the provider.
        facts[_MODEL] = named.removeprefix(f"{known.get('custom_llm_provider')}/") if "/" in named else named
    if headers:
        get: Reader = headers.get
        for found in filter(_IS_TEXT, map(get, _ANSWERS_IDS)):
            facts[_REQUEST_ID] = found
            break
    if base and isinstance(base, str):
        facts.update(_server(base))
    return known


def usage(facts: Facts, known: Mapping[str, Any], counted: Any) -> None:
    """What a result says was used.  It is all 0 where nothing was reported, and nobody's where litellm has a cache.

    Not every version says of all results that they come from there; a chunk then has no provider.
    """
    if counted is None or (not _CACHE.isdisjoint(known) and _from_cache(known)):
        return
    if known.get("custom_llm_provider", "") is None:
        return
    told: Facts = {}
    stored = results.usage_facts(told, counted)
    if not told.get(_INPUT):  # something was read; who says 0 did not count it
        told.pop(_INPUT, None)
        if not told.get(_OUTPUT):
            return
    facts.update(told)
    if "cache_creation_input_tokens" in stored:  # where older versions have it
        written = stored["cache_creation_input_tokens"]
        if written and isinstance(written, int):
            facts.setdefault(semconv.USAGE_CACHE_WRITE_INPUT_TOKENS, written)


def _from_cache(known: Mapping[str, Any]) -> bool:
    return known.get("cache_hit") is True or known.get("cache_key") is not None


def billed(facts: Facts, known: Mapping[str, Any]) -> None:
    """Leave out what litellm itself reckons that a stream cost; it writes that where the vendor's word was.

    The vendor's, if there was one, stands beside it from then on.
    """
    if semconv.COST_REPORTED not in facts:
        return
    upstream = known.get("upstream_usage_cost")
    if isinstance(upstream, (int, float)):
        facts[semconv.COST_REPORTED] = upstream
    elif isinstance(known.get("response_cost"), (int, float)):  # older versions reckon later
        del facts[semconv.COST_REPORTED]


def errors(error: BaseException) -> Facts:
    """Status and request id of the vendor's answer that an error was made of, by way of others.

    litellm gives its errors a status of its own, and an empty response with it, also where nobody answered.  What a
    program does about an error of litellm's has that one in its chain: a second one of them ends the look.
    """
    facts: Facts = {}
    cause: BaseException | None = error
    for _ in range(_DEEPEST):
        if cause is None or (cause is not error and type(cause).__module__ == "litellm.exceptions"):
            break
        response = getattr(cause, "response", None)
        headers = getattr(response, "headers", None)
        if headers:
            facts[semconv.HTTP_STATUS] = getattr(response, "status_code", None)
            found: Any = next(filter(None, map(headers.get, _REQUEST_IDS)), None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - any mapping
            if found is not None:
                facts[semconv.REQUEST_ID] = found
            break
        cause = cause.__cause__ or cause.__context__
    return facts
