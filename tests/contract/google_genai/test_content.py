"""What was said to and by Google's models, in the conventions' structure."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.clients import _google_messages as messages

types = pytest.importorskip("google.genai").types

TEXT = {"type": "text", "content": "hello"}


def asked(contents: Any, **config: Any) -> dict[str, Any]:
    """The facts of a request's content."""
    given = types.GenerateContentConfig(**config) if config else None
    return messages.CONTENT.request({"model": "m", "contents": contents, "config": given})


@pytest.mark.parametrize(
    "contents",
    [
        "hello",
        ["hello"],
        types.Part.from_text(text="hello"),
        [types.Part.from_text(text="hello")],
        types.UserContent("hello"),
        types.Content(role="user", parts=[types.Part(text="hello")]),
        [{"role": "user", "parts": [{"text": "hello"}]}],
        {"parts": [{"text": "hello"}]},
    ],
)
def test_one_text_in_all_its_forms(contents: Any) -> None:
    assert asked(contents) == {"gen_ai.input.messages": [{"role": "user", "parts": [TEXT]}]}


def test_a_conversation() -> None:
    call = types.Part(function_call=types.FunctionCall(id="1", name="weather", args={"city": "Bonn"}))
    result = types.Part(
        function_response=types.FunctionResponse(id="1", name="weather", response={"result": "sunny"})
    )
    contents = [
        types.Content(role="user", parts=[types.Part(text="hello")]),
        types.Content(role="model", parts=[types.Part(text="hm", thought=True), call]),
        types.Content(role="user", parts=[result]),
        "and", "now?",
    ]  # fmt: skip
    assert asked(contents)["gen_ai.input.messages"] == [
        {"role": "user", "parts": [TEXT]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "1", "name": "weather", "arguments": {"city": "Bonn"}},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "1", "response": {"result": "sunny"}}],
        },
        {"role": "user", "parts": [{"type": "text", "content": "and"}, {"type": "text", "content": "now?"}]},
    ]


def test_media() -> None:
    contents = [
        types.Part.from_bytes(data=b"picture", mime_type="image/png"),
        types.Part.from_uri(file_uri="gs://bucket/a.wav", mime_type="audio/wav"),
        types.File(uri="https://files.example/1", mime_type="application/pdf"),
        {"inlineData": {"data": "cGljdHVyZQ==", "mimeType": "video/mp4"}},
        object(),
    ]
    assert asked(contents)["gen_ai.input.messages"][0]["parts"] == [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b"picture"},
        {"type": "uri", "modality": "audio", "uri": "gs://bucket/a.wav"},
        {"type": "uri", "modality": "document", "uri": "https://files.example/1"},
        {"type": "blob", "modality": "video", "mime_type": "video/mp4", "content": "cGljdHVyZQ=="},
        {"type": "unknown"},
    ]


def weather(city: str) -> str:
    """The weather in a city."""
    return city


def test_instructions_and_tools() -> None:
    declared = types.FunctionDeclaration(
        name="declared", description="d", parameters_json_schema={"type": "object"}
    )
    tools = [weather, types.Tool(function_declarations=[declared]), types.Tool(google_search={})]
    assert asked("hello", system_instruction=["be", "brief"], tools=tools) == {
        "gen_ai.input.messages": [{"role": "user", "parts": [TEXT]}],
        "gen_ai.system_instructions": [
            {"type": "text", "content": "be"},
            {"type": "text", "content": "brief"},
        ],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "weather", "description": "The weather in a city."},
            {
                "type": "function",
                "name": "declared",
                "description": "d",
                "parameters": {"type": "object"},
            },
            {"type": "google_search", "name": "google_search"},
        ],
    }


def test_iterators_are_left_alone() -> None:
    numbers = iter(["a", "b"])
    asked_of = messages.CONTENT.request({"contents": numbers})
    assert asked_of == {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "unknown"}]}]}
    assert list(numbers) == ["a", "b"]


PARTS = [
    {"text": "hm", "thought": True},
    {"text": "hel"},
    {"text": "lo"},
    {"function_call": {"name": "weather", "args": {"city": "Bonn"}}},
    {"inline_data": {"data": b"picture", "mime_type": "image/png"}},
]
CALL = {"type": "tool_call", "name": "weather", "arguments": {"city": "Bonn"}}
PICTURE = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b"picture"}


def result(*parts: Any, finish: str | None = None, index: int = 0) -> Any:
    said = types.Content(role="model", parts=[types.Part(**part) for part in parts])
    return types.GenerateContentResponse(
        candidates=[types.Candidate(content=said, finish_reason=finish, index=index)]
    )


def test_an_answer() -> None:
    said = messages.CONTENT.response(result(*PARTS, finish="MAX_TOKENS"))
    (message,) = said["gen_ai.output.messages"]
    assert (message["role"], message["finish_reason"]) == ("assistant", "length")
    assert message["parts"] == [
        {"type": "reasoning", "content": "hm"},
        {"type": "text", "content": "hel"},
        {"type": "text", "content": "lo"},
        CALL,
        PICTURE,
    ]
    assert messages.CONTENT.response(types.GenerateContentResponse()) == {}


def test_a_stream_says_the_same() -> None:
    state: dict[Any, Any] = {}
    assert messages.CONTENT.chunk is not None
    assert messages.CONTENT.final is not None
    for number, part in enumerate(PARTS):
        last = number == len(PARTS) - 1
        messages.CONTENT.chunk(state, result(part, finish="STOP" if last else None))
    messages.CONTENT.chunk(state, result({"text": "other"}, index=1))
    first, second = messages.CONTENT.final(state)["gen_ai.output.messages"]
    assert first == {
        "role": "assistant",
        "finish_reason": "stop",
        "parts": [{"type": "reasoning", "content": "hm"}, TEXT, CALL, PICTURE],
    }
    assert second == {"role": "assistant", "parts": [{"type": "text", "content": "other"}]}


def test_images() -> None:
    picture = types.Image(image_bytes=b"picture", mime_type="image/png")
    reference = types.RawReferenceImage(reference_id=1, reference_image=picture)
    said = messages.IMAGES.request({"prompt": "hello", "reference_images": [reference]})
    assert said["gen_ai.input.messages"][0]["parts"] == [TEXT, PICTURE]
    stored = types.Image(gcs_uri="gs://bucket/a.png")
    generated = [types.GeneratedImage(image=image) for image in (picture, stored, None)]
    answered = messages.IMAGES.response(types.GenerateImagesResponse(generated_images=generated))
    assert answered["gen_ai.output.messages"][0]["parts"] == [
        PICTURE,
        {"type": "uri", "modality": "image", "uri": "gs://bucket/a.png"},
    ]
