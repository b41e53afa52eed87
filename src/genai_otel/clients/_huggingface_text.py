"""Text generation of Hugging Face's inference server: it counts tokens only where the program asks for details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._parts import get, items, message, text
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

PARAMETERS: Final = {
    **{
        name: requests.CHAT[name]
        for name in ("temperature", "top_p", "frequency_penalty", "seed", "stop", "stream")
    },
    "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
    "top_k": semconv.REQUEST_TOP_K,
}


def response(result: Any) -> Facts:
    """Facts of a generated text: of the bare text none."""
    facts: Facts = {}
    details = get(result, "details")
    if details is None:
        return facts
    _finished(facts, details)
    prefill = items(get(details, "prefill"))
    if prefill:  # the tokens of the prompt, which are there when they were asked for
        facts[semconv.USAGE_INPUT_TOKENS] = len(prefill)
    return facts


def chunk(facts: Facts, token: Any) -> None:
    """Facts of one token: only the last one has details."""
    details = getattr(token, "details", None)
    if details is not None:
        _finished(facts, details)
        tokens = get(details, "input_length")
        if tokens is not None:
            facts[semconv.USAGE_INPUT_TOKENS] = tokens


def _finished(facts: Facts, details: Any) -> None:
    facts[semconv.RESPONSE_FINISH_REASONS] = (get(details, "finish_reason") or "error",)
    tokens = get(details, "generated_tokens")
    if tokens is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = tokens


# --- what was said -------------------------------------------------------------------------------


def _said_request(arguments: Mapping[str, Any]) -> Facts:
    said = text(arguments.get("prompt"))
    return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}


def _output(said: list[dict[str, Any]], reason: Any) -> Facts:
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=reason)]} if said else {}


def _said_response(result: Any) -> Facts:
    if isinstance(result, str):
        return _output(text(result), None)
    return _output(text(get(result, "generated_text")), get(get(result, "details"), "finish_reason"))


def _said_chunk(state: dict[Any, Any], token: Any) -> None:
    pieces = Pieces.of(state)
    if isinstance(token, str):
        pieces.add(("text",), token)
        return
    if not get(get(token, "token"), "special"):
        pieces.add(("text",), get(get(token, "token"), "text"))
    details = get(token, "details")
    if details is not None:
        pieces.keep(("finish",), get(details, "finish_reason"))


def _said_final(state: dict[Any, Any]) -> Facts:
    pieces = Pieces.of(state)
    return _output(text(pieces.text(("text",))) + pieces.lost(), pieces.kept(("finish",)))


CONTENT: Final = Content(_said_request, _said_response, _said_chunk, _said_final)
