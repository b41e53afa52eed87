"""What was said in OpenAI's Responses API: items in, items out, events between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._openai_results import TERMINAL, finish
from genai_otel.clients._parts import (
    Message,
    Part,
    asked,
    blob,
    get,
    given,
    items,
    message,
    messages,
    parts,
    reasoning,
    text,
    tool_call,
    tool_definitions,
    tool_response,
)
from genai_otel.clients._pieces import FULL, Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]

# Tools that the program runs, by what holds their arguments; other "…_call" items are run by the vendor.
_LOCAL: Final = {
    "computer_call": "action",
    "local_shell_call": "action",
    "shell_call": "action",
    "apply_patch_call": "operation",
    "custom_tool_call": "input",
    "function_call": "arguments",
}
_SERVER_FIELDS: Final = ("action", "queries", "code", "arguments", "revised_prompt")
_SERVER_RESULTS: Final = ("output", "outputs", "results")
_DELTAS: Final = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "arguments",
}


def _request(arguments: Mapping[str, Any]) -> Facts:
    return asked(
        messages(arguments.get("input"), _message),
        instructions=parts(arguments.get("instructions")),
        tools=tool_definitions(arguments.get("tools")),
    )


def _message(item: Any) -> Message:
    kind = get(item, "type")
    if kind is None or kind == "message":
        return message(get(item, "role"), parts(get(item, "content")))
    said = _item(item, str(kind))
    return message("tool" if said and said[0]["type"] == "tool_call_response" else "assistant", said)


def _item(item: Any, kind: str) -> list[Part]:
    """The parts of an item of the model's output, or of one that is sent back."""
    if kind == "message":
        return parts(get(item, "content"))
    if kind == "reasoning":
        told = [get(part, "text") for name in ("summary", "content") for part in items(get(item, name))]
        return reasoning(*told)
    if kind == "compaction":
        return [given(type="compaction", id=get(item, "id"))]
    if kind in _LOCAL:
        name = get(item, "name") or kind.removesuffix("_call")
        return [tool_call(get(item, "call_id") or get(item, "id"), name, get(item, _LOCAL[kind]))]
    if kind.endswith("_call_output"):
        return [tool_response(get(item, "call_id"), _result(get(item, "output")))]
    if kind.endswith("_call"):
        return _server_tool(item, kind)
    return [{"type": kind}]


def _result(output: Any) -> Any:
    """Text and lists of parts as they are; a screenshot is one part."""
    return output if isinstance(output, str) else items(output) or ([] if output is None else [output])


def _server_tool(item: Any, kind: str) -> list[Part]:
    identity, name = get(item, "id"), get(item, "name") or kind.removesuffix("_call")
    asked = given(type=kind, **{field: get(item, field) for field in _SERVER_FIELDS})
    found: list[Part] = [given(type="server_tool_call", id=identity, name=name, server_tool_call=asked)]
    if kind == "image_generation_call":
        image = get(item, "result")
        return (
            found
            if image is None
            else [*found, blob("image", image, f"image/{get(item, 'output_format') or 'png'}")]
        )
    got = given(**{field: get(item, field) for field in _SERVER_RESULTS})
    if got:
        answered = {"type": kind, **got}
        found.append(given(type="server_tool_call_response", id=identity, server_tool_call_response=answered))
    return found


def _response(result: Any) -> Facts:
    output = items(get(result, "output"))
    said = [part for item in output for part in _item(item, str(get(item, "type")))]
    if not said:
        return {}
    reason = finish(
        get(result, "status"),
        get(get(result, "incomplete_details"), "reason"),
        called=any(part["type"] == "tool_call" for part in said),
    )
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=reason)]}


def _chunk(state: _State, event: Any) -> None:
    try:  # one more delta of a text that has begun, as most events are
        fresh = state[event.output_index, event.type]
        fresh.append(event.delta)
    except (AttributeError, KeyError, TypeError):
        _unusual(state, event)
        return
    if len(fresh) >= FULL:
        Pieces.of(state)


def _unusual(state: _State, event: Any) -> None:
    kind, index = get(event, "type"), get(event, "output_index")
    if kind in _DELTAS:
        key = (index or 0, _DELTAS[kind])
        pieces = Pieces.of(state)
        pieces.add(key, get(event, "delta"))
        fresh = pieces.fresh(key)
        if fresh is not None:
            state[index, kind] = fresh
    elif kind in ("response.output_item.added", "response.output_item.done"):
        Pieces.of(state).keep((index or 0, kind), get(event, "item"))
    elif kind in TERMINAL:
        state["response"] = get(event, "response")


def _final(state: _State) -> Facts:
    """The response that the last event carries; without it the items that were done, and the pieces of the others."""
    response = state.get("response")
    if response is not None:
        found = _response(response)
        if found:
            return found
    pieces = Pieces.of(state)
    said = [part for index in pieces.under() for part in _piece(pieces, index)]
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said + pieces.lost())]} if said else {}


def _piece(pieces: Pieces, index: Any) -> list[Part]:
    done = pieces.kept((index, "response.output_item.done"))
    if done is not None:
        return _item(done, str(get(done, "type")))
    said = reasoning(pieces.text((index, "reasoning"))) + text(pieces.text((index, "text")))
    refusal = pieces.text((index, "refusal"))
    if refusal:
        said.append({"type": "refusal", "content": refusal})
    begun = pieces.kept((index, "response.output_item.added"))
    if get(begun, "type") in ("function_call", "custom_tool_call"):
        said.append(tool_call(get(begun, "call_id"), get(begun, "name"), pieces.text((index, "arguments"))))
    return said


RESPONSES: Final = Content(_request, _response, _chunk, _final)
