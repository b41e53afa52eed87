"""litellm: chat, completions, embeddings, responses, reranking, images, audio, messages and contents, of any vendor.

What a program imported by name before the set-up (``from litellm import completion``) is the function without us: of
such a call there is a span where litellm goes on by a function of its module, as its asynchronous ones do, or asks a
client that we know, as many vendors' are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _litellm as shared
from genai_otel.clients import _litellm_streams as streams
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._anthropic_requests import TABLE
from genai_otel.clients._parts import get
from genai_otel.clients._stainless import nothing
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer, Streaming

# --- results -------------------------------------------------------------------------------------


def _answer(result: Any) -> Facts:
    facts: Facts = {}
    stored = results.fields(result)
    results.put(facts, stored, results.IDENTITY)
    field = stored.get
    known = shared.beside(facts, result, field)
    reasons = tuple([choice.finish_reason or "error" for choice in field("choices") or ()])
    if reasons:
        facts[semconv.RESPONSE_FINISH_REASONS] = reasons
    shared.usage(facts, known, field("usage"))
    return facts


def _chunk(facts: Facts, chunk: Any) -> None:
    try:
        (choice,) = chunk.choices
        if choice.__pydantic_extra__["finish_reason"] is None:
            return  # the usual one: a bit more of the text
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    for choice in chunk.choices or ():
        if results.fields(choice).get("finish_reason") is not None:
            results.finished(facts, choice)
            known = shared.streamed(facts, chunk)
            # What the vendor reported without being asked; what was asked for comes in a chunk of its own.
            shared.usage(facts, known, known.get("usage"))
            shared.billed(facts, known)
    _counted(facts, chunk)


def _counted(facts: Facts, chunk: Any) -> None:
    """Usage, where it was asked for: in older versions it comes in a last chunk that looks like any other."""
    counted = results.fields(chunk).get("usage")
    if counted is not None:
        known = shared.hidden(chunk)
        shared.usage(facts, known, counted)
        shared.billed(facts, known)


def _response(result: Any) -> Facts:
    facts = results.fetched_response(result, own=nothing)
    field = results.fields(result).get
    known = shared.beside(facts, result, field)
    shared.usage(facts, known, field("usage"))
    shared.billed(facts, known)
    return facts


def _plain(result: Any) -> Facts:
    facts: Facts = {}
    field = results.fields(result).get
    shared.usage(facts, shared.beside(facts, result, field), field("usage"))
    return facts


def _vectors(result: Any) -> Facts:
    facts = _plain(result)
    facts.pop(semconv.USAGE_OUTPUT_TOKENS, None)  # always 0: there is no such output
    return facts


def _ranks(result: Any) -> Facts:
    facts: Facts = {}
    field = results.fields(result).get
    known, meta = shared.beside(facts, result, field), field("meta")
    shared.usage(facts, known, get(meta, "tokens") or get(meta, "billed_units"))
    return facts


_ONE_REQUEST: Final = frozenset(
    {
        "litellm.litellm_core_utils.streaming_handler",
        "litellm.responses.streaming_iterator",
        "litellm.text_completions.streaming_iterator",
        "litellm.utils",
    }
)
"""The modules whose streams have made their request by the first step; others go on to tools, and ask again."""


def _may_ask(stream: Any) -> bool:
    return type(stream).__module__ not in _ONE_REQUEST


# --- the endpoints -------------------------------------------------------------------------------

_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request({**requests.CHAT, "top_k": semconv.REQUEST_TOP_K}),
    "response": _answer,
    "first": shared.streamed,
    "chunk": _chunk,
    "last": _counted,
    "content": messages.CHAT,
    "positional": ("model", "messages"),
}
_audio: Final[dict[str, Any]] = {"operation": semconv.GENERATE_CONTENT, "response": _plain}
_FUNCTIONS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "completion": ("main", {**_chat, "lead_through": True}),
    "text_completion": (
        "main",
        {
            **_chat,
            "operation": semconv.TEXT_COMPLETION,
            "content": messages.COMPLETIONS,
            "positional": ("prompt", "model"),
        },
    ),
    "embedding": (
        "main",
        {
            "operation": semconv.EMBEDDINGS,
            "request": requests.request(requests.EMBEDDINGS),
            "response": _vectors,
            "positional": ("model", "input", "dimensions", "encoding_format"),
        },
    ),
    "responses": (
        "responses.main",
        {
            "operation": semconv.CHAT,
            "request": requests.request(requests.RESPONSES),
            "response": _response,
            "first": results.responses_first,
            "chunk": results.responses_chunk(_response),
            "content": messages.RESPONSES,
            "positional": ("input", "model"),
        },
    ),
    "rerank": (
        "rerank_api.main",
        {"operation": semconv.RERANK, "response": _ranks, "positional": ("model", "query", "documents")},
    ),
    "image_generation": (
        "images.main",
        {
            "operation": semconv.GENERATE_CONTENT,
            "request": requests.request(requests.MEDIA, **requests.output("image")),
            "response": _plain,
            "content": messages.IMAGES,
            "positional": ("prompt", "model"),
        },
    ),
    "transcription": (
        "main",
        {
            **_audio,
            "request": requests.request({}, **requests.output("text")),
            "content": messages.TRANSCRIPTIONS,
            "positional": ("model", "file"),
        },
    ),
    "speech": (
        "main",
        {
            **_audio,
            "request": requests.request({}, **requests.output("speech")),
            "content": messages.SPEECH,
            "positional": ("model", "input"),
        },
    ),
}


_MESSAGES: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(TABLE),
    "response": streams.message,
    "chunk": streams.message_chunk,
    "content": streams.MESSAGES,
    "positional": ("max_tokens", "messages", "model"),
    "streaming": Streaming(stepped=True, lines=True),
}
_CONTENTS: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": streams.content_request,
    "response": streams.content,
    "content": streams.CONTENTS,
    "positional": ("model", "contents", "config"),
}
_STREAMED_CONTENTS: Final[dict[str, Any]] = {
    **_CONTENTS,
    "request": streams.streamed_content_request,
    "chunk": streams.content_chunk,
    "stream_argument": None,
    "streaming": Streaming(stepped=True, lines=True),
}
_FORMS: Final[Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]]] = {
    "create": (_MESSAGES, ("litellm.anthropic_interface.messages",)),
    "generate_content": (_CONTENTS, ("litellm.google_genai.main", "litellm.google_genai")),
    "generate_content_stream": (_STREAMED_CONTENTS, ("litellm.google_genai.main", "litellm.google_genai")),
}
"""Functions in a vendor's own form, whoever answers, and the modules where they stand."""


def _endpoints() -> Iterator[Endpoint]:
    """Each function and its twin, where it is defined and where programs look for it."""
    for name, (module, fields) in _FUNCTIONS.items():
        for place in (f"litellm.{module}", "litellm"):
            yield from _pair(place, name, fields)
    for name, (fields, places) in _FORMS.items():
        for place in places:
            yield from _pair(place, name, fields)
    yield _routed("litellm:agenerate_content", {**_CONTENTS, "asynchronous": True})
    yield _routed("litellm:anthropic_messages", {**_MESSAGES, "asynchronous": True})  # a router's way


def _pair(place: str, name: str, fields: Mapping[str, Any]) -> Iterator[Endpoint]:
    yield _routed(f"{place}:{name}", fields)
    yield _routed(f"{place}:a{name}", {**fields, "asynchronous": True})


_MOCKS: Final = frozenset({"mock_response", "mock_tool_calls"})


def _routed(target: str, fields: Mapping[str, Any]) -> Endpoint:
    plain = Endpoint(target, **fields)
    mocked = replace(
        plain, response=_without_usage(plain.response), chunk=_chunk_without_usage(plain.chunk), last=None
    )

    def route(_: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any], Peer] | None:
        if plain.chunk is None and arguments.get("stream"):
            return None
        peer, model = shared.whom(arguments)
        chosen = plain
        if not _MOCKS.isdisjoint(arguments) and any(map(arguments.get, _MOCKS)):
            chosen = mocked  # litellm answers itself, and invents what was used
        return chosen, {**arguments, "model": model} if "model" in arguments else arguments, peer

    return replace(plain, route=route, routes=(plain, mocked))


def _without_usage(read: Callable[[Any], Facts]) -> Callable[[Any], Facts]:
    return lambda result: {name: fact for name, fact in read(result).items() if not _is_usage(name)}


def _chunk_without_usage(read: Callable[[Facts, Any], None] | None) -> Callable[[Facts, Any], None] | None:
    if read is None:
        return None

    def chunk(facts: Facts, chunk: Any) -> None:
        read(facts, chunk)
        for name in [name for name in facts if _is_usage(name)]:
            del facts[name]

    return chunk


def _is_usage(name: str) -> bool:
    return name.startswith("gen_ai.usage.")


def _itself(peer: Any) -> Any:
    return peer


SPEC: Final = ClientSpec(
    name="litellm",
    requires="litellm >= 1.98, < 2",
    connection=_itself,
    peer=lambda peer: peer if isinstance(peer, Peer) else Peer("litellm"),
    streaming=Streaming(stepped=True, asks=_may_ask),
    errors=shared.errors,
    endpoints=tuple(_endpoints()),
)
