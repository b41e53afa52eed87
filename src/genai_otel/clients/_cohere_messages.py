"""What was said in Cohere's chats, of both versions, and in its text generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _parts
from genai_otel.clients._openai_chunks import chat_final
from genai_otel.clients._parts import Message, Part, get, items, message, reasoning, text
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]


def _output(messages: list[Message]) -> Facts:
    return {semconv.OUTPUT_MESSAGES: messages} if messages else {}


def _input(messages: list[Message]) -> Facts:
    return {semconv.INPUT_MESSAGES: messages} if messages else {}


# --- chat -----------------------------------------------------------------------------------------


def _request(arguments: Mapping[str, Any]) -> Facts:
    said = [_message(each) for each in items(arguments.get("messages"))]
    return _parts.asked(said, tools=_parts.tool_definitions(arguments.get("tools")))


def _message(said: Any, finish_reason: Any = None) -> Message:
    role, content = get(said, "role"), get(said, "content")
    if role == "tool":
        return message(role, [_parts.tool_response(get(said, "tool_call_id"), _answer(content))])
    found = reasoning(get(said, "tool_plan"))
    found += text(content) if isinstance(content, str) else [_part(item) for item in items(content)]
    for call in items(get(said, "tool_calls")):
        function = get(call, "function")
        found.append(_parts.tool_call(get(call, "id"), get(function, "name"), get(function, "arguments")))
    return message(role, found, finish_reason=finish_reason)


def _part(item: Any) -> Part:
    kind = get(item, "type")
    if kind == "thinking":
        return {"type": "reasoning", "content": get(item, "thinking") or ""}
    return _document(item) if kind == "document" else _parts.part(item)


def _document(item: Any) -> Part:
    document = get(item, "document")
    said = document if isinstance(document, str) else get(document, "data")
    return _parts.given(type="document", id=get(document, "id"), content=said)


def _answer(content: Any) -> Any:
    """What a tool answered: a text, or documents that ``tool_response`` would not know."""
    said = [_part(item) for item in items(content)]
    return content if isinstance(content, str) else [{"type": "text", "text": _said(part)} for part in said]


def _said(part: Part) -> Any:
    content = part.get("content")
    return content if isinstance(content, str) else get(content, "text") or content


def _response(result: Any) -> Facts:
    said = get(result, "message")
    return {} if said is None else _output([_message(said, get(result, "finish_reason"))])


def _chunk(state: _State, event: Any) -> None:
    kind = getattr(event, "type", None)
    said = get(get(event, "delta"), "message")
    if kind in {"content-delta", "content-start"}:
        content, pieces = get(said, "content"), Pieces.of(state)
        pieces.add((0, "text"), get(content, "text"))
        pieces.add((0, "reasoning"), get(content, "thinking"))
    elif kind == "tool-plan-delta":
        Pieces.of(state).add((0, "reasoning"), get(said, "tool_plan"))
    elif kind in ("tool-call-start", "tool-call-delta"):
        pieces, called = Pieces.of(state), (0, "call", get(event, "index") or 0)
        call = get(said, "tool_calls")
        function = get(call, "function")
        pieces.keep((*called, "id"), get(call, "id"))
        pieces.keep((*called, "name"), get(function, "name"))
        pieces.add((*called, "arguments"), get(function, "arguments"))
    elif kind == "message-end":
        Pieces.of(state).keep((0, "finish"), get(event.delta, "finish_reason"))


# --- chat of the first version --------------------------------------------------------------------

_ROLES: Final = {"CHATBOT": "assistant", "USER": "user", "SYSTEM": "system", "TOOL": "tool"}


def _old_request(arguments: Mapping[str, Any]) -> Facts:
    said = [_old_message(each) for each in items(arguments.get("chat_history"))]
    now = text(arguments.get("message")) + _results(arguments.get("tool_results"))
    if now:
        said.append(message("user", now))
    tools = [
        _parts.given(
            type="function",
            name=get(tool, "name"),
            description=get(tool, "description"),
            parameters=get(tool, "parameter_definitions"),
        )
        for tool in items(arguments.get("tools"))
    ]
    return _parts.asked(said, instructions=text(arguments.get("preamble")), tools=tools)


def _old_message(said: Any, finish_reason: Any = None) -> Message:
    found = text(get(said, "message")) + _old_calls(said) + _results(get(said, "tool_results"))
    role = get(said, "role")
    return message(_ROLES.get(role, role), found, finish_reason=finish_reason)


def _results(results: Any) -> list[Part]:
    return [{"type": "tool_call_response", "response": get(each, "outputs")} for each in items(results)]


def _old_calls(said: Any) -> list[Part]:
    return [
        _parts.tool_call(None, get(call, "name"), get(call, "parameters"))
        for call in items(get(said, "tool_calls"))
    ]


def _old_response(result: Any) -> Facts:
    said = text(get(result, "text")) + _old_calls(result)
    return _output([message("assistant", said, finish_reason=get(result, "finish_reason"))])


def _old_chunk(state: _State, event: Any) -> None:
    kind = getattr(event, "event_type", None)
    if kind == "text-generation":
        Pieces.of(state).add((0, "text"), get(event, "text"))
    elif kind == "stream-end":
        state["end"] = event


def _old_final(state: _State) -> Facts:
    end = state.get("end")
    whole = {} if end is None else _old_response(end.response)
    return whole or chat_final(state)


# --- text generation ------------------------------------------------------------------------------


def _prompt(arguments: Mapping[str, Any]) -> Facts:
    said = text(arguments.get("prompt"))
    return _input([message("user", said)]) if said else {}


def _generated(result: Any) -> Facts:
    return _output(
        [
            message("assistant", text(get(each, "text")), finish_reason=get(each, "finish_reason"))
            for each in items(get(result, "generations"))
        ]
    )


def _generated_final(state: _State) -> Facts:
    end = state.get("end")
    whole = {} if end is None else _generated(get(end, "response"))
    return whole or chat_final(state)


# --- raw clients ----------------------------------------------------------------------------------


def within(content: Content) -> Content:
    """The same of a result that stands in a response."""
    return Content(content.request, lambda raw: content.response(raw.data))


CHAT: Final = Content(_request, _response, _chunk, chat_final)
OLD_CHAT: Final = Content(_old_request, _old_response, _old_chunk, _old_final)
GENERATE: Final = Content(_prompt, _generated, _old_chunk, _generated_final)
