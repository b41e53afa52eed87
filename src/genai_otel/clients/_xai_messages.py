"""What was said to and by xAI's models, from protocol buffers, in the message structure of the conventions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._parts import (
    Message,
    Part,
    asked,
    blob,
    given,
    medium,
    message,
    reasoning,
    text,
    tool_call,
    tool_response,
)
from genai_otel.clients._xai_results import ASSISTANT, REASONS, answers
from genai_otel.spec import Content, Facts

_ROLES: Final = {1: "user", 2: "assistant", 3: "system", 4: "function", 5: "tool", 6: "developer"}
_TOOL: Final = 5

# --- requests ------------------------------------------------------------------------------------


def _parts(content: Iterable[Any]) -> list[Part]:
    return [part for item in content for part in _part(item)]


def _part(item: Any) -> list[Part]:
    kind = item.WhichOneof("content")
    if kind == "text":
        return text(item.text)
    if kind == "image_url":
        return [_reference("image", item.image_url, item.image_url.image_url)]
    if kind == "file":
        data = getattr(item.file, "data", None)
        if data:
            return [blob("document", data, item.file.mime_type or None)]
        return [_reference("document", item.file, getattr(item.file, "url", None))]
    return []


def _reference(modality: str, holder: Any, url: str | None) -> Part:
    return medium(modality, url=url or None, file_id=getattr(holder, "file_id", None) or None)


def _calls(said: Any) -> list[Part]:
    return [tool_call(call.id, call.function.name, call.function.arguments) for call in said.tool_calls]


def _asked(said: Any) -> Message:
    role, name = _ROLES.get(said.role), said.name or None
    if said.role == _TOOL:
        answer = "".join([item.text for item in said.content])
        return message(role, [tool_response(getattr(said, "tool_call_id", None) or None, answer)], name=name)
    thought = reasoning(getattr(said, "reasoning_content", None))
    return message(role, thought + _parts(said.content) + _calls(said), name=name)


def _tool(tool: Any) -> Part:
    kind = tool.WhichOneof("tool")
    if kind != "function":
        return given(type=kind, name=kind)
    function = tool.function
    return given(
        type=kind,
        name=function.name,
        description=function.description or None,
        parameters=function.parameters or None,
    )


def _request(arguments: Mapping[str, Any]) -> Facts:
    said = [_asked(each) for each in arguments.get("messages") or ()]
    return asked(said, tools=[_tool(each) for each in arguments.get("tools") or ()])


# --- results -------------------------------------------------------------------------------------


def _answered(answer: Any) -> list[Message]:
    """What an answer says; with the vendor's own tools it has several turns, all of which are its own."""
    index = answer._index  # noqa: SLF001 - which of the outputs is this answer's, None for all
    return [
        message(
            "assistant",
            reasoning(output.message.reasoning_content)
            + text(output.message.content)
            + _calls(output.message),
            finish_reason=REASONS.get(output.finish_reason),
        )
        for output in answer.proto.outputs
        if output.message.role == ASSISTANT and (index is None or output.index == index)
    ]


def _response(result: Any) -> Facts:
    said = [each for answer in answers(result) if hasattr(answer, "_index") for each in _answered(answer)]
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


def _chunk(state: dict[Any, Any], pair: Any) -> None:
    state["answer"] = pair[0]  # the client's own, which grows with each chunk


def _final(state: dict[Any, Any]) -> Facts:
    return _response(state["answer"]) if state else {}


CHAT: Final = Content(_request, _response, _chunk, _final)
COMPACT: Final = Content(_request)

# --- images and videos ---------------------------------------------------------------------------

_REFERENCES: Final = {"image_url": "image", "video_url": "video"}


def _prompt(arguments: Mapping[str, Any]) -> Facts:
    said = text(arguments.get("prompt"))
    for name, modality in _REFERENCES.items():
        for url in (arguments.get(name), *(arguments.get(f"{name}s") or ())):
            if isinstance(url, str):
                said.append(medium(modality, url=url, file_id=None))
    return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}


def _images(result: Any) -> Facts:
    images = answers(result)[0].proto.images
    said = [medium("image", url=image.url or image.base64, file_id=None) for image in images]
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


def _videos(result: Any) -> Facts:
    url = result.proto.video.url
    said = [medium("video", url=url, file_id=None)] if url else []
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


IMAGES: Final = Content(_prompt, _images)
VIDEOS: Final = Content(_prompt, _videos)
