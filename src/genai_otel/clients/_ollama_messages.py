"""What was said to Ollama and by it: messages with thinking and images beside the text, arguments that are objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._openai_chunks import chat_final
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
    tool_definitions,
    tool_response,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]


def _image(image: Any) -> Part:
    """An image as bytes, as base64, or where it lies; a file is named, never read."""
    value = get(image, "value") or image
    if isinstance(value, PurePath) or (isinstance(value, str) and "." in value):  # not a sign of base64
        return medium("image", url=str(value), file_id=None)
    return blob("image", value)


def _images(images: Any) -> list[Part]:
    return [_image(image) for image in items(images)]


def _message(said: Any, finish_reason: Any = None) -> Message:
    field = reader(said)
    role = field("role")
    if role == "tool":
        response = tool_response(field("tool_call_id"), field("content"))
        return message(role, [response], name=field("tool_name"))
    found = reasoning(field("thinking")) + text(field("content")) + _images(field("images"))
    for call in items(field("tool_calls")):
        function = get(call, "function")
        found.append(tool_call(None, get(function, "name"), get(function, "arguments")))
    return message(role, found, finish_reason=finish_reason)


def _tools(tools: Any) -> list[Part]:
    """Tools may be functions, from which the client makes the schema."""
    return [
        given(type="function", name=getattr(tool, "__name__", None))
        if callable(tool)
        else tool_definitions([tool])[0]
        for tool in items(tools)
    ]


def _chat_request(arguments: Mapping[str, Any]) -> Facts:
    said = [_message(each) for each in items(arguments.get("messages"))]
    return asked(said, tools=_tools(arguments.get("tools")))


def _chat_response(result: Any) -> Facts:
    said = get(result, "message")
    reason = "tool_calls" if items(get(said, "tool_calls")) else get(result, "done_reason")
    return {semconv.OUTPUT_MESSAGES: [_message(said, reason)]}


def _generate_request(arguments: Mapping[str, Any]) -> Facts:
    facts: Facts = {}
    said = text(arguments.get("prompt")) + _images(arguments.get("images"))
    if said:
        facts[semconv.INPUT_MESSAGES] = [message("user", said)]
    system = text(arguments.get("system"))
    if system:
        facts[semconv.SYSTEM_INSTRUCTIONS] = system
    return facts


def _generate_response(result: Any) -> Facts:
    field = reader(result)
    said = reasoning(field("thinking")) + text(field("response"))
    image = field("image")
    if image:
        said.append(blob("image", image))
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=field("done_reason"))]}


def _chunks(within: str | None, content: str) -> Callable[[_State, Any], None]:
    """The reader of chunks: text stands in the field ``content``, of the field ``within`` where there is one."""

    def chunk(state: _State, result: Any) -> None:
        pieces = Pieces.of(state)
        field = reader(result if within is None else get(result, within))
        pieces.add((0, "reasoning"), field("thinking"))
        pieces.add((0, "text"), field(content))
        for call in items(field("tool_calls")):
            function = get(call, "function")
            called = (0, "call", len(pieces.under((0, "call"))))
            pieces.keep((*called, "name"), get(function, "name"))
            pieces.add((*called, "arguments"), json.dumps(get(function, "arguments")))
            pieces.keep((0, "finish"), "tool_call")
        if pieces.kept((0, "finish")) is None:
            pieces.keep((0, "finish"), get(result, "done_reason"))

    return chunk


CHAT: Final = Content(_chat_request, _chat_response, _chunks("message", "content"), chat_final)
GENERATE: Final = Content(_generate_request, _generate_response, _chunks(None, "response"), chat_final)
