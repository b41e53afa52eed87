"""Together: chat, completions, embeddings, reranking, images, audio, videos.

Its batches tell no usage.  Not read: transcription over a WebSocket, whose messages tell none either.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._fields import fields, put
from genai_otel.clients._openai_jobs import job
from genai_otel.clients._parts import get
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, nothing, peer
from genai_otel.spec import ClientSpec, Facts, both

_COUNTS: Final = {
    "cached_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    "reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
}


def _own(facts: Facts, result: Any) -> None:
    """What this vendor tells beside the totals of its usage, and others in its details."""
    if result.usage is not None:
        put(facts, fields(result.usage), _COUNTS)


def _usage(facts: Facts, chunk: Any) -> None:
    _own(facts, chunk)
    results.counted(facts, chunk)


def _answered(result: Any) -> Facts:
    """Facts of a reranking or an image, which have an id."""
    facts = _plain(result)
    identity = get(result, "id")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    return facts


def _completion_first(facts: Facts, chunk: Any) -> None:
    told = fields(chunk).get  # the client declares no model here, the vendor sends one
    for name, fact in (("id", semconv.RESPONSE_ID), ("model", semconv.RESPONSE_MODEL)):
        if told(name):
            facts[fact] = told(name)


def _completion_chunk(facts: Facts, chunk: Any) -> None:
    """The reason stands in the choice as the vendor sends it, and beside the choices as the client declares it."""
    try:
        (choice,) = chunk.choices
        if not (choice.__pydantic_extra__["finish_reason"] or chunk.usage or chunk.finish_reason):
            return  # the usual one: a bit more of the text
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    told = fields(chunk).get
    for choice in told("choices") or results.no_choices(chunk):
        if fields(choice).get("finish_reason"):
            results.finished(facts, choice)
    if told("finish_reason"):
        facts.setdefault(semconv.RESPONSE_FINISH_REASONS, (told("finish_reason"),))
    if told("usage") is not None:
        _usage(facts, chunk)


_RESOURCES: Final = "together.resources."
_request: Final = requests.request({**requests.CHAT, "top_k": semconv.REQUEST_TOP_K})
_response: Final = partial(results.chat_response, own=_own)
_plain: Final = partial(results.plain_response, own=nothing)
_video: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({}, **requests.output("video")),
    "response": job,
    "content": messages.IMAGES,
}
_fetched_video: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "request": requests.request({"id": semconv.RESPONSE_ID}),
    "response": job,
    "positional": ("id",),
    "model": None,
}
_text: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({}, **requests.output("text")),
    "response": _plain,
    "content": messages.TRANSCRIPTIONS,
}

SPEC: Final = ClientSpec(
    name="together",
    requires="together >= 2.0, < 4",
    connection=connection,
    peer=peer("together_ai"),
    streaming=STREAMING,
    raw=RAW,
    errors=errors,
    endpoints=(
        *both(
            f"{_RESOURCES}chat.completions",
            "CompletionsResource.create",
            operation=semconv.CHAT,
            request=_request,
            response=_response,
            first=results.identity,
            chunk=partial(results.chat_chunk, usage=_usage),
            content=messages.CHAT,
        ),
        *both(
            f"{_RESOURCES}completions",
            "CompletionsResource.create",
            operation=semconv.TEXT_COMPLETION,
            request=_request,
            response=_response,
            first=_completion_first,
            chunk=_completion_chunk,
            content=messages.COMPLETIONS,
        ),
        *both(
            f"{_RESOURCES}embeddings",
            "EmbeddingsResource.create",
            operation=semconv.EMBEDDINGS,
            request=requests.request(requests.EMBEDDINGS),
            response=_plain,
        ),
        *both(f"{_RESOURCES}rerank", "RerankResource.create", operation=semconv.RERANK, response=_answered),
        *both(
            f"{_RESOURCES}images",
            "ImagesResource.generate",
            operation=semconv.GENERATE_CONTENT,
            request=requests.request(requests.MEDIA, **requests.output("image")),
            response=_answered,
            content=messages.IMAGES,
        ),
        *both(
            f"{_RESOURCES}audio.speech",
            "SpeechResource.create",
            operation=semconv.GENERATE_CONTENT,
            request=requests.request({"stream": requests.MEDIA["stream"]}, **requests.output("speech")),
            chunk=results.plain_chunk,
            content=messages.SPEECH,
        ),
        *both(f"{_RESOURCES}audio.transcriptions", "TranscriptionsResource.create", **_text),
        *both(f"{_RESOURCES}audio.translations", "TranslationsResource.create", **_text),
        *both(f"{_RESOURCES}videos", "VideosResource.create", **_video),
        *both(f"{_RESOURCES}videos", "VideosResource.retrieve", **_fetched_video),
    ),
)
