"""What was said to models of Replicate and by them, as far as it is text or a file."""

from __future__ import annotations

from collections.abc import Mapping
from mimetypes import guess_type
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._parts import Part, get, items, medium, message, parts, text
from genai_otel.clients._pieces import Pieces
from genai_otel.spec import Content, Facts

_MOST_FILES: Final = 64


def _request(arguments: Mapping[str, Any]) -> Facts:
    given = arguments.get("input")
    facts: Facts = {}
    system = text(get(given, "system_prompt") or get(given, "system_instruction"))
    if system:
        facts[semconv.SYSTEM_INSTRUCTIONS] = system
    said = [message(get(one, "role"), parts(get(one, "content"))) for one in items(get(given, "messages"))]
    asked = text(get(given, "prompt")) or text(get(given, "text"))
    if asked:
        said.append(message("user", asked))
    if said:
        facts[semconv.INPUT_MESSAGES] = said
    return facts


def _output(said: list[Part]) -> Facts:
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


def _said(output: Any) -> list[Part]:
    """A text, a file, or a list of those; texts one after the other are one, cut where the model's tokens are."""
    if not isinstance(output, (list, tuple)):
        return _part(output)
    found: list[Part] = []
    for one in items(output):
        for part in _part(one):
            if part["type"] == "text" and found and found[-1]["type"] == "text":
                found[-1]["content"] += part["content"]
            else:
                found.append(part)
    return found


def _part(output: Any) -> list[Part]:
    url = (
        output if isinstance(output, str) else getattr(output, "url", None)
    )  # a file is known by its address
    if not isinstance(url, str):
        return []
    return [_file(url)] if url.startswith(("https:", "data:")) else text(output)


def _file(url: str) -> Part:
    kind = url[5:32] if url.startswith("data:") else guess_type(url)[0] or "document/"
    return medium(kind.partition("/")[0], url=url, file_id=None)


def _run(result: Any) -> Facts:
    return _output(_said(result))


def _prediction(result: Any) -> Facts:
    return _output(_said(getattr(result, "output", None)))


def _chunk(state: dict[Any, Any], event: Any) -> None:
    if event.event.value != "output":
        return
    if isinstance(event.data, str):
        Pieces.of(state).add((0, "text"), event.data)
        return
    files: list[Part] = state.setdefault("files", [])
    if len(files) < _MOST_FILES:
        files += _part(event.data)


def _final(state: dict[Any, Any]) -> Facts:
    pieces = Pieces.of(state)
    return _output(_said(pieces.text((0, "text"))) + pieces.lost() + state.get("files", []))


RUN: Final = Content(_request, _run)
PREDICTION: Final = Content(_request, _prediction)
FETCHED: Final = Content(response=_prediction)
STREAM: Final = Content(_request, chunk=_chunk, final=_final)
