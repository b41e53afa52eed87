"""Hugging Face's tasks with a model that generates or embeds, beside chat and text generation.

Their answers tell no usage.  Tasks that sort, mark or pick out what was given make nothing, and are no calls here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._parts import Part, blob, get, items, medium, message, text
from genai_otel.spec import Content, Facts

_MEDIA: Final = frozenset({"audio", "image"})
_ANSWERS: Final = ("generated_text", "summary_text", "translation_text", "text", "answer")
_SAMPLING: Final = {
    **{name: requests.CHAT[name] for name in ("temperature", "top_p", "seed")},
    "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
    "top_k": semconv.REQUEST_TOP_K,
}


# --- what was said ---------------------------------------------------------------------------------


def _content(*asked: str) -> Content:
    """Of a task that takes the arguments ``asked`` and answers with a text, if with one at all."""

    def request(arguments: Mapping[str, Any]) -> Facts:
        said = [part for name in asked for part in _given(name, arguments.get(name))]
        return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}

    return Content(request, _answer)


def _given(name: str, value: Any) -> list[Part]:
    if name not in _MEDIA:
        return text(value)
    if isinstance(value, str) and value.startswith(("http://", "https://", "data:")):
        return [medium(name, url=value, file_id=None)]
    return [] if value is None else [blob(name, value if isinstance(value, (bytes, bytearray)) else None)]


def _answer(result: Any) -> Facts:
    """The text; of several the first, which is the likeliest."""
    best = next(iter(items(result)), result)
    said = next((get(best, name) for name in _ANSWERS if isinstance(get(best, name), str)), None)
    return {semconv.OUTPUT_MESSAGES: [message("assistant", text(said))]} if said else {}


# --- the tasks -------------------------------------------------------------------------------------


def _task(kind: str, *asked: str, operation: str = semconv.GENERATE_CONTENT) -> dict[str, Any]:
    return {
        "operation": operation,
        "request": requests.request(_SAMPLING, **requests.output(kind)),
        "content": _content(*asked),
        "positional": asked,
    }


TASKS: Final = {
    "audio_to_audio": _task("speech", "audio"),
    "automatic_speech_recognition": _task("text", "audio"),
    "document_question_answering": _task("text", "image", "question"),
    "image_to_image": _task("image", "image", "prompt"),
    "image_to_text": _task("text", "image"),
    "image_to_video": _task("video", "image", "prompt"),
    "summarization": _task("text", "text", operation=semconv.TEXT_COMPLETION),
    "text_to_image": _task("image", "prompt"),
    "text_to_speech": _task("speech", "text"),
    "text_to_video": _task("video", "prompt"),
    "translation": _task("text", "text", operation=semconv.TEXT_COMPLETION),
    "visual_question_answering": _task("text", "image", "question"),
}
"""Method → the fields of its endpoint."""
