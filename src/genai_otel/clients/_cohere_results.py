"""Requests, results and chunks of Cohere's API in both versions: arguments and the client's objects → facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._fields import fields
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

# --- requests: what was not given is an ellipsis, which is no text and no number -------------------


def _encodings(facts: Facts, value: Any) -> None:
    found = items(value)
    if found:
        facts[semconv.REQUEST_ENCODING_FORMATS] = tuple(found)


_SHARED: Final = ("temperature", "max_tokens", "frequency_penalty", "presence_penalty", "seed")
_TABLE: Final = {
    **{name: requests.CHAT[name] for name in _SHARED},
    "p": requests.CHAT["top_p"],
    "k": semconv.REQUEST_TOP_K,
    "stop_sequences": requests.CHAT["stop"],
    "num_generations": requests.CHAT["n"],
    "response_format": requests.output_type,
    "conversation_id": semconv.CONVERSATION_ID,
}


def request(*, stream: bool = False) -> Callable[[Mapping[str, Any]], Facts]:
    """The reader of the arguments of a chat or a generation."""
    return requests.request(_TABLE, **({semconv.REQUEST_STREAM: True} if stream else {}))


embed_request: Final = requests.request(
    {"output_dimension": semconv.EMBEDDINGS_DIMENSION_COUNT, "embedding_types": _encodings}
)

# --- usage: what is billed counts, where it is said; numbers come as floats -------------------------

_BILLED: Final = {
    "input_tokens": semconv.USAGE_INPUT_TOKENS,
    "output_tokens": semconv.USAGE_OUTPUT_TOKENS,
    "image_tokens": semconv.USAGE_IMAGE_INPUT_TOKENS,
    "text_tokens": semconv.USAGE_TEXT_INPUT_TOKENS,
}
_USAGE: Final = ("billed_units", "tokens", "cached_tokens")


def usage(facts: Facts, counted: Any) -> None:
    """The ``usage`` of a chat, and the ``meta`` of everything else."""
    billed, consumed, cached = map(fields(counted).get, _USAGE)
    if billed is not None:
        _units(facts, billed)
    if consumed is not None and semconv.USAGE_INPUT_TOKENS not in facts:
        _units(facts, consumed)
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = _whole(cached)


def _units(facts: Facts, units: Any) -> None:
    told = fields(units)
    for name in filter(_BILLED.__contains__, told):
        value = told[name]
        if value is not None:
            facts[_BILLED[name]] = _whole(value)


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


# --- results --------------------------------------------------------------------------------------


def _finished(facts: Facts, *words: Any) -> None:
    facts[semconv.RESPONSE_FINISH_REASONS] = tuple([word or "error" for word in words])


def plain_response(result: Any) -> Facts:
    """Who answered, and what it took: embeddings and rerankings say nothing else."""
    facts: Facts = {}
    told = fields(result)
    identity = told.get("id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    counted = told.get("meta")
    if counted is not None:
        usage(facts, counted)
    return facts


def chat_response(result: Any) -> Facts:
    """Facts of a chat."""
    facts: Facts = {}
    told = fields(result)
    identity = told.get("id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    facts[semconv.RESPONSE_FINISH_REASONS] = (told.get("finish_reason") or "error",)
    counted = told.get("usage")
    if counted is not None:
        usage(facts, counted)
    return facts


def old_chat_response(result: Any) -> Facts:
    """Facts of a chat of the first version."""
    facts = plain_response(result)
    told = fields(result)
    identity = told.get("response_id") or told.get("generation_id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    _finished(facts, told.get("finish_reason"))
    return facts


def generation(result: Any) -> Facts:
    """Facts of generated texts."""
    facts = plain_response(result)
    texts = fields(result).get("generations")
    if texts:
        _finished(facts, *[fields(text).get("finish_reason") for text in items(texts)])
    return facts


# --- streams --------------------------------------------------------------------------------------


def first(facts: Facts, event: Any) -> None:
    """Who answers."""
    identity = get(event, "id") or get(event, "generation_id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity


def chunk(facts: Facts, event: Any) -> None:
    """Facts of one event of a chat: only the last one has any."""
    if getattr(event, "type", None) == "message-end":
        delta = event.delta
        word, counted = get(delta, "finish_reason"), get(delta, "usage")
        if word is not None:
            _finished(facts, word)
        if counted is not None:
            usage(facts, counted)
        if get(delta, "error"):
            facts[semconv.ERROR_TYPE] = "error"


def old_chunk(facts: Facts, event: Any) -> None:
    """Facts of one event of a chat of the first version: the last one has the whole response."""
    if getattr(event, "event_type", None) == "stream-end":
        facts.update(old_chat_response(event.response))
        _finished(facts, event.finish_reason)


def nothing_to_read(_: Facts, __: Any) -> None:
    """An embedding of a stream of them: nothing but numbers."""


def generation_chunk(facts: Facts, event: Any) -> None:
    """Facts of one event of generated texts."""
    kind = getattr(event, "event_type", None)
    if kind == "stream-end":
        facts.update(generation(event.response))
        _finished(facts, event.finish_reason)
    elif kind == "stream-error":
        facts[semconv.ERROR_TYPE] = "error"


def errors(error: BaseException) -> Facts:
    """The HTTP status of an API error, and the vendor's id of the request."""
    facts: Facts = {}
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        facts[semconv.HTTP_STATUS] = status
    headers: dict[str, str] | None = getattr(error, "headers", None)
    request_id = headers.get("x-debug-trace-id") if headers else None
    if isinstance(request_id, str):
        facts[semconv.REQUEST_ID] = request_id
    return facts
