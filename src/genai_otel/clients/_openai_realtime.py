"""OpenAI's Realtime API: what the messages of a session mean.  A response is named by its id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._openai_wire import Wire, failure, within
from genai_otel.clients._parts import items
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Content, Facts, Step

_SETTINGS: Final = (
    "instructions",
    "tools",
    "temperature",
    "max_output_tokens",
    "max_response_output_tokens",
    "output_modalities",
    "modalities",
    "reasoning",
)
_TEXTS: Final = dict.fromkeys(
    ("response.text.delta", "response.audio_transcript.delta", "response.output_audio_transcript.delta"),
    "response.output_text.delta",
)


def _limit(facts: Facts, value: Any) -> None:
    if isinstance(value, int):  # or "inf"
        facts[semconv.REQUEST_MAX_TOKENS] = value


def _modalities(facts: Facts, value: Any) -> None:
    facts[semconv.OUTPUT_TYPE] = "speech" if "audio" in items(value) else "text"


request: Final = requests.request(
    {
        "temperature": requests.RESPONSES["temperature"],
        "reasoning": requests.RESPONSES["reasoning"],
        "max_output_tokens": _limit,
        "max_response_output_tokens": _limit,
        "output_modalities": _modalities,
        "modalities": _modalities,
    },
    **{semconv.REQUEST_STREAM: True},
)


def sent(event: Wire) -> Iterable[Step]:
    """What a message of the client's means."""
    kind = event.get("type")
    if kind == "response.create":
        asked = dict(within(event, "response"))
        asked.pop("conversation", None)  # whether it goes into the conversation, not which one
        return (Step("asks", asked, mark=event.get("event_id")),)
    if kind == "conversation.item.create":
        return (Step("input", [event.get("item")]),)
    return ()


_part_of_output: Final = re.compile(r"response\..*\.delta").fullmatch


def received(event: Wire) -> Iterable[Step]:
    """What a message of the server's means; most are parts of an output, or mean nothing."""
    kind = event.get("type")
    if not isinstance(kind, str):
        return ()
    if _part_of_output(kind):
        return (Step("chunk", event, event.get("response_id")),)
    meant = _MEANT.get(kind)
    return () if meant is None else meant(event)


def _settings(event: Wire) -> Iterable[Step]:
    session = within(event, "session")
    known = {name: session[name] for name in _SETTINGS if session.get(name) is not None}
    return (Step("settings", {**known, "session": session.get("id"), "answering": session.get("model")}),)


def _item_told(event: Wire) -> Iterable[Step]:
    return (Step("tells", event, event.get("response_id")),)


_MEANT: Final[Mapping[str, Callable[[Wire], Iterable[Step]]]] = {
    "response.created": lambda event: (Step("begins", event, within(event, "response").get("id")),),
    "response.done": lambda event: (Step("ends", event, within(event, "response").get("id")),),
    "response.output_item.added": _item_told,
    "response.output_item.done": _item_told,
    "session.created": _settings,
    "session.updated": _settings,
    "error": lambda event: (Step("failed", failure(event), mark=within(event, "error").get("event_id")),),
}


_MEMBER: Final = r'\s*"\w+"\s*:\s*(?:"[^"\\]*"|\d+)\s*,'
GLANCE: Final = re.compile(
    rf'\s*\{{(?:{_MEMBER})?\s*"type"\s*:\s*"'
    rf'(?:response\.[\w.]*\.delta"\s*,(?:{_MEMBER})*?\s*"response_id"\s*:\s*"([^"\\]*)"'
    rf'|(?!response\.[\w.]*\.delta"|(?:{"|".join(map(re.escape, _MEANT))})")[\w.]+")'
)
"""Parts of an output, with the response's id, and what means nothing, by how they begin."""


def _asked(arguments: Mapping[str, Any]) -> Facts:
    return messages.RESPONSES.request(
        {**arguments, "input": [_item(item) for item in items(arguments.get("input"))]}
    )


def _item(item: Any) -> Any:
    """An item of a conversation, what was spoken in it as text where that is known."""
    if not is_mapping(item) or not isinstance(item.get("content"), list):
        return item
    said = [
        {"type": "text", "text": part["transcript"]} if is_mapping(part) and part.get("transcript") else part
        for part in items(item["content"])
    ]
    return {**item, "content": said}


def _said(state: dict[Any, Any], event: Wire) -> None:
    kind = event.get("type")
    if kind == "response.done":
        response = within(event, "response")
        output = [_item(item) for item in items(response.get("output"))]
        whole = {**response, "output": output, "incomplete_details": response.get("status_details")}
        event = {"type": "response.completed", "response": whole}
    elif kind in _TEXTS:
        event = {**event, "type": _TEXTS[kind]}
    elif "item" in event:
        event = {**event, "item": _item(event["item"])}
    if messages.RESPONSES.chunk is not None:
        messages.RESPONSES.chunk(state, event)


CONTENT: Final = Content(_asked, chunk=_said, final=messages.RESPONSES.final)
