"""What a step was given and what it gave, in the structures of the conventions; asked only when content is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genai_otel import safe, semconv
from genai_otel.annotate.kinds import Facts, Said


def asked(said: Said, arguments: Mapping[str, Any], most: int) -> Facts:
    """A copy of the arguments, because the function may change them."""
    if said == "call":
        return {semconv.TOOL_CALL_ARGUMENTS: safe.plain(dict(arguments), budget=most)}
    if said == "query":
        return {semconv.RETRIEVAL_QUERY_TEXT: _text(arguments, most)}
    return {semconv.INPUT_MESSAGES: [_message("user", _text(arguments, most))]}


def answered(said: Said, result: Any, most: int) -> Facts:
    """The same of a result; None is none."""
    if result is None:
        return {}
    if said == "call":
        return {semconv.TOOL_CALL_RESULT: safe.plain(result, budget=most)}
    if said == "query":
        return {semconv.RETRIEVAL_DOCUMENTS: safe.plain(result, budget=most)}
    message = _message("assistant", _text({"result": result}, most))
    return {semconv.OUTPUT_MESSAGES: [{**message, "finish_reason": "stop"}]}


def _text(values: Mapping[str, Any], most: int) -> str:
    """One text as it is, anything else as JSON."""
    if len(values) == 1:
        (value,) = values.values()
        return value if type(value) is str else safe.json_text(value, value_bytes=most)
    return safe.json_text(dict(values), value_bytes=most)


def _message(role: str, text: str) -> Facts:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
