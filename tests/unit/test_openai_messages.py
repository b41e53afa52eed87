"""Content of OpenAI calls in the convention's message structure, from the client's own types.

They are built by ``construct``, as the client builds them itself: its oldest version takes what it does not know, too.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import Completion, ImagesResponse
from openai.types.audio import Transcription
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseTextDeltaEvent,
)

from genai_otel import safe, semconv
from genai_otel.clients._openai_messages import CHAT, COMPLETIONS, IMAGES, RESPONSES, SPEECH, TRANSCRIPTIONS
from genai_otel.spec import Content

INPUT, OUTPUT = semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES
EVENTS: dict[str, Any] = {
    "response.completed": ResponseCompletedEvent,
    "response.output_item.added": ResponseOutputItemAddedEvent,
    "response.output_item.done": ResponseOutputItemDoneEvent,
    "response.output_text.delta": ResponseTextDeltaEvent,
    "response.function_call_arguments.delta": ResponseFunctionCallArgumentsDeltaEvent,
}


def built(kind: Any, fields: dict[str, Any]) -> Any:
    return kind.construct(**fields)


def streamed(content: Content, chunks: list[Any]) -> Mapping[str, Any]:
    assert content.chunk is not None
    assert content.final is not None
    state: dict[Any, Any] = {}
    for chunk in chunks:
        content.chunk(state, chunk)
    return content.final(state)


def completion(*messages: dict[str, Any], finish: str = "stop") -> ChatCompletion:
    choices = [
        {
            "index": index,
            "finish_reason": finish,
            "logprobs": None,
            "message": {"role": "assistant", **message},
        }
        for index, message in enumerate(messages)
    ]
    return built(
        ChatCompletion,
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices},
    )


def chunk(index: int = 0, finish: str | None = None, **delta: Any) -> ChatCompletionChunk:
    choices = [{"index": index, "delta": delta, "finish_reason": finish}]
    return built(
        ChatCompletionChunk,
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices},
    )


# --- chat ----------------------------------------------------------------------------------------------------------


def test_messages_of_every_role() -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
    }
    found = CHAT.request(
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "name": "ann", "content": [{"type": "text", "text": "Weather?"}]},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": '{"degrees": 21}'},
            ]
        }
    )
    assert found[INPUT] == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}], "name": "ann"},
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}}
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "call_1", "response": {"degrees": 21}}],
        },
    ]
    assert semconv.SYSTEM_INSTRUCTIONS not in found, "a system message in the history belongs to the history"


def test_media_are_blobs_references_or_files() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "https://example.test/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file_1"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"}},
        {"type": "novelty", "secret": "not understood, so not recorded"},
    ]
    (message,) = CHAT.request({"messages": [{"role": "user", "content": content}]})[INPUT]
    assert message["parts"] == [
        {"type": "uri", "modality": "image", "uri": "https://example.test/a.png"},
        {"type": "blob", "modality": "image", "content": "data:image/png;base64,iVBORw0KGgo="},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklGRg=="},
        {"type": "file", "modality": "document", "file_id": "file_1"},
        {"type": "blob", "modality": "document", "content": "data:application/pdf;base64,JVBERg=="},
        {"type": "novelty"},
    ]
    told = json.loads(safe.json_text(message, value_bytes=4096))["parts"]
    assert [(part["mime_type"], part["bytes"], part["content"]) for part in (told[1], told[2], told[4])] == [
        ("image/png", 8, ""),
        ("audio/wav", 4, ""),
        ("application/pdf", 4, ""),
    ]


def test_an_answer_that_is_sent_back_as_the_object_that_it_is() -> None:
    answer = completion({"content": "Hello"}).choices[0].message
    (message,) = CHAT.request({"messages": [answer]})[INPUT]
    assert message == {"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}


def test_tools_by_name_description_and_parameters_only() -> None:
    parameters: dict[str, Any] = {"type": "object", "properties": {}}
    function: dict[str, Any] = {
        "name": "weather",
        "description": "d",
        "parameters": parameters,
        "strict": True,
    }
    found = CHAT.request(
        {
            "messages": [],
            "tools": [
                {"type": "function", "function": function},
                {
                    "type": "mcp",
                    "server_label": "crm",
                    "server_url": "https://x.test",
                    "authorization": "tok",
                },
            ],
        }
    )
    assert found == {
        semconv.TOOL_DEFINITIONS: [
            {"type": "function", "name": "weather", "description": "d", "parameters": parameters},
            {"type": "mcp", "name": "crm"},
        ]
    }


def test_iterators_are_left_alone() -> None:
    def messages() -> Iterator[dict[str, str]]:
        yield {"role": "user", "content": "hi"}

    given = messages()
    assert CHAT.request({"messages": given, "tools": iter(())}) == {}
    assert next(given) == {"role": "user", "content": "hi"}


def test_choices_of_an_answer() -> None:
    found = CHAT.response(completion({"content": "one"}, {"content": None, "refusal": "no"}))
    assert found[OUTPUT] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "one"}], "finish_reason": "stop"},
        {"role": "assistant", "parts": [{"type": "refusal", "content": "no"}], "finish_reason": "stop"},
    ]


def test_calls_audio_and_reasoning_of_an_answer() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{broken"}}
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    audio = {"id": "a", "data": "UklGRg==", "expires_at": 1, "transcript": "hi"}
    message = {"content": None, "audio": audio, "tool_calls": [call, custom], "reasoning_content": "because"}
    (found,) = CHAT.response(completion(message, finish="tool_calls"))[OUTPUT]
    assert found["finish_reason"] == "tool_call"
    assert found["parts"] == [
        {"type": "reasoning", "content": "because"},
        {"type": "text", "content": "hi"},
        {"type": "blob", "modality": "audio", "content": "UklGRg=="},
        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": "{broken"},
        {"type": "tool_call", "id": "call_2", "name": "sql", "arguments": "select 1"},
    ]


@pytest.mark.parametrize("arguments", ["[" * 10_000, "9" * 5_000, '{"a":' + "1" * 5_000 + "}"])
def test_arguments_that_no_parser_takes_stay_text(arguments: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    (found,) = CHAT.response(completion({"content": None, "tool_calls": [call]}))[OUTPUT]
    assert found["parts"][0]["arguments"] == arguments


@pytest.mark.parametrize("result", [None, "no object", built(ChatCompletion, {"choices": None}), object()])
def test_a_result_without_choices_says_nothing(result: Any) -> None:
    assert CHAT.response(result) == {}


# --- chat, streamed ------------------------------------------------------------------------------------------------


def test_a_stream_says_what_the_whole_answer_says() -> None:
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"ci'},
    }
    rest = {"index": 0, "function": {"arguments": 'ty": "Paris"}'}}
    chunks = [
        chunk(role="assistant", content=""),
        chunk(reasoning_content="be"),
        chunk(reasoning_content="cause"),
        chunk(content="Hel"),
        chunk(content="lo"),
        chunk(tool_calls=[call]),
        chunk(tool_calls=[rest]),
        chunk(finish="tool_calls"),
        built(ChatCompletionChunk, {"choices": None}),
    ]
    assert streamed(CHAT, chunks)[OUTPUT] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "because"},
                {"type": "text", "content": "Hello"},
                {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
            ],
            "finish_reason": "tool_call",
        }
    ]


def test_choices_of_a_stream_stay_apart_and_in_order() -> None:
    found = streamed(
        CHAT, [chunk(1, content="b"), chunk(0, content="a"), chunk(1, finish="stop", content="B")]
    )
    assert found[OUTPUT] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "a"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "bB"}], "finish_reason": "stop"},
    ], "a choice that never finished has no reason"


def test_a_stream_without_an_end_is_kept_within_a_limit() -> None:
    (message,) = streamed(CHAT, [chunk(content="x" * 100_000)] * 20)[OUTPUT]
    said, mark = message["parts"]
    assert len(said["content"]) == 1_000_000
    assert mark == {"type": "truncated", "characters": 1_000_000}


DELTAS = st.sampled_from(
    [
        *({"content": text} for text in ("a", "b", "", None)),
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
        {"content": "e", "refusal": "no"},
        {"content": "f", "reasoning_content": "why"},
        {"content": "g" * 30_000},
        {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": "{}"}}]},
        {},
    ]
)
CHUNKS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([None, None, "stop"]), DELTAS, st.integers(1, 99))
)


@given(CHUNKS)
@settings(max_examples=50, deadline=None)
def test_how_a_chunk_is_read_makes_no_difference(
    said: list[tuple[int, str | None, dict[str, Any], int]],
) -> None:
    """Models of plain text go a way of their own, dictionaries never do."""
    models: list[Any] = []
    plain: list[Any] = []
    for index, finish, delta, times in said:
        models += [chunk(index, finish, **delta)] * times
        plain += [{"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}] * times
    assert streamed(CHAT, models) == streamed(CHAT, plain)


@pytest.mark.parametrize(
    "roles", [("user", "assistant"), ("assistant", "user"), (None, "assistant"), (None, None)]
)
def test_the_role_that_was_named_last_counts(roles: tuple[str | None, str | None]) -> None:
    named: list[dict[str, Any]] = [{} if role is None else {"role": role} for role in roles]
    said = [chunk(content="a", **named[0]), chunk(content="b"), chunk(content="c", **named[1])]
    (found,) = streamed(CHAT, said)[OUTPUT]
    assert found == {"role": roles[1] or "assistant", "parts": [{"type": "text", "content": "abc"}]}


def test_what_came_is_kept_although_the_program_changes_its_chunks() -> None:
    state: dict[Any, Any] = {}
    for text in ("a", "b", "c"):
        made = chunk(content=text)
        assert CHAT.chunk is not None
        CHAT.chunk(state, made)
        made.choices[0].delta.content = "changed"
        made.choices[0].delta.role = "user"
    assert CHAT.final is not None
    assert CHAT.final(state)[OUTPUT] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "abc"}]},
    ]


@pytest.mark.parametrize("content", [CHAT, RESPONSES])
def test_a_long_stream_is_kept_as_text_and_not_as_its_fragments(content: Content) -> None:
    said = chunk(content="word ") if content is CHAT else delta("response.output_text.delta", "word ", 0)
    state: dict[Any, Any] = {}
    assert content.chunk is not None
    for _ in range(10_000):
        content.chunk(state, said)
    waiting: list[Any] = [held for held in state.values() if isinstance(held, list)]
    assert max(map(len, waiting)) < 64
    assert content.final is not None
    (part,) = content.final(state)[OUTPUT][0]["parts"]
    assert part == {"type": "text", "content": "word " * 10_000}


def test_an_empty_stream_says_nothing() -> None:
    assert streamed(CHAT, []) == {}
    assert streamed(RESPONSES, []) == {}
    assert streamed(IMAGES, []) == {}
    assert streamed(TRANSCRIPTIONS, []) == {}


# --- legacy completions --------------------------------------------------------------------------------------------


def test_completions() -> None:
    assert COMPLETIONS.request({"prompt": ["a", "b"]})[INPUT] == [
        {"role": "user", "parts": [{"type": "text", "content": "a"}]},
        {"role": "user", "parts": [{"type": "text", "content": "b"}]},
    ]
    assert COMPLETIONS.request({"prompt": [1, 2, 3]}) == {}, "tokens are no text"
    result = built(
        Completion,
        {
            "id": "c",
            "object": "text_completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "text": "said", "finish_reason": "length", "logprobs": None}],
        },
    )
    expected = [
        {"role": "assistant", "parts": [{"type": "text", "content": "said"}], "finish_reason": "length"}
    ]
    assert COMPLETIONS.response(result)[OUTPUT] == expected
    assert streamed(COMPLETIONS, [result])[OUTPUT] == expected


# --- responses -----------------------------------------------------------------------------------------------------

CALL = {
    "type": "function_call",
    "id": "fc",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city":"Paris"}',
}
SAID: dict[str, Any] = {
    "type": "message",
    "id": "m",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
THOUGHT = {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "because"}]}
SEARCH = {
    "type": "web_search_call",
    "id": "ws",
    "status": "completed",
    "action": {"type": "search", "query": "paris", "queries": ["paris"]},
}
IMAGE = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo="}


def response(*output: dict[str, Any], status: str = "completed", **fields: Any) -> Response:
    return built(
        Response,
        {
            "id": "resp",
            "object": "response",
            "created_at": 1,
            "model": "m",
            "output": list(output),
            "status": status,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            **fields,
        },
    )


def test_responses_input_instructions_and_tools() -> None:
    found = RESPONSES.request(
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "user",
                    "content": [{"type": "input_image", "image_url": "https://example.test/a.png"}],
                },
                THOUGHT,
                CALL,
                {"type": "function_call_output", "call_id": "call_1", "output": "21"},
            ],
            "tools": [{"type": "function", "name": "weather", "parameters": {}}, {"type": "web_search"}],
        }
    )
    assert found[semconv.SYSTEM_INSTRUCTIONS] == [{"type": "text", "content": "Be brief."}]
    assert found[semconv.TOOL_DEFINITIONS] == [
        {"type": "function", "name": "weather", "parameters": {}},
        {"type": "web_search", "name": "web_search"},
    ]
    called = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}}
    assert found[INPUT] == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
        {
            "role": "user",
            "parts": [{"type": "uri", "modality": "image", "uri": "https://example.test/a.png"}],
        },
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "because"}]},
        {"role": "assistant", "parts": [called]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "21"}]},
    ]


def test_responses_output_is_one_message() -> None:
    (found,) = RESPONSES.response(response(THOUGHT, SEARCH, SAID, IMAGE))[OUTPUT]
    assert found["finish_reason"] == "stop"
    asked, made = found["parts"][1], found["parts"][3:]
    assert found["parts"][0] == {"type": "reasoning", "content": "because"}
    assert (asked["type"], asked["name"], asked["server_tool_call"]["type"]) == (
        "server_tool_call",
        "web_search",
        "web_search_call",
    )
    assert found["parts"][2] == {"type": "text", "content": "Hello"}
    assert made[1] == {
        "type": "blob",
        "modality": "image",
        "mime_type": "image/png",
        "content": "iVBORw0KGgo=",
    }
    assert "paris" in safe.json_text(found, value_bytes=4096)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (response(CALL), "tool_call"),
        (response(SAID, status="failed"), "error"),
        (response(SAID, status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "length"),
        (
            response(SAID, status="incomplete", incomplete_details={"reason": "content_filter"}),
            "content_filter",
        ),
        (response(SAID, status="incomplete"), "length"),
    ],
)
def test_why_a_response_ended(result: Response, reason: str) -> None:
    assert RESPONSES.response(result)[OUTPUT][0]["finish_reason"] == reason


def event(kind: str, **fields: Any) -> Any:
    return built(EVENTS[kind], {"type": kind, "sequence_number": 1, **fields})


def delta(kind: str, text: str, index: int) -> Any:
    return event(kind, delta=text, output_index=index, content_index=0, item_id="i", logprobs=[])


def test_a_streamed_response_that_completes_says_what_it_carries() -> None:
    done = event("response.completed", response=response(SAID).model_dump(warnings=False))
    assert streamed(RESPONSES, [delta("response.output_text.delta", "Hel", 0), done]) == RESPONSES.response(
        response(SAID)
    )


def test_a_streamed_response_that_is_left_says_what_came() -> None:
    found = streamed(
        RESPONSES,
        [
            event("response.output_item.done", output_index=0, item=THOUGHT),
            delta("response.output_text.delta", "Hel", 1),
            delta("response.output_text.delta", "lo", 1),
            event("response.output_item.added", output_index=2, item={**CALL, "arguments": ""}),
            delta("response.function_call_arguments.delta", '{"city"', 2),
        ],
    )
    assert found[OUTPUT] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "because"},
                {"type": "text", "content": "Hello"},
                {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": '{"city"'},
            ],
        }
    ]


# --- images and audio ----------------------------------------------------------------------------------------------


class Handle(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        pytest.fail("a file to upload belongs to the program")


def test_images() -> None:
    found = IMAGES.request(
        {"prompt": "a cat", "image": [b"png", Handle(b"x"), ("a.png", b"png", "image/png")]}
    )
    assert found[INPUT][0]["parts"] == [
        {"type": "text", "content": "a cat"},
        {"type": "blob", "modality": "image", "content": b"png"},
        {"type": "blob", "modality": "image"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b"png"},
    ]
    result = built(
        ImagesResponse,
        {
            "created": 1,
            "output_format": "webp",
            "data": [
                {"b64_json": "UklGRg==", "revised_prompt": "a big cat"},
                {"url": "https://example.test/a.png"},
            ],
        },
    )
    assert IMAGES.response(result)[OUTPUT][0]["parts"] == [
        {"type": "text", "content": "a big cat"},
        {"type": "blob", "modality": "image", "mime_type": "image/webp", "content": "UklGRg=="},
        {"type": "uri", "modality": "image", "uri": "https://example.test/a.png"},
    ]


def test_speech() -> None:
    assert SPEECH.request({"input": "Hello", "instructions": "Softly."}) == {
        INPUT: [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}],
        semconv.SYSTEM_INSTRUCTIONS: [{"type": "text", "content": "Softly."}],
    }


@pytest.mark.parametrize("file", [Handle(b"x"), Path("a.wav"), ("a.wav", Handle(b"x"))])
def test_a_file_to_transcribe_is_not_read(file: Any) -> None:
    (message,) = TRANSCRIPTIONS.request({"file": file, "prompt": "names"})[INPUT]
    assert message["parts"] == [{"type": "blob", "modality": "audio"}, {"type": "text", "content": "names"}]


def test_transcriptions() -> None:
    expected = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}]
    assert TRANSCRIPTIONS.response(built(Transcription, {"text": "Hello"}))[OUTPUT] == expected
    assert TRANSCRIPTIONS.response("Hello")[OUTPUT] == expected, "response_format=text gives a string"


def test_streamed_transcriptions() -> None:
    types: Any = pytest.importorskip("openai.types.audio")
    if not hasattr(types, "TranscriptionTextDeltaEvent"):
        pytest.skip("this client streams no transcriptions")
    expected = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}]
    parts = [
        types.TranscriptionTextDeltaEvent(type="transcript.text.delta", delta=part) for part in ("Hel", "lo")
    ]
    assert streamed(TRANSCRIPTIONS, parts)[OUTPUT] == expected
    done = types.TranscriptionTextDoneEvent(type="transcript.text.done", text="Hello")
    assert streamed(TRANSCRIPTIONS, [parts[0], done])[OUTPUT] == expected
