"""llama-cpp-python: chat, completions, embeddings of a model in the program's own process.

Its results are OpenAI's as dictionaries.  A stream tells no tokens, and not each chunk is one.  Chat handlers that make
several completions while their stream is read have a span for each that comes after the first chunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._local import model_name
from genai_otel.clients._openai_results import usage_facts
from genai_otel.clients._parts import items
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer, Streaming


def _limit(facts: Facts, value: Any) -> None:
    if value > 0:  # else as many as there is room for
        facts[semconv.REQUEST_MAX_TOKENS] = value


def _stop(facts: Facts, value: Any) -> None:
    if value:
        facts[semconv.REQUEST_STOP_SEQUENCES] = (value,) if isinstance(value, str) else tuple(value)


_SETTINGS: Final = {
    **{
        name: requests.CHAT[name]
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stream")
    },
    "top_k": semconv.REQUEST_TOP_K,
    "max_tokens": _limit,
    "stop": _stop,
}

# --- results -------------------------------------------------------------------------------------


def _identity(facts: Facts, result: Mapping[str, Any]) -> None:
    identity, model = result.get("id"), model_name(result.get("model"))
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    if model:
        facts[semconv.RESPONSE_MODEL] = model


def _response(result: Mapping[str, Any]) -> Facts:
    facts: Facts = {}
    _identity(facts, result)
    choices = result.get("choices")
    if choices:
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(
            [choice["finish_reason"] or "error" for choice in choices]
        )
    usage = result.get("usage")
    if usage:
        usage_facts(facts, usage)
    return facts


def _chunk(facts: Facts, chunk: Mapping[str, Any]) -> None:
    for choice in chunk["choices"]:
        if choice["finish_reason"] is not None:
            facts[semconv.RESPONSE_FINISH_REASONS] = (choice["finish_reason"],)


def _vectors(result: Any) -> Facts:
    counted = items(result)  # with the number of tokens beside, where that was asked for
    return {semconv.USAGE_INPUT_TOKENS: counted[1]} if isinstance(result, tuple) else {}


# --- the endpoints -------------------------------------------------------------------------------

_SAMPLING: Final = ("temperature", "top_p")
_COMPLETION: Final[dict[str, Any]] = {
    "operation": semconv.TEXT_COMPLETION,
    "request": requests.request(_SETTINGS),
    "response": _response,
    "first": _identity,
    "chunk": _chunk,
    "content": messages.COMPLETIONS,
    "positional": ("prompt", "suffix", "max_tokens", *_SAMPLING),
}
_EMBEDDING: Final[dict[str, Any]] = {"operation": semconv.EMBEDDINGS, "positional": ("input",)}
_LLAMA: Final = "llama_cpp.llama:Llama."


def _connection(llama: Any) -> object:
    return llama.model_path


def _peer(llama: Any) -> Peer:
    return Peer("llama_cpp", model=model_name(llama.model_path))


SPEC: Final = ClientSpec(
    name="llama_cpp",
    requires="llama-cpp-python >= 0.2.90, < 1",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(),
    endpoints=(
        Endpoint(
            f"{_LLAMA}create_chat_completion",
            semconv.CHAT,
            request=requests.request({**_SETTINGS, "response_format": requests.CHAT["response_format"]}),
            response=_response,
            first=_identity,
            chunk=_chunk,
            content=messages.CHAT,
            positional=("messages", "functions", "function_call", "tools", "tool_choice", *_SAMPLING),
        ),
        Endpoint(f"{_LLAMA}create_completion", **_COMPLETION),
        Endpoint(f"{_LLAMA}__call__", **_COMPLETION),
        Endpoint(f"{_LLAMA}create_embedding", **_EMBEDDING, response=_response),
        Endpoint(f"{_LLAMA}embed", **_EMBEDDING, response=_vectors),
    ),
)
