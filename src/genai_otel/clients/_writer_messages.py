"""What was said in Writer's endpoints that give one text: each has a word of its own for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._parts import get, items, message, text
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_TEXT: Final = ("text",)


def _asked(read: Callable[[Mapping[str, Any]], list[Any]]) -> Callable[[Mapping[str, Any]], Facts]:
    def request(arguments: Mapping[str, Any]) -> Facts:
        said = [part for one in read(arguments) for part in text(one)]
        return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}

    return request


def _told(said: Any) -> Facts:
    parts = text(said)
    return {semconv.OUTPUT_MESSAGES: [message("assistant", parts)]} if parts else {}


def _content(
    asked: Callable[[Mapping[str, Any]], list[Any]], told: Callable[[Any], Any], piece: Callable[[Any], Any]
) -> Content:
    """An endpoint whose whole answer is what ``told`` finds in it, and whose chunks are pieces of that."""

    def response(result: Any) -> Facts:
        return _told(told(result))

    def chunk(state: dict[Any, Any], event: Any) -> None:
        Pieces.of(state).add(_TEXT, piece(event))

    def final(state: dict[Any, Any]) -> Facts:
        return _told(Pieces.of(state).text(_TEXT))

    return Content(_asked(asked), response, chunk, final)


def _data(result: Any) -> Any:
    return get(result, "data")


def _inputs(arguments: Mapping[str, Any]) -> list[Any]:
    return [value for one in items(arguments.get("inputs")) for value in items(get(one, "value"))]


def _choice(result: Any) -> Any:
    choices = items(get(result, "choices"))
    return get(choices[0], "text") if choices else None


COMPLETIONS: Final = _content(lambda given: [given.get("prompt")], _choice, lambda chunk: get(chunk, "value"))
APPLICATIONS: Final = _content(
    _inputs, lambda result: get(result, "suggestion"), lambda chunk: get(get(chunk, "delta"), "content")
)
QUESTIONS: Final = _content(
    lambda given: [given.get("question")],
    lambda result: get(result, "answer"),
    lambda chunk: get(get(chunk, "data"), "answer"),
)
VISION: Final = _content(lambda given: [given.get("prompt")], _data, _data)
TRANSLATIONS: Final = _content(lambda given: [given.get("text")], _data, _data)
