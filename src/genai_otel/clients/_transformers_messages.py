"""What was said to a pipeline of Transformers, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients._openai_messages import CHAT as OPENAI
from genai_otel.clients._parts import Message, get, items, message, text
from genai_otel.spec import Content, Facts

_WORDS: Final = ("generated_text", "summary_text", "translation_text", "text", "answer")
_SEVERAL: Final = (list, tuple)


def is_chat(inputs: Any) -> bool:
    """Whether the inputs are messages: one chat, or several."""
    while isinstance(inputs, _SEVERAL) and inputs:
        inputs = cast("Any", inputs)[0]
    return "role" in inputs if isinstance(inputs, dict) else hasattr(cast("Any", inputs), "messages")


def _chats(inputs: Any) -> list[Any]:
    """The chats among the inputs; a pipeline may have made objects of them already."""
    if hasattr(inputs, "messages"):
        return [inputs.messages]
    several = items(inputs)
    if not several:
        return []
    if isinstance(several[0], Mapping) and "role" in several[0]:
        return [several]
    return [chat for each in several for chat in _chats(each)]


def _chat_request(arguments: Mapping[str, Any]) -> Facts:
    said = [each for chat in _chats(arguments.get("inputs")) for each in chat]
    return OPENAI.request({"messages": said, "tools": arguments.get("tools")})


def _text_request(arguments: Mapping[str, Any]) -> Facts:
    inputs = arguments.get("inputs")
    each: Any = [inputs] if isinstance(inputs, (str, Mapping)) else items(inputs)
    said = [message("user", text(one if isinstance(one, str) else get(one, "text"))) for one in each]
    return {semconv.INPUT_MESSAGES: said} if any(one["parts"] for one in said) else {}


def _response(result: Any) -> Facts:
    said = [answer for record in _records(result) for answer in _answers(record)]
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


def _records(result: Any) -> list[Any]:
    return (
        [result] if isinstance(result, Mapping) else [one for each in items(result) for one in _records(each)]
    )


def _answers(record: Any) -> list[Message]:
    said = next((record[word] for word in _WORDS if word in record), None)
    if isinstance(said, str):
        return [message("assistant", text(said))]
    spoken = items(said)  # the whole chat; its last message is the answer
    return OPENAI.request({"messages": [spoken[-1]]})[semconv.INPUT_MESSAGES] if spoken else []


CHAT: Final = Content(_chat_request, _response)
TEXT: Final = Content(_text_request, _response)
