"""What was said in Anthropic's messages: content blocks → the convention's parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._parts import (
    Message,
    Part,
    asked,
    blob,
    get,
    given,
    items,
    medium,
    message,
    reader,
    reasoning,
    text,
    tool_call,
)
from genai_otel.clients._pieces import FULL, Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]
_MEDIA: Final = {"image": "image", "document": "document"}


def _request(arguments: Mapping[str, Any]) -> Facts:
    return asked(
        [_message(one) for one in items(arguments.get("messages"))],
        instructions=_blocks(arguments.get("system")),
        tools=[_definition(tool) for tool in items(arguments.get("tools"))],
    )


def _message(said: Any) -> Message:
    """A message; one that holds results of tools alone comes from the tools, whatever role the vendor gives it."""
    parts = _blocks(get(said, "content"))
    answers = bool(parts) and all(part["type"] == "tool_call_response" for part in parts)
    return message("tool" if answers else get(said, "role"), parts)


def _definition(tool: Any) -> Part:
    field = reader(tool)
    kind, schema = field("type"), field("input_schema")
    own = kind in (None, "custom")  # the vendor's tools have types of their own
    return given(
        type="function" if own else kind,
        name=field("name") or kind,
        description=field("description"),
        parameters=schema,
    )


def _response(result: Any) -> Facts:
    reason = get(result, "stop_reason")
    parts = _blocks(get(result, "content"))
    if not parts and reason is None:
        return {}
    said = message(get(result, "role") or "assistant", parts, finish_reason=reason)
    return {semconv.OUTPUT_MESSAGES: [said]}


def _blocks(content: Any) -> list[Part]:
    if isinstance(content, str):
        return text(content)
    return [part for block in items(content) for part in _block(block)]


def _block(block: Any) -> list[Part]:
    """The parts of one content block; of a kind that is not known here only the kind."""
    if isinstance(block, str):
        return text(block)
    field = reader(block)
    kind = field("type")
    if kind == "text":
        return text(field("text"))
    if kind == "thinking":
        return reasoning(field("thinking"))
    if kind in _MEDIA:
        return [_medium(_MEDIA[kind], field("source"))]
    if not isinstance(kind, str):
        return [{"type": "unknown"}]
    if kind.endswith("tool_use"):  # the vendor's own tools, and those of an MCP server, beside the program's
        return [tool_call(field("id"), field("name"), field("input"))]
    if kind.endswith("tool_result"):
        return [_result(field("tool_use_id"), field("content"))]
    return [{"type": kind}]


def _result(identity: Any, content: Any) -> Part:
    answered = content if isinstance(content, str) else _blocks(content)
    return {**given(type="tool_call_response", id=identity), "response": answered}


def _medium(modality: str, source: Any) -> Part:
    field = reader(source)
    kind = field("type")
    if kind == "base64":
        return blob(modality, field("data"), field("media_type"))
    if kind == "text":
        return {"type": "text", "content": field("data")}
    return medium(modality, url=field("url"), file_id=field("file_id"))


# --- streams -----------------------------------------------------------------------------------------------------

_DELTAS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_WHOLE: Final = -1  # in place of a block's index: what is of the whole message


def _chunk(state: _State, event: Any) -> None:
    """Keep what one event says; the usual one, a bit more text of the same block, takes a short way."""
    if event.type == "content_block_delta":
        delta = event.delta
        if delta.type == "text_delta" and event.index == state.get("index"):
            fresh = state["fresh"]
            fresh.append(delta.text)
            if len(fresh) >= FULL:
                Pieces.of(state)
            return
        _delta(state, event.index, delta)
    elif event.type == "content_block_start":
        _begun(state, event.index, event.content_block)
    elif event.type == "message_delta":
        Pieces.of(state).keep((_WHOLE, "finish"), get(event.delta, "stop_reason"))


def _delta(state: _State, index: Any, delta: Any) -> None:
    pieces, kind = Pieces.of(state), get(delta, "type")
    if kind in _DELTAS:
        pieces.add((index, "text"), get(delta, _DELTAS[kind]))
    if kind == "text_delta":
        fresh = pieces.fresh((index, "text"))
        if fresh is not None:
            state["index"], state["fresh"] = index, fresh


def _begun(state: _State, index: Any, block: Any) -> None:
    pieces = Pieces.of(state)
    # Of its own tools' results the vendor sends the block at once.
    pieces.keep((index, "block"), block)
    field = reader(block)
    pieces.add((index, "text"), field("text") or field("thinking"))


def _final(state: _State) -> Facts:
    pieces = Pieces.of(state)
    reason = pieces.kept((_WHOLE, "finish"))
    said: list[Part] = []
    for index in pieces.under():
        if index != _WHOLE:
            said += _streamed(pieces, index)
    said += pieces.lost()
    if not said and reason is None:
        return {}
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=reason)]}


def _streamed(pieces: Pieces, index: Any) -> list[Part]:
    field, told = reader(pieces.kept((index, "block"))), pieces.text((index, "text"))
    kind = field("type")
    if kind == "thinking":
        return reasoning(told)
    if isinstance(kind, str) and kind.endswith("tool_use"):
        return [tool_call(field("id"), field("name"), told or field("input"))]
    return text(told) if kind in ("text", None) else _block(pieces.kept((index, "block")))


MESSAGES: Final = Content(_request, _response, _chunk, _final)
