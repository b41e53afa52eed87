"""What was said in Mistral's chats, in the conventions' structure."""

from __future__ import annotations

from typing import Any

from genai_otel.clients import _mistral_messages as messages


def test_messages_of_a_chat() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    asked: list[Any] = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi"}, {"type": "document_url", "document_url": "u"}],
        },
        {
            "role": "assistant",
            "content": [thought],
            "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "a", "name": "f", "content": "42"},
    ]
    assert messages.CHAT.request({"messages": asked})["gen_ai.input.messages"] == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "hi"},
                {"type": "uri", "modality": "document", "uri": "u"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "a", "name": "f", "arguments": {}},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "a", "response": "42"}],
            "name": "f",
        },
    ]


def test_messages_in_an_iterator_are_left_alone() -> None:
    unread = iter([{"role": "user", "content": "hi"}])
    assert messages.CHAT.request({"messages": unread}) == {}
    assert next(unread)["content"] == "hi"
