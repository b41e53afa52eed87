"""What litellm hands on in a vendor's own form, whoever answered: Anthropic's messages, Google's contents.

An answer is a dictionary or reads like one, a stream the bytes of server-sent events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final, cast

from genai_otel import safe, semconv
from genai_otel.clients import _anthropic_messages as anthropic_messages
from genai_otel.clients import _anthropic_results as anthropic
from genai_otel.clients import _google_messages as google_messages
from genai_otel.clients import _google_results as google
from genai_otel.clients._fields import fields
from genai_otel.clients._parts import get, items
from genai_otel.clients._stainless import nothing
from genai_otel.spec import Content, Facts, StreamFailed


class _Named(SimpleNamespace):
    """Fields by the names that the vendor's client has for them; what the vendor left out is None."""

    def __getattr__(self, _: str) -> None:
        return None


def _events(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.split(b"\n"):
        if line.startswith(b"data:"):
            said = safe.json_object(line[5:])
            if said is not None:
                yield said


def _reported(facts: Facts) -> None:
    """Where litellm knows no count of what was read it says 0, which is none: somebody asked something."""
    if not facts.get(semconv.USAGE_INPUT_TOKENS, 1):
        del facts[semconv.USAGE_INPUT_TOKENS]


# --- Anthropic's messages --------------------------------------------------------------------------

_TELLS: Final = re.compile(rb'"message_start"|"message_delta"|"type": *"error"').search
_BEGUN: Final = {"id": None, "model": None, "usage": None}


def message(result: Any) -> Facts:
    """Facts of a whole answer."""
    facts = anthropic.message(SimpleNamespace(**result), own=nothing)
    _reported(facts)
    return facts


def message_chunk(facts: Facts, lines: bytes) -> None:
    """Facts of some lines of a stream."""
    if _TELLS(lines):
        for event in _events(lines):
            _message_event(facts, event)
        _reported(facts)


def _message_said(state: dict[Any, Any], lines: bytes) -> None:
    read = anthropic_messages.MESSAGES.chunk
    if read is not None:
        for event in _events(lines):
            read(state, _Named(**{**event, "delta": _Named(**(event.get("delta") or {}))}))


MESSAGES: Final = replace(anthropic_messages.MESSAGES, chunk=_message_said)


def _message_event(facts: Facts, event: Mapping[str, Any]) -> None:
    kind = event.get("type")
    if kind == "error":
        raise StreamFailed(get(event.get("error"), "type") or "error")
    if kind == "message_start":
        begun = SimpleNamespace(**{**_BEGUN, **(event.get("message") or {})})
        anthropic.first(facts, SimpleNamespace(message=begun))
    else:
        anthropic.chunk(facts, SimpleNamespace(type=kind, delta=event.get("delta"), usage=event.get("usage")))


# --- Google's contents -----------------------------------------------------------------------------

_ends_a_word: Final = re.compile("(?<=[a-z])(?=[A-Z])").sub


def _name(name: str) -> str:
    return _ends_a_word("_", name).lower()


def named(value: Any) -> Any:
    """A model or a dictionary, with all that stands in it, as Google's client would have it."""
    if isinstance(value, (list, tuple)):
        return [named(each) for each in cast("list[Any]", value)]
    if isinstance(value, Mapping) or hasattr(value, "__pydantic_fields__"):
        return _Named(**{_name(str(name)): named(each) for name, each in fields(value).items()})
    return value


def content_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request."""
    return google.request({"config": _config(arguments)})


def _config(arguments: Mapping[str, Any]) -> Any:
    """The configuration of a request, which may have the names of the wire."""
    config = arguments.get("config") or arguments.get("generationConfig")
    if isinstance(config, Mapping):
        told = cast("Mapping[str, Any]", config)
        return {_name(name): value for name, value in told.items()}
    return config


def streamed_content_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request whose answer comes in chunks."""
    return {**content_request(arguments), semconv.REQUEST_STREAM: True}


def content(result: Any) -> Facts:
    """Facts of a whole answer."""
    return google.response(named(result))


def content_chunk(facts: Facts, lines: bytes) -> None:
    """Facts of some lines of a stream, each of which counts from the beginning."""
    for event in _events(lines):
        failed = event.get("error")
        if failed:
            raise StreamFailed(str(get(failed, "status") or "error"))
        chunk = named(event)
        google.chunk(facts, chunk)
        google.identity(facts, chunk)


def _asked(arguments: Mapping[str, Any]) -> Facts:
    config: Any = _config(arguments) or {}
    told = arguments.get("systemInstruction") or arguments.get("system_instruction")
    beside = {"tools": arguments.get("tools"), "system_instruction": told}
    if isinstance(config, Mapping):
        inside = cast("Mapping[str, Any]", config)
        config = {**{name: value for name, value in beside.items() if value is not None}, **inside}
    return google_messages.CONTENT.request({**arguments, "config": config})


def _wire(said: Any) -> Mapping[str, Any]:
    """An answer on the wire, its reasons by the name that Google's client has for them, else as it is."""
    found = [fields(each) for each in items(get(said, "candidates"))]
    return {"candidates": [{"finish_reason": each.get("finishReason"), **each} for each in found]}


def _content_said(state: dict[Any, Any], lines: bytes) -> None:
    read = google_messages.CONTENT.chunk
    if read is not None:
        for event in _events(lines):
            read(state, _wire(event))


CONTENTS: Final = Content(
    _asked,
    lambda result: google_messages.CONTENT.response(_wire(result)),
    _content_said,
    google_messages.CONTENT.final,
)
