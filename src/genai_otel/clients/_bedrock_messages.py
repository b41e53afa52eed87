"""What was said to Bedrock: conversations, each vendor's own form of them, agents → the convention's parts."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _anthropic_messages as anthropic
from genai_otel.clients import _openai_messages as openai
from genai_otel.clients._bedrock_invoke import BODY, event_of, reasons_of
from genai_otel.clients._bedrock_results import Fields, document, items, mapping, reason_of
from genai_otel.clients._parts import (
    Message,
    Part,
    blob,
    given,
    medium,
    message,
    reasoning,
    text,
    tool_call,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]


# --- Converse --------------------------------------------------------------------------------------------------------


def _request(arguments: Mapping[str, Any]) -> Facts:
    facts: Facts = {}
    said = items(arguments.get("messages"))
    if said:
        facts[semconv.INPUT_MESSAGES] = [_message(mapping(one)) for one in said]
    system = _blocks(arguments.get("system"))
    if system:
        facts[semconv.SYSTEM_INSTRUCTIONS] = system
    tools = [_definition(mapping(tool)) for tool in items(mapping(arguments.get("toolConfig")).get("tools"))]
    if any(tools):
        facts[semconv.TOOL_DEFINITIONS] = [tool for tool in tools if tool]
    return facts


def _message(said: Fields, **more: Any) -> Message:
    """A message; one that holds results of tools alone comes from the tools, whatever role it is given."""
    parts = _blocks(said.get("content"))
    answers = bool(parts) and all(part["type"] == "tool_call_response" for part in parts)
    return message("tool" if answers else said.get("role"), parts, **more)


def _definition(tool: Fields) -> Part:
    """A tool as it was offered; a mark for the cache is none."""
    spec = mapping(tool.get("toolSpec") or tool.get("systemTool"))
    if not spec:
        return {}
    schema = mapping(spec.get("inputSchema")).get("json")
    return given(
        type="function", name=spec.get("name"), description=spec.get("description"), parameters=schema
    )


def _response(result: Any) -> Facts:
    fields = mapping(result)
    said = mapping(mapping(fields.get("output")).get("message"))
    if not said:
        return {}
    return {semconv.OUTPUT_MESSAGES: [_message(said, finish_reason=reason_of(fields.get("stopReason")))]}


def _blocks(content: Any) -> list[Part]:
    if isinstance(content, str):
        return text(content)
    return [part for block in items(content) for part in _block(mapping(block))]


def _block(block: Fields) -> list[Part]:
    """The parts of one content block; of a kind that is not known here only the kind."""
    for kind, value in block.items():
        read = _KINDS.get(kind)
        if read is not None and value is not None:
            return read(value)
    return [{"type": kind} for kind in block if kind != "cachePoint"][:1]


def _tool_use(value: Any) -> list[Part]:
    use = mapping(value)
    return [tool_call(use.get("toolUseId"), use.get("name"), use.get("input"))]


def _tool_result(value: Any) -> list[Part]:
    result = mapping(value)
    said = [_answered(mapping(block)) for block in items(result.get("content"))]
    only = said[0] if len(said) == 1 else said
    return [{**given(type="tool_call_response", id=result.get("toolUseId")), "response": only}]


def _answered(block: Fields) -> Any:
    if "json" in block:
        return block["json"]
    return block["text"] if isinstance(block.get("text"), str) else _block(block)


def _medium(modality: str) -> Callable[[Any], list[Part]]:
    def read(value: Any) -> list[Part]:
        form, source = mapping(value).get("format"), mapping(mapping(value).get("source"))
        if "bytes" in source:
            kind = "application" if modality == "document" else modality
            return [blob(modality, source["bytes"], f"{kind}/{form}" if isinstance(form, str) else None)]
        if "text" in source:
            return text(source["text"])
        if "content" in source:
            return _blocks(source["content"])
        return [medium(modality, url=mapping(source.get("s3Location")).get("uri"), file_id=None)]

    return read


def _reasoning(value: Any) -> list[Part]:
    return reasoning(mapping(mapping(value).get("reasoningText")).get("text"))


_KINDS: Final[dict[str, Callable[[Any], list[Part]]]] = {
    "text": text,
    "image": _medium("image"),
    "document": _medium("document"),
    "video": _medium("video"),
    "audio": _medium("audio"),
    "toolUse": _tool_use,
    "toolResult": _tool_result,
    "reasoningContent": _reasoning,
    "guardContent": lambda value: text(mapping(mapping(value).get("text")).get("text")),
    "citationsContent": lambda value: _blocks(mapping(value).get("content")),
    "cachePoint": lambda _: [],
}


# --- streams ---------------------------------------------------------------------------------------------------------

_WHOLE: Final = -1  # in place of a block's index: what is of the whole message


def _chunk(state: _State, event: Any) -> None:
    kind = event.headers.get(":event-type")
    fields = document(event.payload)
    pieces = Pieces.of(state)
    index = fields.get("contentBlockIndex")
    index = index if isinstance(index, int) else 0
    if kind == "contentBlockDelta":
        delta = mapping(fields.get("delta"))
        pieces.add((index, "text"), delta.get("text"))
        pieces.add((index, "input"), mapping(delta.get("toolUse")).get("input"))
        pieces.add((index, "reasoning"), mapping(delta.get("reasoningContent")).get("text"))
    elif kind == "contentBlockStart":
        use = mapping(mapping(fields.get("start")).get("toolUse"))
        pieces.keep((index, "id"), use.get("toolUseId"))
        pieces.keep((index, "name"), use.get("name"))
    elif kind == "messageStop":
        pieces.keep((_WHOLE, "finish"), fields.get("stopReason"))


def _final(state: _State) -> Facts:
    pieces = Pieces.of(state)
    said: list[Part] = []
    for index in pieces.under():
        if index == _WHOLE:
            continue
        name = pieces.kept((index, "name"))
        if name is not None:
            said.append(tool_call(pieces.kept((index, "id")), name, pieces.text((index, "input"))))
        said += reasoning(pieces.text((index, "reasoning")))
        said += text(pieces.text((index, "text")))
    return _said(pieces, said)


def _said(pieces: Pieces, parts: list[Part]) -> Facts:
    reason = pieces.kept((_WHOLE, "finish"))
    parts = [*parts, *pieces.lost()]
    if not parts and reason is None:
        return {}
    return {
        semconv.OUTPUT_MESSAGES: [message("assistant", parts, finish_reason=reason and reason_of(reason))]
    }


# --- InvokeModel -----------------------------------------------------------------------------------------------------


def _invoke_request(arguments: Mapping[str, Any]) -> Facts:
    body = mapping(arguments.get(BODY))
    if "anthropic_version" in body:
        return anthropic.MESSAGES.request(body)
    said = items(body.get("messages"))
    if said:
        contents = items(mapping(said[0]).get("content"))
        own = bool(contents) and "type" not in mapping(contents[0])  # as Converse has them: Nova's
        return _request(body) if own else openai.CHAT.request(body)
    asked = next((body[name] for name in ("prompt", "inputText", "message", "texts") if name in body), None)
    texts = [asked] if isinstance(asked, str) else items(asked)
    return {semconv.INPUT_MESSAGES: [message("user", text(one)) for one in texts]} if texts else {}


def _invoke_response(data: bytes) -> Facts:
    fields = document(data)
    if "output" in fields:
        return _response(fields)
    if "choices" in fields and "message" in mapping(next(iter(items(fields["choices"])), None)):
        return openai.CHAT.response(fields)
    if "stop_reason" in fields and "content" in fields:
        return anthropic.MESSAGES.response(fields)
    reasons = [reason_of(reason) for reason in reasons_of(fields)]
    said = list(_texts(fields))
    reasons += ["error"] * (len(said) - len(reasons))
    found = [
        message("assistant", text(one), finish_reason=reason)
        for one, reason in zip(said, reasons, strict=False)
    ]
    return {semconv.OUTPUT_MESSAGES: found} if found else {}


def _texts(fields: Fields) -> Iterator[str]:
    """What a model said, wherever it stands in the vendor's answer or in an event of its stream."""
    for name in ("text", "generation", "completion", "outputText", "delta", "message", "content", "data"):
        value = fields.get(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts(mapping(value))
    for name in ("choices", "outputs", "results", "generations", "completions"):
        for choice in items(fields.get(name)):
            yield from _texts(mapping(choice))
    if "contentBlockDelta" in fields:
        yield from _texts(mapping(fields["contentBlockDelta"]))


def _invoke_chunk(state: _State, event: Any) -> None:
    fields = event_of(event)
    pieces = Pieces.of(state)
    for said in _texts(fields):
        pieces.add((0, "text"), said)
    delta = mapping(fields.get("delta") or fields.get("messageStop") or fields)
    for reason in reasons_of(delta):
        pieces.keep((_WHOLE, "finish"), reason)


# --- agents ----------------------------------------------------------------------------------------------------------


def _agent_request(arguments: Mapping[str, Any]) -> Facts:
    asked = arguments.get("inputText") or mapping(arguments.get("input")).get("text")
    facts: Facts = {semconv.INPUT_MESSAGES: [message("user", text(asked))]} if asked else {}
    if arguments.get("instruction"):
        facts[semconv.SYSTEM_INSTRUCTIONS] = text(arguments["instruction"])
    return facts


def _agent_response(result: Any) -> Facts:
    said = text(mapping(mapping(result).get("output")).get("text"))
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


def _agent_chunk(state: _State, event: Any) -> None:
    kind = event.headers.get(":event-type")
    if kind == "chunk":
        data = document(event.payload).get("bytes")
        said = base64.b64decode(data).decode(errors="replace") if isinstance(data, str) else None
        Pieces.of(state).add((0, "text"), said)
    elif kind == "output":
        Pieces.of(state).add((0, "text"), document(event.payload).get("text"))


CONVERSE: Final = Content(_request, _response, _chunk, _final)
INVOKE: Final = Content(_invoke_request, _invoke_response)
INVOKE_STREAM: Final = Content(_invoke_request, chunk=_invoke_chunk, final=_final)
AGENTS: Final = Content(_agent_request, _agent_response, _agent_chunk, _final)
