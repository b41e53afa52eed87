"""What was said in OpenAI's chat, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._parts import (
    Message,
    Reader,
    blob,
    get,
    items,
    message,
    reader,
    reasoning,
    text,
    tool_call,
)
from genai_otel.clients._pieces import FULL, Pieces
from genai_otel.spec import Facts

_State = dict[Any, Any]

# What a chunk of the first choice tells beside its text, and what that is when it tells nothing else.
_SHAPE: Final = attrgetter(
    "index", "finish_reason", "delta.role", "delta.__pydantic_fields_set__", "delta.__pydantic_extra__"
)
_ONLY_TEXT: Final[tuple[Any, ...]] = (
    (0, None, None, {"content"}, {}),
    (0, None, "assistant", {"content", "role"}, {}),
)


def chat_chunk(state: _State, chunk: Any) -> None:
    """Keep what one chunk says; the usual one, a bit more text of one choice, takes a short way."""
    try:
        (choice,) = chunk.choices
        if _SHAPE(choice) in _ONLY_TEXT:
            fresh = state["text"]
            fresh.append(choice.delta.content)
            if len(fresh) >= FULL:
                Pieces.of(state)
            return
    except (AttributeError, KeyError, TypeError, ValueError):  # no such chunk, or the first of its text
        pass
    _unusual(state, chunk)


def _unusual(state: _State, chunk: Any) -> None:
    pieces = Pieces.of(state)
    for choice in items(get(chunk, "choices")):
        field = reader(choice)
        index = field("index") or 0
        _delta(pieces, index, reader(field("delta")))
        pieces.keep((index, "finish"), field("finish_reason"))
    # To an assistant a chunk that names the role again says nothing new; without a list no chunk is usual.
    assistant = pieces.kept((0, "role")) in (None, "assistant")
    state["text"] = pieces.fresh((0, "text")) if assistant else None


def _delta(pieces: Pieces, index: int, field: Reader) -> None:
    pieces.keep((index, "role"), field("role"))
    pieces.add((index, "text"), field("content"))
    pieces.add((index, "refusal"), field("refusal"))
    pieces.add((index, "reasoning"), field("reasoning_content") or field("reasoning"))
    audio = field("audio")
    if audio is not None:
        pieces.add((index, "transcript"), get(audio, "transcript"))
        pieces.add((index, "audio"), get(audio, "data"))
    for call in calls(field):
        number = get(call, "index") or 0
        function = get(call, "function")
        pieces.keep((index, "call", number, "id"), get(call, "id"))
        pieces.keep((index, "call", number, "name"), get(function, "name"))
        pieces.add((index, "call", number, "arguments"), get(function, "arguments"))


def chat_final(state: _State) -> Facts:
    """The messages of a stream that has ended, or was left."""
    pieces = Pieces.of(state)
    messages = [_streamed(pieces, index) for index in pieces.under()]
    return {semconv.OUTPUT_MESSAGES: messages} if messages else {}


def _streamed(pieces: Pieces, index: Any) -> Message:
    said = reasoning(pieces.text((index, "reasoning")))
    said += text(pieces.text((index, "text")))
    refusal = pieces.text((index, "refusal"))
    if refusal:
        said.append({"type": "refusal", "content": refusal})
    said += text(pieces.text((index, "transcript")))
    audio = pieces.text((index, "audio"))
    if audio:
        said.append(blob("audio", audio))
    for number in pieces.under((index, "call")):
        called = (index, "call", number)
        said.append(
            tool_call(
                pieces.kept((*called, "id")),
                pieces.kept((*called, "name")),
                pieces.text((*called, "arguments")),
            )
        )
    role = pieces.kept((index, "role")) or "assistant"
    return message(role, said + pieces.lost(), finish_reason=pieces.kept((index, "finish")))


def calls(field: Reader) -> Sequence[Any]:
    """The tools that a message or a delta calls, one of the old kind among them."""
    calls, called = field("tool_calls"), field("function_call")
    return items(calls) if called is None else [*items(calls), {"function": called}]
