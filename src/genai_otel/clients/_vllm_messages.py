"""What was said to vLLM and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._openai_chunks import chat_final
from genai_otel.clients._openai_messages import CHAT as OPENAI
from genai_otel.clients._parts import get, items, message, text
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts


def _prompts(arguments: Mapping[str, Any]) -> Facts:
    asked = arguments.get("prompts")
    each: Any = [asked] if isinstance(asked, (str, Mapping)) else items(asked)
    return _said(each)


def _prompt(arguments: Mapping[str, Any]) -> Facts:
    return _said([arguments.get("prompt_text") or arguments.get("prompt")])


def _said(prompts: Any) -> Facts:
    """Texts; of tokens nobody knows here what they mean."""
    said = [text(one if isinstance(one, str) else get(one, "prompt")) for one in prompts]
    return {semconv.INPUT_MESSAGES: [message("user", one) for one in said]} if any(said) else {}


def _chat(arguments: Mapping[str, Any]) -> Facts:
    several = items(arguments.get("messages"))
    chats = several if several and isinstance(several[0], list) else [several]
    return OPENAI.request(
        {"messages": [one for chat in chats for one in chat], "tools": arguments.get("tools")}
    )


def _response(result: Any) -> Facts:
    said = [
        message("assistant", text(output.text), finish_reason=output.finish_reason)
        for answer in items(result)
        for output in items(answer.outputs)
    ]
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


def _delta(state: dict[Any, Any], chunk: Any) -> None:
    pieces = Pieces.of(state)
    for output in chunk.outputs:
        pieces.add((output.index, "text"), output.text)
        pieces.keep((output.index, "finish"), output.finish_reason)


def _so_far(state: dict[Any, Any], chunk: Any) -> None:
    for output in chunk.outputs:
        state[output.index] = output


def _last(state: dict[Any, Any]) -> Facts:
    said = [
        message("assistant", text(output.text), finish_reason=output.finish_reason)
        for _, output in sorted(state.items())
    ]
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


PROMPTS: Final = Content(_prompts, _response)
BEAMS: Final = Content(_prompts)
CHAT: Final = Content(_chat, _response)
DELTAS: Final = Content(_prompt, chunk=_delta, final=chat_final)
CUMULATIVE: Final = Content(_prompt, chunk=_so_far, final=_last)
