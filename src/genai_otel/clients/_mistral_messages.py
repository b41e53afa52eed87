"""What was said in Mistral's chats: OpenAI's messages, with thoughts and documents among the parts of a content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _parts
from genai_otel.clients._openai_chunks import chat_final
from genai_otel.clients._parts import Message, Part, get, items, message, text
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts


def _word(value: Any, name: str) -> str | None:
    """A field that is a text; the client marks absent ones by a sentinel."""
    found = get(value, name)
    return found if isinstance(found, str) else None


def _content(content: Any) -> list[Part]:
    return text(content) if isinstance(content, str) else [_part(item) for item in items(content)]


def _part(item: Any) -> Part:
    kind = get(item, "type")
    if kind == "thinking":
        return {"type": "reasoning", "content": _thought(item)}
    if kind == "document_url":
        return _parts.medium("document", url=get(item, "document_url"), file_id=None)
    if kind == "input_audio" and isinstance(audio := get(item, "input_audio"), str):
        return _parts.blob("audio", audio)
    if kind == "file":
        return _parts.medium("document", url=None, file_id=get(item, "file_id"))
    return _parts.part(item)


def _thought(item: Any) -> str:
    return "".join(_word(part, "text") or "" for part in items(get(item, "thinking")))


def _message(said: Any, finish_reason: Any = None) -> Message:
    role, name, content = get(said, "role"), _word(said, "name"), get(said, "content")
    if role == "tool":
        response = _parts.tool_response(_word(said, "tool_call_id"), content)
        return message(role, [response], name=name)
    found = _content(content)
    for call in items(get(said, "tool_calls")):
        function = get(call, "function")
        found.append(_parts.tool_call(get(call, "id"), get(function, "name"), get(function, "arguments")))
    return message(role, found, name=name, finish_reason=finish_reason)


def _chat_request(arguments: Mapping[str, Any]) -> Facts:
    said = [_message(each) for each in items(arguments.get("messages"))]
    return _parts.asked(said, tools=_parts.tool_definitions(arguments.get("tools")))


def _fim_request(arguments: Mapping[str, Any]) -> Facts:
    said = text(arguments.get("prompt")) + text(arguments.get("suffix"))
    return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}


def _response(result: Any) -> Facts:
    said = [
        _message(get(choice, "message"), get(choice, "finish_reason"))
        for choice in items(get(result, "choices"))
    ]
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


def _chunk(state: dict[Any, Any], event: Any) -> None:
    pieces = Pieces.of(state)
    for choice in event.data.choices:
        index, delta = choice.index, choice.delta
        pieces.keep((index, "role"), _word(delta, "role"))
        content = delta.content
        if isinstance(content, str):
            pieces.add((index, "text"), content)
        else:
            _parted(pieces, index, content)
        for call in items(delta.tool_calls):
            called = (index, "call", get(call, "index") or 0)
            pieces.keep((*called, "id"), call.id)
            pieces.keep((*called, "name"), call.function.name)
            arguments = call.function.arguments
            whole = arguments if isinstance(arguments, str) else json.dumps(arguments)
            pieces.add((*called, "arguments"), whole)
        pieces.keep((index, "finish"), choice.finish_reason)


def _parted(pieces: Pieces, index: int, content: Any) -> None:
    for part in items(content):
        if get(part, "type") == "thinking":
            pieces.add((index, "reasoning"), _thought(part))
        else:
            pieces.add((index, "text"), get(part, "text"))


CHAT: Final = Content(_chat_request, _response, _chunk, chat_final)
FIM: Final = Content(_fim_request, _response, _chunk, chat_final)
