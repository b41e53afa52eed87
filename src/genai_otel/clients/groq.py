"""Groq: chat, embeddings, audio.  The vendor's request id, and a stream's usage, stand in a field of its own."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._parts import get
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, peer
from genai_otel.spec import ClientSpec, Facts, both


def _own(facts: Facts, result: Any) -> Any:
    """Put the request id; gives Groq's own field, for what else stands there."""
    own = getattr(result, "x_groq", None)
    if own is not None:  # a plain dict where the client is older than the field
        request_id = own.get("id") if own.__class__ is dict else getattr(own, "id", None)
        if request_id:
            facts[semconv.REQUEST_ID] = request_id
    return own


def _ended(facts: Facts, chunk: Any) -> None:
    results.identity(facts, chunk)
    usage = get(_own(facts, chunk), "usage")
    if usage is not None:
        results.usage_facts(facts, usage)


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
    instrumentors=("groq",),
    endpoints=(
        *both(
            f"{_RESOURCES}chat.completions",
            "Completions.create",
            operation=semconv.CHAT,
            request=requests.request(requests.CHAT),
            response=partial(results.chat_response, own=_own),
            first=results.identity,
            chunk=partial(results.chat_chunk, ended=_ended),
            content=messages.CHAT,
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
