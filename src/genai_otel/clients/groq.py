"""Groq: chat, embeddings, audio.

The vendor's request id, a stream's usage and the reason why it was stopped early stand in a field of its own.  Its
batches tell no usage.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._groq_messages import CHAT
from genai_otel.clients._parts import get
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, peer
from genai_otel.spec import ClientSpec, Facts, StreamFailed, both


def _own(facts: Facts, result: Any) -> Any:
    """Put the request id; gives Groq's own field, for what else stands there."""
    own: Any = getattr(result, "x_groq", None)
    if own is not None:
        if own.__class__ is dict:  # where the client is older than the field
            own = SimpleNamespace(**own)
        request_id = getattr(own, "id", None)
        if request_id:
            facts[semconv.REQUEST_ID] = request_id
    return own


_CACHES: Final = ("dram_cached_tokens", "sram_cached_tokens")


def _whole(facts: Facts, result: Any) -> None:
    """The request id, and tokens from the caches, which the usage may tell as well; that is read after this."""
    caches = getattr(_own(facts, result), "usage", None)
    if caches is not None:
        cached = sum(get(caches, name) or 0 for name in _CACHES)
        if cached:
            facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached
    results.compute_time(facts, getattr(result.usage, "total_time", None))


def _usage(facts: Facts, usage: Any) -> None:
    results.usage_facts(facts, usage)
    results.compute_time(facts, get(usage, "total_time"))


def _ended(facts: Facts, chunk: Any) -> None:
    """The last chunk, of a choice or without one."""
    results.identity(facts, chunk)
    own = _own(facts, chunk)
    usage = get(own, "usage")
    if usage is not None:
        _usage(facts, usage)
    if get(own, "error"):
        raise StreamFailed("error")  # what it says may repeat what was said


def _without(facts: Facts, chunk: Any) -> tuple[()]:
    _ended(facts, chunk)
    return results.no_choices(chunk)


_plain_response: Final = partial(results.plain_response, own=_own)
_RESOURCES: Final = "groq.resources."
_text: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({}, **requests.output("text")),
    "response": _plain_response,
    "content": messages.TRANSCRIPTIONS,
}

SPEC: Final = ClientSpec(
    name="groq",
    requires="groq >= 0.13, < 2",
    connection=connection,
    peer=peer("groq"),
    streaming=STREAMING,
    raw=RAW,
    errors=errors,
    endpoints=(
        *both(
            f"{_RESOURCES}chat.completions",
            "Completions.create",
            operation=semconv.CHAT,
            request=requests.request(requests.CHAT),
            response=partial(results.chat_response, own=_whole),
            first=results.identity,
            chunk=partial(
                results.chat_chunk,
                ended=_ended,
                without=_without,
                usage=lambda facts, chunk: _usage(facts, chunk.usage),
            ),
            content=CHAT,
        ),
        *both(
            f"{_RESOURCES}embeddings",
            "Embeddings.create",
            operation=semconv.EMBEDDINGS,
            request=requests.request(requests.EMBEDDINGS),
            response=_plain_response,
        ),
        *both(
            f"{_RESOURCES}audio.speech",
            "Speech.create",
            operation=semconv.GENERATE_CONTENT,
            request=requests.request({}, **requests.output("speech")),
            content=messages.SPEECH,
        ),
        *both(f"{_RESOURCES}audio.transcriptions", "Transcriptions.create", **_text),
        *both(f"{_RESOURCES}audio.translations", "Translations.create", **_text),
    ),
)
