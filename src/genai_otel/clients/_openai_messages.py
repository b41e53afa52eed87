"""What was said in OpenAI's chat, completions, images and audio; :data:`RESPONSES` stands beside.

Embeddings and moderations have no messages: the conventions know no content for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients._openai_chunks import calls, chat_chunk, chat_final
from genai_otel.clients._openai_items import RESPONSES
from genai_otel.clients._parts import (
    Message,
    Part,
    Reader,
    asked,
    blob,
    get,
    items,
    medium,
    message,
    parts,
    reader,
    reasoning,
    text,
    tool_call,
    tool_definitions,
    tool_response,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

__all__ = ["CHAT", "COMPLETIONS", "IMAGES", "RESPONSES", "SPEECH", "TRANSCRIPTIONS"]

_State = dict[Any, Any]


def _output(messages: list[Message]) -> Facts:
    return {semconv.OUTPUT_MESSAGES: messages} if messages else {}


def _input(said: list[Part]) -> Facts:
    return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}


# --- chat ----------------------------------------------------------------------------------------------------------


def _chat_request(arguments: Mapping[str, Any]) -> Facts:
    said = [_chat_message(each) for each in items(arguments.get("messages"))]
    tools = tool_definitions(arguments.get("tools")) or tool_definitions(arguments.get("functions"))
    return asked(said, tools=tools)


def _chat_message(said: Any, finish_reason: Any = None) -> Message:
    field = reader(said)
    role = field("role")
    if role in ("tool", "function"):
        response = tool_response(field("tool_call_id"), field("content"))
        return message(role, [response], name=field("name"))
    return message(role, _chat_parts(field), name=field("name"), finish_reason=finish_reason)


def _chat_parts(field: Reader) -> list[Part]:
    thought, thoughts = field("reasoning_content"), field("reasoning")
    found = [] if thought is None and thoughts is None else reasoning(thought, thoughts)
    found += parts(field("content"))
    refusal = field("refusal")
    if refusal:
        found.append({"type": "refusal", "content": refusal})
    audio = field("audio")
    if audio is not None:
        found += text(get(audio, "transcript"))
        data = get(audio, "data")
        found.append(
            medium("audio", url=None, file_id=get(audio, "id")) if data is None else blob("audio", data)
        )
    for call in calls(field):
        found.append(_call(call))
    return found


def _call(call: Any) -> Part:
    function, custom = get(call, "function"), get(call, "custom")
    if function is None and custom is not None:
        return tool_call(get(call, "id"), get(custom, "name"), get(custom, "input"))
    return tool_call(get(call, "id"), get(function, "name"), get(function, "arguments"))


def _chat_response(result: Any) -> Facts:
    return _output(
        [
            _chat_message(get(choice, "message"), get(choice, "finish_reason"))
            for choice in items(get(result, "choices"))
        ]
    )


# --- legacy completions --------------------------------------------------------------------------------------------


def _completions_request(arguments: Mapping[str, Any]) -> Facts:
    prompt = arguments.get("prompt")
    prompts = (
        [prompt] if isinstance(prompt, str) else [said for said in items(prompt) if isinstance(said, str)]
    )
    return {semconv.INPUT_MESSAGES: [message("user", text(said)) for said in prompts]} if prompts else {}


def _completions_response(result: Any) -> Facts:
    return _output(
        [
            message("assistant", text(get(choice, "text")), finish_reason=get(choice, "finish_reason"))
            for choice in items(get(result, "choices"))
        ]
    )


def _completions_chunk(state: _State, chunk: Any) -> None:
    pieces = Pieces.of(state)
    for choice in items(get(chunk, "choices")):
        index = get(choice, "index") or 0
        pieces.add((index, "text"), get(choice, "text"))
        pieces.keep((index, "finish"), get(choice, "finish_reason"))


# --- images --------------------------------------------------------------------------------------------------------


def _images_request(arguments: Mapping[str, Any]) -> Facts:
    images = arguments.get("image")
    # A tuple is one file here: (name, bytes, type).
    files = items(images) if isinstance(images, list) else [images] if images is not None else ()
    return _input(text(arguments.get("prompt")) + [_file(file, "image") for file in files])


def _images_response(result: Any) -> Facts:
    kind = get(result, "output_format")
    said = [part for image in items(get(result, "data")) for part in _image(image, kind)]
    return _output([message("assistant", said)]) if said else {}


def _image(image: Any, kind: Any) -> list[Part]:
    data, url = get(image, "b64_json"), get(image, "url")
    found = text(get(image, "revised_prompt"))
    if data is not None:
        found.append(blob("image", data, f"image/{kind or 'png'}"))
    elif url is not None:
        found.append(medium("image", url=url, file_id=None))
    return found


def _images_chunk(state: _State, event: Any) -> None:
    if str(get(event, "type")).endswith(".completed"):
        state["image"] = event


def _images_final(state: _State) -> Facts:
    event = state.get("image")
    return (
        {} if event is None else _output([message("assistant", _image(event, get(event, "output_format")))])
    )


# --- audio ---------------------------------------------------------------------------------------------------------


def _speech_request(arguments: Mapping[str, Any]) -> Facts:
    facts = _input(text(arguments.get("input")))
    instructions = text(arguments.get("instructions"))
    if instructions:
        facts[semconv.SYSTEM_INSTRUCTIONS] = instructions
    return facts


def _transcription_request(arguments: Mapping[str, Any]) -> Facts:
    file = arguments.get("file")
    return _input([*([] if file is None else [_file(file, "audio")]), *text(arguments.get("prompt"))])


def _transcription_response(result: Any) -> Facts:
    said = text(result if isinstance(result, str) else get(result, "text"))
    return _output([message("assistant", said)]) if said else {}


def _transcription_chunk(state: _State, event: Any) -> None:
    kind = get(event, "type")
    if kind == "transcript.text.delta":
        Pieces.of(state).add(("text",), get(event, "delta"))
    elif kind == "transcript.text.done":
        state["done"] = get(event, "text")


def _transcription_final(state: _State) -> Facts:
    pieces = Pieces.of(state)
    said = text(state.get("done")) or text(pieces.text(("text",))) + pieces.lost()
    return _output([message("assistant", said)]) if said else {}


def _file(file: Any, modality: str) -> Part:
    """A file to upload: bytes, or (name, bytes, type); an open file or a path is named, never read."""
    if isinstance(file, tuple):
        _, content, kind = (*items(cast("object", file)), None, None, None)[:3]
        return blob(modality, content, kind)
    return blob(modality, file if isinstance(file, (bytes, bytearray)) else None)


CHAT: Final = Content(_chat_request, _chat_response, chat_chunk, chat_final)
COMPLETIONS: Final = Content(_completions_request, _completions_response, _completions_chunk, chat_final)
IMAGES: Final = Content(_images_request, _images_response, _images_chunk, _images_final)
SPEECH: Final = Content(_speech_request)
TRANSCRIPTIONS: Final = Content(
    _transcription_request, _transcription_response, _transcription_chunk, _transcription_final
)
