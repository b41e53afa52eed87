"""What was said to and by Google's models, in the message structure of the conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._google_results import given, word
from genai_otel.clients._parts import (
    Message,
    Part,
    asked,
    blob,
    get,
    items,
    medium,
    message,
    reasoning,
    text,
    tool_call,
)
from genai_otel.clients._parts import given as known
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_State = dict[Any, Any]
_ROLES: Final = {"model": "assistant", "function": "tool"}


def _either(value: Any, name: str, other: str) -> Any:
    """A field by its name, or in a dictionary by its name on the wire."""
    found = get(value, name)
    return get(value, other) if found is None and isinstance(value, Mapping) else found


# --- parts ---------------------------------------------------------------------------------------------------------


def _part(item: Any) -> list[Part]:
    if isinstance(item, str):
        return text(item)
    said = get(item, "text")
    if said is not None:
        return reasoning(said) if get(item, "thought") else text(said)
    called = _either(item, "function_call", "functionCall")
    if called is not None:
        return [tool_call(get(called, "id"), get(called, "name"), get(called, "args"))]
    answered = _either(item, "function_response", "functionResponse")
    if answered is not None:
        response = get(answered, "response")
        return [{**known(type="tool_call_response", id=get(answered, "id")), "response": response}]
    return _medium(item)


def _medium(item: Any) -> list[Part]:
    data = _either(item, "inline_data", "inlineData")
    if data is not None:
        kind = _either(data, "mime_type", "mimeType")
        return [blob(_modality(kind), get(data, "data"), kind)]
    file = _either(item, "file_data", "fileData") or item  # an uploaded file is a part as it is
    uri = _either(file, "file_uri", "fileUri") or get(file, "uri")
    if uri is not None:
        return [medium(_modality(_either(file, "mime_type", "mimeType")), url=uri, file_id=None)]
    for kind in ("executable_code", "code_execution_result"):
        if get(item, kind) is not None:
            return [{"type": kind}]
    return [{"type": "unknown"}]


def _modality(kind: Any) -> str:
    family = kind.partition("/")[0] if isinstance(kind, str) else ""
    return family if family in ("image", "audio", "video") else "document"


# --- requests ------------------------------------------------------------------------------------------------------


def _request(arguments: Mapping[str, Any]) -> Facts:
    config = arguments.get("config")
    fields: Mapping[str, Any] = {} if config is None else given(config)
    instructions = [part for said in _messages(fields.get("system_instruction")) for part in said["parts"]]
    tools = [definition for tool in items(fields.get("tools")) for definition in _tool(tool)]
    return asked(_messages(arguments.get("contents")), instructions=instructions, tools=tools)


def _messages(contents: Any) -> list[Message]:
    """Contents as they are, and parts that stand alone together as one message of the user."""
    found: list[Message] = []
    alone: list[Part] | None = None
    for content in items(contents) if isinstance(contents, (list, tuple)) else [contents]:
        parts = get(content, "parts")
        if parts is not None:
            found.append(_message(content, parts))
            alone = None
        elif content is not None:
            if alone is None:
                alone = []
                found.append(message("user", alone))
            alone += _part(content)
    return found


def _message(content: Any, parts: Any, finish_reason: Any = None) -> Message:
    role = get(content, "role") or "user"
    said = [part for item in items(parts) for part in _part(item)]
    if role == "user" and said and all(part["type"] == "tool_call_response" for part in said):
        role = "tool"
    return message(_ROLES.get(role, role), said, finish_reason=finish_reason)


def _tool(tool: Any) -> list[Part]:
    """The functions of a tool, or its kind; nothing else, for it may hold credentials."""
    if callable(tool):
        return [known(type="function", name=getattr(tool, "__name__", None), description=tool.__doc__)]
    functions = _either(tool, "function_declarations", "functionDeclarations")
    if functions is None:
        kinds = given(tool) if type(tool) is dict or hasattr(tool, "__pydantic_fields_set__") else ()
        return [{"type": kind, "name": kind} for kind in kinds]
    return [
        known(
            type="function",
            name=get(function, "name"),
            description=get(function, "description"),
            parameters=_either(function, "parameters_json_schema", "parametersJsonSchema")
            or get(function, "parameters"),
        )
        for function in items(functions)
    ]


# --- results -------------------------------------------------------------------------------------------------------


def _output(messages: list[Message]) -> Facts:
    return {semconv.OUTPUT_MESSAGES: messages} if messages else {}


def _response(result: Any) -> Facts:
    return _output([_candidate(candidate) for candidate in items(get(result, "candidates"))])


def _candidate(candidate: Any) -> Message:
    content = get(candidate, "content")
    said = [part for item in items(get(content, "parts")) for part in _part(item)]
    return message("assistant", said, finish_reason=word(get(candidate, "finish_reason")) or None)


def _chunk(state: _State, chunk: Any) -> None:
    pieces = Pieces.of(state)
    for candidate in items(get(chunk, "candidates")):
        index = get(candidate, "index") or 0
        for item in items(get(get(candidate, "content"), "parts")):
            said = get(item, "text")
            if said is not None:
                pieces.add((index, "thought" if get(item, "thought") else "text"), said)
            else:
                number = state[index] = state.get(index, 0) + 1
                pieces.keep((index, "other", number), item)
        finished = get(candidate, "finish_reason")
        if finished is not None:
            pieces.keep((index, "finish"), word(finished))


def _final(state: _State) -> Facts:
    pieces = Pieces.of(state)
    return _output([_streamed(pieces, index) for index in pieces.under()])


def _streamed(pieces: Pieces, index: Any) -> Message:
    said = reasoning(pieces.text((index, "thought"))) + text(pieces.text((index, "text")))
    for number in pieces.under((index, "other")):
        said += _part(pieces.kept((index, "other", number)))
    return message("assistant", said + pieces.lost(), finish_reason=pieces.kept((index, "finish")))


# --- images --------------------------------------------------------------------------------------------------------


def _images_request(arguments: Mapping[str, Any]) -> Facts:
    said = text(arguments.get("prompt"))
    for reference in items(arguments.get("reference_images")):
        said += _image(get(reference, "reference_image"))
    return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}


def _images_response(result: Any) -> Facts:
    images = items(get(result, "generated_images"))
    said = [part for generated in images for part in _image(get(generated, "image"))]
    return _output([message("assistant", said)]) if said else {}


def _image(image: Any) -> list[Part]:
    if image is None:
        return []
    uri = get(image, "gcs_uri")
    if uri is not None:
        return [medium("image", url=uri, file_id=None)]
    return [blob("image", get(image, "image_bytes"), get(image, "mime_type"))]


CONTENT: Final = Content(_request, _response, _chunk, _final)
IMAGES: Final = Content(_images_request, _images_response)
