"""Requests, results and chunks of Cohere's API in both versions: arguments and the client's objects → facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
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


def usage(facts: Facts, counted: Any) -> None:
    """The ``usage`` of a chat, and the ``meta`` of everything else."""
    fields = _stored(counted)
    billed, consumed = fields.get("billed_units"), fields.get("tokens")
    if billed is not None:
        _units(facts, billed)
    if consumed is not None and semconv.USAGE_INPUT_TOKENS not in facts:
        _units(facts, consumed)
    cached = fields.get("cached_tokens")
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = _whole(cached)


def _units(facts: Facts, units: Any) -> None:
    for name, value in _stored(units).items():
        if value is not None and name in _BILLED:
            facts[_BILLED[name]] = int(value) if isinstance(value, float) and value.is_integer() else value


def _stored(value: Any) -> dict[str, Any]:
    # Models, some with fields that are newer than the client; dictionaries in the streams of older clients.
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType] - of whatever
    newer = value.__pydantic_extra__
    return {**value.__dict__, **newer} if newer else value.__dict__


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# --- results --------------------------------------------------------------------------------------


def _finished(facts: Facts, *words: Any) -> None:
    facts[semconv.RESPONSE_FINISH_REASONS] = tuple([word or "error" for word in words])


def plain_response(result: Any) -> Facts:
    """Who answered, and what it took: embeddings and rerankings say nothing else."""
    facts: Facts = {}
    fields = _stored(result)
    identity = fields.get("id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    counted = fields.get("meta")
    if counted is not None:
        usage(facts, counted)
    return facts


def chat_response(result: Any) -> Facts:
    """Facts of a chat."""
    facts: Facts = {}
    fields = _stored(result)
    identity = fields.get("id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    facts[semconv.RESPONSE_FINISH_REASONS] = (fields.get("finish_reason") or "error",)
    counted = fields.get("usage")
    if counted is not None:
        usage(facts, counted)
    return facts


def old_chat_response(result: Any) -> Facts:
    """Facts of a chat of the first version."""
    facts = plain_response(result)
    identity = get(result, "response_id") or get(result, "generation_id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    _finished(facts, get(result, "finish_reason"))
    return facts


def generation(result: Any) -> Facts:
    """Facts of generated texts."""
    facts = plain_response(result)
    texts = items(get(result, "generations"))
    if texts:
        _finished(facts, *[get(text, "finish_reason") for text in texts])
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
