"""Content of Anthropic's messages in the convention's structure, from the client's own types and from dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from genai_otel import safe, semconv
from genai_otel.clients._anthropic_messages import MESSAGES
from genai_otel.clients._pieces import FULL

types = pytest.importorskip("anthropic.types")

INPUT, OUTPUT = semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES
EVENTS: dict[str, Any] = {
    "message_start": types.RawMessageStartEvent,
    "content_block_start": types.RawContentBlockStartEvent,
    "content_block_delta": types.RawContentBlockDeltaEvent,
    "content_block_stop": types.RawContentBlockStopEvent,
    "message_delta": types.RawMessageDeltaEvent,
}


def asked(**arguments: Any) -> Mapping[str, Any]:
    return MESSAGES.request(arguments)


def answered(*content: Any, reason: str | None = "end_turn") -> list[Any]:
    fields = {"role": "assistant", "content": list(content), "stop_reason": reason}
    return MESSAGES.response(types.Message.construct(**fields))[OUTPUT]


def streamed(*events: dict[str, Any]) -> Mapping[str, Any]:
    assert MESSAGES.chunk is not None
    assert MESSAGES.final is not None
    state: dict[Any, Any] = {}
    for event in events:
        MESSAGES.chunk(state, EVENTS[event["type"]].construct(**event))
    return MESSAGES.final(state)


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def finish(reason: str) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}}


def words(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text_delta", "text": text} for text in texts]


def test_what_is_asked() -> None:
    facts = asked(
        system=[{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "42"}]}
                ],
            },
        ],
        tools=[
            {"name": "f", "description": "does", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search", "api_key": "never"},
        ],
    )
    assert facts[semconv.SYSTEM_INSTRUCTIONS] == [{"type": "text", "content": "be brief"}]
    assert facts[INPUT] == [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}}],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "t1", "response": [{"type": "text", "content": "42"}]}
            ],
        },
    ]
    assert facts[semconv.TOOL_DEFINITIONS] == [
        {"type": "function", "name": "f", "description": "does", "parameters": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA"},
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "file", "modality": "document", "file_id": "file_1"},
        ),
        (
            {"type": "document", "source": {"type": "text", "data": "words", "media_type": "text/plain"}},
            {"type": "text", "content": "words"},
        ),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "reasoning", "content": "hm"}),
        ({"type": "redacted_thinking", "data": "secret"}, {"type": "redacted_thinking"}),
        (
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            {"type": "tool_call", "id": "s1", "name": "web_search", "arguments": {"query": "q"}},
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": [{"type": "web_search_result"}],
            },
            {"type": "tool_call_response", "id": "s1", "response": [{"type": "web_search_result"}]},
        ),
        ({"type": "of_the_future", "text": "x"}, {"type": "of_the_future"}),
        ({"no": "type"}, {"type": "unknown"}),
        ("bare", {"type": "text", "content": "bare"}),
    ],
)
def test_blocks_are_parts(content: Any, part: dict[str, Any]) -> None:
    (said,) = asked(messages=[{"role": "user", "content": [content]}])[INPUT]
    assert said["parts"] == [part]


def test_iterators_are_left_alone() -> None:
    messages = iter([{"role": "user", "content": "hi"}])
    assert asked(messages=messages, system=iter("x"), tools=iter(())) == {}
    assert list(messages)


def test_what_is_answered() -> None:
    assert answered(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        types.TextBlock.construct(type="text", text="Hello", citations=None),
        types.ToolUseBlock.construct(type="tool_use", id="t1", name="f", input={"a": 1}),
        reason="tool_use",
    ) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "Hello"},
                {"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}},
            ],
            "finish_reason": "tool_call",
        }
    ]


def test_a_stream_says_the_same() -> None:
    said = streamed(
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "h"},
            {"type": "thinking_delta", "thinking": "m"},
            {"type": "signature_delta", "signature": "s"},
        ),
        *block(1, {"type": "text", "text": ""}, *words("Hel", "lo", " you")),
        *block(
            2,
            {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"a"'},
            {"type": "input_json_delta", "partial_json": ": 1}"},
        ),
        *block(3, {"type": "tool_use", "id": "t2", "name": "g", "input": {}}),
        *block(4, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}),
        *block(5, {"type": "text", "text": ""}, *words("more", " text")),
        finish("tool_use"),
    )
    (message,) = said[OUTPUT]
    assert message["finish_reason"] == "tool_call"
    assert message["parts"] == [
        {"type": "reasoning", "content": "hm"},
        {"type": "text", "content": "Hello you"},
        {"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}},
        {"type": "tool_call", "id": "t2", "name": "g", "arguments": {}},
        {"type": "tool_call_response", "id": "s1", "response": []},
        {"type": "text", "content": "more text"},
    ]


def test_a_stream_that_is_left_says_what_came() -> None:
    assert streamed() == {}
    said = streamed(*block(0, {"type": "text", "text": ""}, *words("Hel", "lo"))[:-1])
    assert said[OUTPUT] == [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}]


def test_a_long_stream_is_kept_whole_and_an_endless_one_is_cut() -> None:
    texts = [str(number) for number in range(FULL * 3)]
    (message,) = streamed(*block(0, {"type": "text", "text": ""}, *words(*texts)))[OUTPUT]
    assert message["parts"] == [{"type": "text", "content": "".join(texts)}]
    endless = words(*["x" * 65_536] * 40)
    (message,) = streamed(*block(0, {"type": "text", "text": ""}, *endless))[OUTPUT]
    assert message["parts"][-1]["type"] == "truncated"
    assert len(safe.json_text(message, value_bytes=10_000)) <= 10_000
