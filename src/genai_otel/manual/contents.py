"""What was said in a call that a program reports: texts, and messages as chat APIs or the conventions have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genai_otel import semconv
from genai_otel.clients import _parts as parts
from genai_otel.clients._openai_messages import CHAT
from genai_otel.spec import Facts

Said = str | Sequence[Mapping[str, Any]]
"""A text, or messages: ``{"role", "content", …}`` as chat APIs take them, or ``{"role", "parts"}``."""


def read(*, input: Said | None, output: Said | None, system: Said | None, tools: Any) -> Facts:  # noqa: A002 - plain words
    """The content attributes of what was given."""
    found: Facts = {
        semconv.INPUT_MESSAGES: _messages("user", input),
        semconv.OUTPUT_MESSAGES: _messages("assistant", output),
        semconv.SYSTEM_INSTRUCTIONS: parts.parts(system),
        semconv.TOOL_DEFINITIONS: parts.tool_definitions(tools),
    }
    return {name: value for name, value in found.items() if value}


def _messages(role: str, said: Said | None) -> list[Any]:
    if isinstance(said, str):
        return [parts.message(role, parts.text(said))]
    return [_message(each) for each in parts.items(said)]


def _message(said: Any) -> Any:
    if parts.get(said, "parts") is not None:
        return said
    return CHAT.request({"messages": [said]})[semconv.INPUT_MESSAGES][0]
