"""What was said, of both versions, in the conventions' structure."""

from __future__ import annotations

from typing import Any

from genai_otel.clients import _cohere_messages as messages


def said(facts: dict[str, Any], name: str = "gen_ai.input.messages") -> list[Any]:
    return [(one["role"], one["parts"]) for one in facts[name]]


def test_messages_of_a_chat() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    asked = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
        {"role": "assistant", "tool_plan": "plan", "tool_calls": [call]},
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "document", "document": {"data": {"text": "42"}}}],
        },
    ]
    assert said(messages.CHAT.request({"messages": asked})) == [
        ("user", [{"type": "text", "content": "hi"}, {"type": "uri", "modality": "image", "uri": "u"}]),
        (
            "assistant",
            [
                {"type": "reasoning", "content": "plan"},
                {"type": "tool_call", "id": "a", "name": "f", "arguments": {"x": 1}},
            ],
        ),
        (
            "tool",
            [{"type": "tool_call_response", "id": "a", "response": [{"type": "text", "content": "42"}]}],
        ),
    ]


def test_chat_of_the_first_version() -> None:
    asked: dict[str, Any] = {
        "message": "hi",
        "preamble": "be brief",
        "chat_history": [{"role": "CHATBOT", "message": "b"}],
        "tools": [{"name": "t", "description": "d", "parameter_definitions": {}}],
    }
    facts = messages.OLD_CHAT.request(asked)
    assert said(facts) == [
        ("assistant", [{"type": "text", "content": "b"}]),
        ("user", [{"type": "text", "content": "hi"}]),
    ]
    assert facts["gen_ai.system_instructions"] == [{"type": "text", "content": "be brief"}]
    assert facts["gen_ai.tool.definitions"] == [
        {"type": "function", "name": "t", "description": "d", "parameters": {}}
    ]


def test_messages_in_an_iterator_are_left_alone() -> None:
    unread = iter([{"role": "user", "content": "hi"}])
    assert messages.CHAT.request({"messages": unread}) == {}
    assert next(unread)["content"] == "hi"
