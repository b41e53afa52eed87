"""IBM watsonx.ai: chat, generation, embeddings, reranking; models by name, and deployments.

What a call leaves out stands in the instance that it is made on.  Answers are dictionaries.  A generation of several
prompts is one call with as many requests; a stream of generated text that is not raw tells no usage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._hosts import peer_at
from genai_otel.clients._parts import get, message, text
from genai_otel.spec import ClientSpec, Content, Endpoint, Facts, Peer, Route, Streaming

_VENDOR: Final = "ibm.watsonx.ai"


def _connection(resource: Any) -> object:
    return resource._client  # noqa: SLF001 - the only way to its address


def _peer(resource: Any) -> Peer:
    return peer_at(resource._client.credentials.url, _VENDOR)  # noqa: SLF001 - see above


# --- requests ------------------------------------------------------------------------------------

_CHAT: Final = {**requests.CHAT, "response_format": requests.output_type}
_GENERATION: Final = {
    "temperature": requests.CHAT["temperature"],
    "top_p": requests.CHAT["top_p"],
    "top_k": semconv.REQUEST_TOP_K,
    "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
    "random_seed": semconv.REQUEST_SEED,
    "stop_sequences": requests.CHAT["stop"],
}


def _fields(params: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", params if isinstance(params, Mapping) else vars(params))


def _route(endpoint: Endpoint) -> Route:
    def route(resource: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]]:
        params = arguments.get("params")
        if params is None:
            params = resource.params
        model = resource.model_id or getattr(resource, "deployment_id", None)
        return endpoint, {**(_fields(params) if params else {}), **arguments, "model": model}

    return route


# --- results -------------------------------------------------------------------------------------


def _usage(facts: Facts, counted: Any) -> None:
    for name, fact in (
        ("prompt_tokens", semconv.USAGE_INPUT_TOKENS),
        ("completion_tokens", semconv.USAGE_OUTPUT_TOKENS),
    ):
        tokens = get(counted, name)
        if tokens is not None:
            facts[fact] = tokens


def _identity(facts: Facts, result: Any) -> None:
    identity, model = get(result, "id"), get(result, "model_id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    if model:
        facts[semconv.RESPONSE_MODEL] = model


def _chat_response(result: Any) -> Facts:
    facts: Facts = {}
    _identity(facts, result)
    choices = get(result, "choices")
    if choices:
        reasons = [get(choice, "finish_reason") or "error" for choice in choices]
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)
    _usage(facts, get(result, "usage"))
    return facts


def _chat_chunk(facts: Facts, chunk: Any) -> None:
    try:
        (choice,) = chunk["choices"]
        if choice["finish_reason"] is None and "usage" not in chunk:
            return  # the usual one: a bit more of the text
    except (KeyError, TypeError, ValueError):
        pass
    for choice in chunk.get("choices") or ():
        if choice.get("finish_reason"):
            _finished(facts, choice)
    if "usage" in chunk:
        _usage(facts, chunk["usage"])


def _finished(facts: Facts, choice: Mapping[str, Any]) -> None:
    reasons = list(facts.get(semconv.RESPONSE_FINISH_REASONS, ()))
    index = choice.get("index") or 0
    if index < 1024:  # the vendor's word
        reasons += ["error"] * (index + 1 - len(reasons))
        reasons[index] = choice["finish_reason"]
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)


def _listed(result: Any) -> Sequence[Any]:
    """What a call is asked, or gives, once or several times."""
    return cast("list[Any]", result) if isinstance(result, list) else (result,)


def _generated(result: Any) -> Facts:
    """Facts of an answer, or of as many as there were prompts."""
    facts: Facts = {}
    for answer in _listed(result):
        _added(facts, answer)
    return facts


def _added(facts: Facts, answer: Any) -> None:
    _identity(facts, answer)
    for each in get(answer, "results") or ():
        reasons = facts.get(semconv.RESPONSE_FINISH_REASONS, ())
        facts[semconv.RESPONSE_FINISH_REASONS] = (*reasons, get(each, "stop_reason") or "error")
        for name, fact in _COUNTS.items():
            tokens = get(each, name)
            if tokens is not None:
                facts[fact] = facts.get(fact, 0) + tokens


def _generation_first(facts: Facts, chunk: Any) -> None:
    """Who answers, and what was asked, which no later chunk counts again; what is not raw is the text alone."""
    if type(chunk) is str:
        return
    _identity(facts, chunk)
    for each in chunk.get("results") or ():
        if each.get("input_token_count") is not None:
            facts[semconv.USAGE_INPUT_TOKENS] = each["input_token_count"]


def _generation_chunk(facts: Facts, chunk: Any) -> None:
    try:
        (each,) = chunk["results"]
        if each["stop_reason"] in _GOING_ON:
            return
    except (KeyError, TypeError, ValueError):  # the text alone
        return
    facts[semconv.RESPONSE_FINISH_REASONS] = (each["stop_reason"],)
    if each.get("generated_token_count") is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = each["generated_token_count"]


def _counted(result: Any) -> Facts:
    """Model and usage of embeddings and ranks."""
    facts: Facts = {}
    _identity(facts, result)
    tokens = get(result, "input_token_count")
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    return facts


_GOING_ON: Final = (None, "not_finished", "NOT_FINISHED")
_COUNTS: Final = {
    "input_token_count": semconv.USAGE_INPUT_TOKENS,
    "generated_token_count": semconv.USAGE_OUTPUT_TOKENS,
}


def _errors(error: BaseException) -> Facts:
    facts: Facts = {}
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(status, int):
        facts[semconv.HTTP_STATUS] = status
    headers: Any = getattr(response, "headers", None) or {}
    request_id = headers.get("x-global-transaction-id") or headers.get("x-request-id")
    if isinstance(request_id, str):
        facts[semconv.REQUEST_ID] = request_id
    return facts


# --- content -------------------------------------------------------------------------------------


def _prompts(arguments: Mapping[str, Any]) -> Facts:
    said = [message("user", text(each)) for each in _listed(arguments.get("prompt")) if each]
    return {semconv.INPUT_MESSAGES: said} if said else {}


def _texts(result: Any) -> Facts:
    said = [
        message("assistant", text(get(each, "generated_text")), finish_reason=get(each, "stop_reason"))
        for answer in _listed(result)
        for each in get(answer, "results") or ()
    ]
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


_PROMPTS: Final = Content(_prompts, _texts)

# --- the endpoints -------------------------------------------------------------------------------

_MODELS: Final = "ibm_watsonx_ai.foundation_models."
_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(_CHAT),
    "response": _chat_response,
    "content": messages.CHAT,
    "positional": ("messages", "params", "tools", "tool_choice", "tool_choice_option", "context"),
}
_generation: Final[dict[str, Any]] = {
    "operation": semconv.TEXT_COMPLETION,
    "request": requests.request(_GENERATION),
    "response": _generated,
    "content": _PROMPTS,
    "positional": ("prompt", "params"),
}


def _streamed(fields: Mapping[str, Any], table: Mapping[str, Any], first: Any, chunk: Any) -> dict[str, Any]:
    return {
        **fields,
        "request": requests.request(table, **{semconv.REQUEST_STREAM: True}),
        "first": first,
        "chunk": chunk,
        "stream_argument": None,
    }


_chat_stream: Final = _streamed(_chat, _CHAT, _identity, _chat_chunk)
_text_stream: Final = _streamed(_generation, _GENERATION, _generation_first, _generation_chunk)
_embeddings: Final[dict[str, Any]] = {
    "operation": semconv.EMBEDDINGS,
    "response": _counted,
    "positional": ("inputs", "params"),
}
_METHODS: Final[Mapping[str, dict[str, Any]]] = {
    "inference.model_inference:ModelInference.chat": _chat,
    "inference.model_inference:ModelInference.achat": {**_chat, "asynchronous": True},
    "inference.model_inference:ModelInference.chat_stream": _chat_stream,
    "inference.model_inference:ModelInference.achat_stream": {**_chat_stream, "asynchronous": True},
    # `generate_text` calls it; with `async_mode` it gives the answers one by one.
    "inference.model_inference:ModelInference.generate": {
        **_generation,
        "chunk": _added,
        "stream_argument": "async_mode",
    },
    "inference.model_inference:ModelInference.agenerate": {**_generation, "asynchronous": True},
    "inference.model_inference:ModelInference.generate_text_stream": _text_stream,
    "inference.model_inference:ModelInference.agenerate_stream": {**_text_stream, "asynchronous": True},
    # The methods that embed documents and queries call these.
    "embeddings.embeddings:Embeddings.generate": _embeddings,
    "embeddings.embeddings:Embeddings.agenerate": {**_embeddings, "asynchronous": True},
    "rerank.rerank:Rerank.generate": {
        "operation": semconv.RERANK,
        "response": _counted,
        "positional": ("query", "inputs", "params"),
    },
}


def _endpoint(path: str, fields: dict[str, Any]) -> Endpoint:
    endpoint = Endpoint(f"{_MODELS}{path}", **fields)
    return replace(endpoint, route=_route(endpoint), routes=(endpoint,))


SPEC: Final = ClientSpec(
    name="ibm_watsonx_ai",
    requires="ibm-watsonx-ai >= 1.4.11, < 2",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(iterator=None),
    errors=_errors,
    endpoints=tuple(_endpoint(path, fields) for path, fields in _METHODS.items()),
)
