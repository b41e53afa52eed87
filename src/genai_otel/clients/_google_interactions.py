"""Google's interactions, which another generator made than the rest of the client: facts and content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._fields import fields
from genai_otel.clients._google_results import INPUT, OUTPUT, billed, given, modalities, word
from genai_otel.clients._parts import (
    Message,
    Part,
    asked,
    blob,
    get,
    items,
    medium,
    message,
    reasoning,
    text,
    tool_call,
    tool_definitions,
    tool_response,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]

# --- requests ------------------------------------------------------------------------------------------------------

_CONFIG: Final = requests.request(
    {
        "temperature": requests.CHAT["temperature"],
        "top_p": requests.CHAT["top_p"],
        "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
        "seed": semconv.REQUEST_SEED,
        "stop_sequences": requests.CHAT["stop"],
        "thinking_level": semconv.REQUEST_REASONING_LEVEL,
    }
)
_REQUEST: Final = requests.request(
    {
        "agent": semconv.AGENT_NAME,
        "previous_interaction_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
        "stream": requests.CHAT["stream"],
        "response_modalities": modalities,
    }
)


def request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request."""
    facts = _REQUEST(arguments)
    config = arguments.get("generation_config")
    if config is not None:
        facts.update(_CONFIG(given(config)))
    return facts


# --- results -------------------------------------------------------------------------------------------------------

_FINISH: Final = {
    "completed": "stop",
    "incomplete": "length",
    "budget_exceeded": "length",
    "requires_action": "tool_call",
    "failed": "error",
    "cancelled": "cancelled",
}


def response(result: Any) -> Facts:
    """Facts of an interaction."""
    facts: Facts = {}
    told = fields(result)
    _identity(facts, told)
    status = told.get("status")
    if isinstance(status, str):
        facts[semconv.RESPONSE_STATUS] = status
        if status in _FINISH:
            facts[semconv.RESPONSE_FINISH_REASONS] = (_FINISH[status],)
        if status == "failed":
            facts[semconv.ERROR_TYPE] = "failed"
    counted = told.get("usage")
    if counted is not None:
        _usage(facts, fields(counted))
    return facts


def _identity(facts: Facts, told: Mapping[str, Any]) -> None:
    identity, model = told.get("id"), told.get("model")
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    if model:
        facts[semconv.RESPONSE_MODEL] = model


_COUNTS: Final = (
    "total_input_tokens",
    "total_tool_use_tokens",
    "total_output_tokens",
    "total_thought_tokens",
    "total_cached_tokens",
)
_SEARCH: Final = "google_search"
_MODALITIES: Final = (("input_tokens_by_modality", INPUT), ("output_tokens_by_modality", OUTPUT))


def _usage(facts: Facts, told: Mapping[str, Any]) -> None:
    """Thoughts and the results of Google's own tools are counted beside the totals."""
    read, results, written, thoughts, cached = map(told.get, _COUNTS)
    if read is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = read + (results or 0)
    if written is not None or thoughts:
        facts[semconv.USAGE_OUTPUT_TOKENS] = (written or 0) + (thoughts or 0)
    if thoughts:
        facts[semconv.USAGE_REASONING_OUTPUT_TOKENS] = thoughts
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached
    grounded = items(told.get("grounding_tool_count"))
    billed(facts, sum(get(each, "count") or 0 for each in grounded if get(each, "type") == _SEARCH))
    for field, names in _MODALITIES:
        for each in told.get(field) or ():
            part = fields(each).get
            name = names.get(word(part("modality")))
            if name is not None and part("tokens"):
                facts[name] = part("tokens")


def first(facts: Facts, event: Any) -> None:
    """Who answers, from a stream's first event."""
    interaction = get(event, "interaction")
    if interaction is not None:
        _identity(facts, fields(interaction))


def chunk(facts: Facts, event: Any) -> None:
    """Facts of one event; a stream that the client goes on with has several ends, each with a usage of its own."""
    kind = event.event_type
    if kind == "interaction.completed":
        ended = response(event.interaction)
        for name, count in ended.items():
            if name.startswith(semconv.USAGE) and name in facts:
                ended[name] = facts[name] + count
        facts.update(ended)
    elif kind == "error":
        facts[semconv.ERROR_TYPE] = get(event.error, "code") or "error"


# --- content -------------------------------------------------------------------------------------------------------


def _asked(arguments: Mapping[str, Any]) -> Facts:
    said = arguments.get("input")
    turns = _turns(said if isinstance(said, (list, tuple)) else [said])
    return asked(
        turns,
        instructions=text(arguments.get("system_instruction")),
        tools=tool_definitions(arguments.get("tools")),
    )


def _turns(steps: Any) -> list[Message]:
    """Steps of a conversation, one after another of one role together."""
    found: list[Message] = []
    for step in items(steps):
        kind = get(step, "type")
        role = "tool" if kind == "function_result" else "assistant" if kind in _OURS else "user"
        said = _step(step)
        if said and found and found[-1]["role"] == role:
            found[-1]["parts"] += said
        elif said:
            found.append(message(role, said))
    return found


_OURS: Final = frozenset({"model_output", "thought", "function_call"})


def _step(step: Any) -> list[Part]:
    if isinstance(step, str):
        return text(step)
    kind = get(step, "type")
    if kind in ("user_input", "model_output"):
        said = get(step, "content")
        return text(said) if isinstance(said, str) else [part for each in items(said) for part in _part(each)]
    if kind == "thought":
        return reasoning(*(get(each, "text") for each in items(get(step, "summary"))))
    if kind == "function_call":
        return [tool_call(get(step, "id"), get(step, "name"), get(step, "arguments"))]
    if kind == "function_result":
        return [tool_response(get(step, "call_id"), get(step, "result"))]
    return [] if step is None else _part(step)


def _part(content: Any) -> list[Part]:
    kind = get(content, "type")
    if kind == "text" or isinstance(content, str):
        return text(content if isinstance(content, str) else get(content, "text"))
    if kind in ("image", "audio", "video", "document"):
        uri = get(content, "uri")
        if uri is not None:
            return [medium(kind, url=uri, file_id=None)]
        return [blob(kind, get(content, "data"), get(content, "mime_type"))]
    return [{"type": kind if isinstance(kind, str) else "unknown"}]


def _answered(result: Any) -> Facts:
    said = [part for step in items(get(result, "steps")) for part in _step(step)]
    finish = _FINISH.get(get(result, "status") or "")
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=finish)]} if said else {}


def _event(state: _State, event: Any) -> None:
    pieces, kind, index = Pieces.of(state), event.event_type, get(event, "index")
    if kind == "step.start":
        pieces.keep((index, "step"), event.step)
    elif kind == "step.delta":
        delta = event.delta
        pieces.add((index, "text"), get(delta, "text"))
        pieces.add((index, "arguments"), get(delta, "arguments"))
        pieces.add((index, "thought"), get(get(delta, "content"), "text"))
    elif kind == "interaction.completed":
        state["status"] = get(event.interaction, "status")


def _ended(state: _State) -> Facts:
    pieces = Pieces.of(state)
    said: list[Part] = []
    for index in pieces.under():
        step = pieces.kept((index, "step"))
        said += reasoning(pieces.text((index, "thought"))) + text(pieces.text((index, "text")))
        if get(step, "type") == "function_call":
            arguments = pieces.text((index, "arguments")) or get(step, "arguments")
            said.append(tool_call(get(step, "id"), get(step, "name"), arguments))
    said += pieces.lost()
    finish = _FINISH.get(state.get("status") or "")
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=finish)]} if said else {}


CONTENT: Final = Content(_asked, _answered, _event, _ended)
