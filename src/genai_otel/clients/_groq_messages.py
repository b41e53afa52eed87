"""What was said in Groq's chats: OpenAI's, with the tools that its compound systems run themselves."""

from __future__ import annotations

from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._openai_messages import CHAT as OPENAI
from genai_otel.clients._openai_messages import chat_chunk, chat_final
from genai_otel.clients._parts import Part, get, given, items
from genai_otel.spec import Content, Facts

_RESULTS: Final = ("output", "search_results", "code_results", "browser_results")
_RAN: Final = "executed_tools"


def _response(result: Any) -> Facts:
    ran = {
        number: items(get(get(choice, "message"), _RAN))
        for number, choice in enumerate(items(get(result, "choices")))
    }
    return _with_tools(OPENAI.response(result), ran)


def _chunk(state: dict[Any, Any], chunk: Any) -> None:
    chat_chunk(state, chunk)
    for choice in items(get(chunk, "choices")):
        for tool in items(get(get(choice, "delta"), _RAN)):  # what it finds comes later than what it is asked
            state.setdefault(_RAN, {}).setdefault(get(choice, "index") or 0, {})[get(tool, "index")] = tool


def _final(state: dict[Any, Any]) -> Facts:
    ran = {number: list(tools.values()) for number, tools in state.pop(_RAN, {}).items()}
    return _with_tools(chat_final(state), ran)


def _with_tools(facts: Facts, ran: dict[int, Any]) -> Facts:
    for number, said in enumerate(facts.get(semconv.OUTPUT_MESSAGES, ())):
        said["parts"][:0] = [part for tool in ran.get(number, ()) for part in _parts(tool)]
    return facts


def _parts(tool: Any) -> list[Part]:
    kind = get(tool, "type")
    asked = given(type=kind, arguments=get(tool, "arguments"))
    found: list[Part] = [given(type="server_tool_call", name=kind, server_tool_call=asked)]
    got = given(**{name: get(tool, name) for name in _RESULTS})
    if got:
        found.append(
            {"type": "server_tool_call_response", "server_tool_call_response": {"type": kind, **got}}
        )
    return found


CHAT: Final = Content(OPENAI.request, _response, _chunk, _final)
