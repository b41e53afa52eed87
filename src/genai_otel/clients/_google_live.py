"""Google's Live API: what the messages of a session mean.

They are read as they are on the wire.  There are no names of responses: one turn of the model is going on at a time.
A turn that calls a function goes on when the program has answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _google_messages as messages
from genai_otel.clients import _google_results as results
from genai_otel.clients._parts import get, items
from genai_otel.spec import Content, Endpoint, Facts, Session, Step

_Message = Mapping[str, Any]
_TURN: Final = "turn"
_COUNTS: Final = {
    "prompt_token_count": "promptTokenCount",
    "tool_use_prompt_token_count": "toolUsePromptTokenCount",
    "cached_content_token_count": "cachedContentTokenCount",
    "candidates_token_count": "responseTokenCount",
    "thoughts_token_count": "thoughtsTokenCount",
}
_DETAILS: Final = {
    "prompt_tokens_details": "promptTokensDetails",
    "candidates_tokens_details": "responseTokensDetails",
}
_QUERIES: Final = {"web_search_queries": "webSearchQueries", "image_search_queries": "imageSearchQueries"}
_CACHED: Final = {
    "text": semconv.USAGE_TEXT_CACHE_READ_INPUT_TOKENS,
    "image": semconv.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
    "audio": semconv.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
}
_FILTERED: Final = ("prohibited", "safety", "blocklist", "rejected", "celebrity", "minors", "people")


def _sent(message: _Message) -> Iterable[Step]:
    said = message.get("client_content")
    if said is not None:
        turns = items(get(said, "turns"))
        done = get(said, "turnComplete") or get(said, "turn_complete")
        heard = Step("input", turns)
        return (heard, Step("asks", {})) if done else (heard,)
    given = message.get("realtime_input")
    if given is not None:
        return _realtime(given)
    answered = message.get("tool_response")
    if answered is not None:
        answers = items(get(answered, "functionResponses") or get(answered, "function_responses"))
        return (Step("input", [{"role": "user", "parts": [{"functionResponse": each} for each in answers]}]),)
    return ()


def _realtime(given: Any) -> Iterable[Step]:
    """The model answers a text at once, and speech whose end the program tells; else it finds the end itself."""
    text = get(given, "text")
    if text is not None:
        return (Step("input", [{"role": "user", "parts": [{"text": text}]}]), Step("asks", {}))
    ended = any(get(given, name) is not None for name in ("activityEnd", "activity_end"))
    return (Step("asks", {}),) if ended else ()


def _received(message: _Message) -> Iterable[Step]:
    steps: list[Step] = []
    content = message.get("serverContent")
    parts = items(get(get(content, "modelTurn"), "parts"))
    spoken = get(get(content, "outputTranscription"), "text")
    called = items(get(message.get("toolCall"), "functionCalls"))
    if parts or spoken or called:
        said = [
            *parts,
            *({"text": each} for each in (spoken,) if each),
            *({"functionCall": each} for each in called),
        ]
        steps.append(Step("chunk", {"candidates": [{"content": {"parts": said}}]}, _TURN))
    if get(content, "turnComplete"):
        steps.append(Step("ends", message, _TURN))
    elif (
        get(content, "interrupted")
        or get(content, "groundingMetadata")
        or message.get("usageMetadata") is not None
    ):
        steps.append(Step("tells", message, _TURN))
    return steps


def _facts(facts: Facts, message: _Message) -> None:
    counted = message.get("usageMetadata")
    if isinstance(counted, Mapping):
        results.usage(facts, _usage(counted))
        for each in items(get(counted, "cacheTokensDetails")):
            name = _CACHED.get(results.word(get(each, "modality")))
            if name is not None and get(each, "tokenCount"):
                facts[name] = get(each, "tokenCount")
    content = message.get("serverContent")
    grounded = get(content, "groundingMetadata")
    if grounded:
        results.searched(facts, ({name: grounded.get(wire) for name, wire in _QUERIES.items()},))
    if get(content, "interrupted"):
        facts[semconv.RESPONSE_STATUS] = "cancelled"
        facts[semconv.RESPONSE_FINISH_REASONS] = ("cancelled",)
    elif get(content, "turnComplete"):
        facts.setdefault(semconv.RESPONSE_FINISH_REASONS, (_reason(get(content, "turnCompleteReason")),))


def _usage(counted: Any) -> Any:
    """A count as the client's objects have it, of which the readers of other answers know."""
    found = {name: counted.get(wire) for name, wire in _COUNTS.items()}
    for name, wire in _DETAILS.items():
        found[name] = [
            SimpleNamespace(modality=get(each, "modality"), token_count=get(each, "tokenCount"))
            for each in items(counted.get(wire))
        ]
    return SimpleNamespace(**found)


def _reason(value: Any) -> str:
    word = results.word(value)
    if any(each in word for each in _FILTERED):
        return "content_filter"
    return "stop" if word in ("", "need_more_input", "turn_complete_reason_unspecified") else word


def _said(state: dict[Any, Any], message: _Message) -> None:
    if messages.CONTENT.chunk is not None and "candidates" in message:
        messages.CONTENT.chunk(state, message)


CONNECT: Final = Endpoint(
    "google.genai.live:AsyncLive.connect",
    semconv.REALTIME_SESSION,
    asynchronous=True,
    session=Session(
        responses=Endpoint(
            "",
            semconv.GENERATE_CONTENT,
            request=results.streamed_request,
            chunk=_facts,
            content=Content(messages.CONTENT.request, chunk=_said, final=messages.CONTENT.final),
        ),
        socket=lambda session: session._ws,  # noqa: SLF001 - the only way to what it goes over
        sent=_sent,
        received=_received,
        generator="gen",
        inputs="contents",
    ),
)
