"""Messages of Realtime that are not read as JSON: what their beginning tells is what reading them would tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from genai_otel.clients._openai_realtime import GLANCE, received

PART = {"response_id": "r", "item_id": "i", "output_index": 0, "delta": "AAAA"}
MESSAGES: list[Mapping[str, Any]] = [
    {"type": "response.output_audio.delta", **PART},
    {"event_id": "e", "type": "response.output_text.delta", **PART},
    {"type": "response.output_text.delta", "delta": 'said "response_id": "x"', "response_id": "r"},
    {"type": "response.output_text.delta", "delta": "no name"},
    {"type": "response.output_text.delta", "item": {"response_id": "x"}, "response_id": "r"},
    {"type": "response.output_audio.done", "response_id": "r"},
    {"type": "response.created", "response": {"id": "r"}},
    {"type": "response.done", "response": {"id": "r"}},
    {"type": "response.output_item.done", "response_id": "r"},
    {"type": "session.updated", "session": {"id": "s"}},
    {"type": "conversation.item.input_audio_transcription.delta", "item_id": "i", "delta": "a"},
    {"type": "input_audio_buffer.committed", "item_id": "i"},
    {"type": "error", "error": {"code": "x"}},
    {"item": "of no type"},
    {"type": 7},
]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_glance_tells_what_reading_tells(message: Mapping[str, Any], indent: int | None) -> None:
    seen = GLANCE.match(json.dumps(message, indent=indent))
    steps = [(step.kind, step.key) for step in received(message)]
    if seen is not None:
        assert steps == ([] if seen[1] is None else [("chunk", seen[1])])
    else:
        assert steps or "type" not in message or message["type"] == 7


def test_the_usual_messages_are_not_read() -> None:
    usual = [GLANCE.match(json.dumps(message)) for message in (*MESSAGES[:2], MESSAGES[-4])]
    assert [None if seen is None else seen[1] for seen in usual] == ["r", "r", None]
    assert None not in usual
