"""Results of Mistral's conversations, transcriptions and documents, and the usage of all its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._openai_items import RESPONSES
from genai_otel.clients._openai_results import responses_response
from genai_otel.clients._parts import (
    Message,
    Part,
    asked,
    get,
    items,
    message,
    messages,
    text,
    tool_call,
    tool_response,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]
_SEARCHES: Final = ("web_search", "web_search_premium")


def usage(facts: Facts, counted: Any) -> None:
    """Usage of any answer; what the vendor's own tools brought in is counted beside the prompt."""
    told = counted.__pydantic_fields_set__  # the client says 0 where the vendor said nothing
    if "prompt_tokens" in told and counted.prompt_tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = counted.prompt_tokens
        brought = counted.connector_tokens if "connector_tokens" in told else None
        if brought:
            facts[semconv.USAGE_INPUT_TOKENS] += brought
    if "completion_tokens" in told and counted.completion_tokens is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = counted.completion_tokens
    searches = sum(get(counted.connectors, name) or 0 for name in _SEARCHES) if "connectors" in told else 0
    if searches:
        facts[semconv.USAGE_WEB_SEARCHES] = searches
    newer = counted.__pydantic_extra__
    cached = get(newer.get("prompt_tokens_details"), "cached_tokens") if newer else None
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached


def plain(result: Any) -> Facts:
    """Facts of a transcription, a document that was read, or a classification."""
    facts: Facts = {}
    for name, field in ((semconv.RESPONSE_ID, "id"), (semconv.RESPONSE_MODEL, "model")):
        value = get(result, field)
        if isinstance(value, str) and value:
            facts[name] = value
    counted = get(result, "usage")
    if counted is not None:
        usage(facts, counted)
    return facts


def plain_chunk(facts: Facts, event: Any) -> None:
    """Facts of one event of a transcription or of speech: only the last one has any."""
    if get(event.data, "usage") is not None:
        facts.update(plain(event.data))


def responded(result: Any) -> Facts:
    """Facts of a response, which speaks OpenAI's language and is not OpenAI's."""
    facts = responses_response(result)
    facts.pop(semconv.OPENAI_RESPONSE_SERVICE_TIER, None)
    return facts


# --- conversations ---------------------------------------------------------------------------------

_CONVERSATION: Final = {
    "agent_id": semconv.AGENT_ID,
    "conversation_id": semconv.CONVERSATION_ID,
}
_SAMPLING: Final = {
    **{
        name: requests.CHAT[name]
        for name in ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty", "stop")
    },
    "random_seed": semconv.REQUEST_SEED,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "response_format": requests.output_type,
}
_read: Final = requests.request(_CONVERSATION)
_sampling: Final = requests.request(_SAMPLING)


_OUTPUT: Final = frozenset({"message.output.delta", "function.call.delta"})


def conversing(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request; how to sample stands in an argument of its own."""
    facts = _read(arguments)
    sampling = arguments.get("completion_args")
    if sampling:
        facts.update(_sampling({name: get(sampling, name) for name in _SAMPLING}))
    return facts


def conversing_stream(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request whose answer comes in events."""
    return {**conversing(arguments), semconv.REQUEST_STREAM: True}


def conversation(result: Any) -> Facts:
    """Facts of a conversation's answer, which says no reason why it finished."""
    facts: Facts = {}
    _conversation(facts, result)
    for output in items(get(result, "outputs")):
        _model(facts, output)
    counted = get(result, "usage")
    if counted is not None:
        usage(facts, counted)
    return facts


def conversation_event(facts: Facts, event: Any) -> None:
    """Facts of one event of a conversation."""
    data = event.data
    kind = data.type
    if kind in _OUTPUT:
        if semconv.RESPONSE_MODEL not in facts:
            _model(facts, data)
    elif kind == "conversation.response.started":
        _conversation(facts, data)
    elif kind == "conversation.response.done":
        usage(facts, data.usage)
    elif kind == "conversation.response.error":
        facts[semconv.ERROR_TYPE] = "error"


def _conversation(facts: Facts, result: Any) -> None:
    identity = get(result, "conversation_id")
    if isinstance(identity, str) and identity:
        facts[semconv.CONVERSATION_ID] = identity


def _model(facts: Facts, output: Any) -> None:
    model = get(output, "model")
    if isinstance(model, str) and model:
        facts[semconv.RESPONSE_MODEL] = model


# --- what was said -------------------------------------------------------------------------------


def _asked(arguments: Mapping[str, Any]) -> Facts:
    return asked(messages(arguments.get("inputs"), _entry), instructions=text(arguments.get("instructions")))


def _entry(entry: Any) -> Message:
    kind = get(entry, "type")
    if kind == "function.result":
        return message("tool", [tool_response(get(entry, "tool_call_id"), get(entry, "result"))])
    role = get(entry, "role") or ("assistant" if kind in ("message.output", "function.call") else "user")
    return message(role, _parts(entry))


def _parts(entry: Any) -> list[Part]:
    kind = get(entry, "type")
    if kind in ("function.call", "function.call.delta"):
        return [tool_call(get(entry, "tool_call_id"), get(entry, "name"), get(entry, "arguments"))]
    content = get(entry, "content")
    if content is None:
        return [{"type": kind if isinstance(kind, str) else "unknown"}]
    if isinstance(content, str):
        return text(content)
    return [part for each in items(content) for part in text(get(each, "text"))]


def _answered(result: Any) -> Facts:
    said = [part for output in items(get(result, "outputs")) for part in _parts(output)]
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


def _event(state: _State, event: Any) -> None:
    data, pieces = event.data, Pieces.of(state)
    index = get(data, "output_index") or 0
    if data.type == "message.output.delta":
        content = data.content
        pieces.add((index, "text"), content if isinstance(content, str) else get(content, "text"))
    elif data.type == "function.call.delta":
        pieces.keep((index, "id"), data.tool_call_id)
        pieces.keep((index, "name"), data.name)
        pieces.add((index, "arguments"), data.arguments)


def _ended(state: _State) -> Facts:
    pieces = Pieces.of(state)
    said: list[Part] = []
    for index in pieces.under():
        said += text(pieces.text((index, "text")))
        name = pieces.kept((index, "name"))
        if name is not None:
            said.append(tool_call(pieces.kept((index, "id")), name, pieces.text((index, "arguments"))))
    said += pieces.lost()
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


CONVERSATION: Final = Content(_asked, _answered, _event, _ended)


def _framed(state: _State, event: Any) -> None:
    if RESPONSES.chunk is not None:
        RESPONSES.chunk(state, event.data)


FRAMED_RESPONSES: Final = Content(RESPONSES.request, RESPONSES.response, _framed, RESPONSES.final)
"""OpenAI's responses, whose events come in frames."""
