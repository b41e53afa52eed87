"""What was said, in the message structure of the GenAI conventions; read from OpenAI-like objects or dictionaries.

Nothing is copied or converted here: texts and media are handed on as they are, ``safe.json_text`` bounds them.
Iterators are left alone; what is neither a list nor a tuple has no items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.spec import Facts

Part = dict[str, Any]
Message = dict[str, Any]
Reader = Callable[[str], Any]

# Longer arguments of a tool stay text: parsing them is not worth it, they are cut anyway.
_LONGEST_ARGUMENTS: Final = 32_768
_TEXTS: Final = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text"})


def get(value: Any, name: str) -> Any:
    """A field of a dictionary or an object, None where there is none."""
    fields: Any = value  # under another name, which the test does not narrow to unknown types
    if type(value) is dict or isinstance(value, Mapping):
        return fields.get(name)
    return getattr(value, name, None)


def reader(value: Any) -> Reader:
    """:func:`get` for many fields of one dictionary or object.

    A model is read as it is stored: asking it for a field that it does not have costs more than all the others.
    """
    fields: Any = value
    if type(value) is dict or isinstance(value, Mapping):
        return fields.get
    newer: dict[str, Any] | tuple[()] | None = getattr(value, "__pydantic_extra__", ())
    if newer is not None and type(newer) is not dict:
        return partial(get, value)
    stored: dict[str, Any] = fields.__dict__
    return {**stored, **newer}.get if newer else stored.get


def items(value: Any) -> Sequence[Any]:
    """The items of a list or tuple; of anything else none, because reading an iterator would consume it."""
    found: Any = value
    return found if isinstance(value, (list, tuple)) else ()


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


# --- parts ---------------------------------------------------------------------------------------------------------


def text(content: Any) -> list[Part]:
    """A text part, none for no text."""
    return [{"type": "text", "content": content}] if isinstance(content, str) and content else []


def parts(content: Any) -> list[Part]:
    """The parts of a message's content: a string, or a list of parts."""
    return text(content) if isinstance(content, str) else [part(item) for item in items(content)]


def part(item: Any) -> Part:
    """One part of a content; of a kind that is not known here only the kind."""
    kind = "text" if isinstance(item, str) else get(item, "type")
    if kind in _TEXTS:
        return {"type": "text", "content": item if isinstance(item, str) else get(item, "text")}
    if kind == "refusal":
        return {"type": "refusal", "content": get(item, "refusal")}
    if kind in ("image_url", "input_image", "computer_screenshot"):
        image = get(item, "image_url")
        url = image if image is None or isinstance(image, str) else get(image, "url")
        return medium("image", url=url, file_id=get(item, "file_id"))
    if kind == "input_audio":
        audio = get(item, "input_audio")
        return blob("audio", get(audio, "data"), f"audio/{get(audio, 'format') or 'wav'}")
    if kind in ("file", "input_file"):
        file = get(item, "file") or item
        data = get(file, "file_data")
        if data is not None:
            return blob("document", data)
        return medium("document", url=get(file, "file_url"), file_id=get(file, "file_id"))
    return {"type": kind if isinstance(kind, str) else "unknown"}


def medium(modality: str, *, url: Any, file_id: Any) -> Part:
    """Media by reference; a data URL is no reference but the medium itself."""
    if isinstance(url, str):
        return (
            blob(modality, url)
            if url[:5].lower() == "data:"
            else {"type": "uri", "modality": modality, "uri": url}
        )
    return given(type="file", modality=modality, file_id=file_id)


def blob(modality: str, content: Any, mime_type: str | None = None) -> Part:
    """A medium that was sent as it is: bytes, base64 or a data URL; anything else is not read."""
    held = content if isinstance(content, (bytes, bytearray, str)) else None
    return given(type="blob", modality=modality, mime_type=mime_type, content=held)


def tool_call(identity: Any, name: Any, arguments: Any) -> Part:
    """A call of a tool; arguments that are JSON become what they mean."""
    return given(type="tool_call", id=identity, name=name or "", arguments=_meant(arguments))


def tool_response(identity: Any, output: Any) -> Part:
    """What a tool answered."""
    return {
        **given(type="tool_call_response", id=identity),
        "response": _meant(output) if isinstance(output, str) else parts(output),
    }


def reasoning(*contents: Any) -> list[Part]:
    """A reasoning part of the texts that there are, none for no text."""
    said = [content for content in contents if isinstance(content, str) and content]
    return [{"type": "reasoning", "content": "\n".join(said)}] if said else []


def _meant(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > _LONGEST_ARGUMENTS or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # the model's mistake
        return value


# --- messages ------------------------------------------------------------------------------------------------------


def message(role: Any, said: list[Part], *, name: Any = None, finish_reason: Any = None) -> Message:
    """A message of ``role``; an output message has a ``finish_reason`` where one is known."""
    found: Message = {"role": role if isinstance(role, str) else "unknown", "parts": said}
    if name is not None:
        found["name"] = name
    if isinstance(finish_reason, str):
        word = finish_reason.lower()
        found["finish_reason"] = semconv.FINISH_WORDS.get(word, word)
    return found


def messages(said: Any, read: Callable[[Any], Message]) -> list[Message]:
    """What is asked: a text of the user's, or a list of which ``read`` reads each item."""
    return [message("user", text(said))] if isinstance(said, str) else [read(item) for item in items(said)]


def asked(messages: list[Message], *, instructions: Sequence[Part] = (), tools: Sequence[Part] = ()) -> Facts:
    """The content of a request, as far as it has any; ``tools`` are definitions of them."""
    found: Facts = {
        semconv.INPUT_MESSAGES: messages,
        semconv.SYSTEM_INSTRUCTIONS: instructions,
        semconv.TOOL_DEFINITIONS: tools,
    }
    return {name: value for name, value in found.items() if value}


def tool_definitions(tools: Any) -> list[Part]:
    """Tools as they were offered: type, name, description and parameters; nothing else, they may hold credentials."""
    return [_definition(tool) for tool in items(tools)]


def _definition(tool: Any) -> Part:
    kind = get(tool, "type")
    inner = get(tool, "function") or get(tool, "custom") or tool
    return given(
        type=kind or "function",
        name=get(inner, "name") or get(tool, "server_label") or kind,
        description=get(inner, "description"),
        parameters=get(inner, "parameters"),
    )
