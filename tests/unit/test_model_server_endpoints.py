"""The model server's other endpoints, as the real OpenAI client sees them."""

import io
import json
from typing import Any

import openai
import pytest

from genai_otel.testing import ModelServer
from tests.harness.calls import WEATHER_FLAT


def test_responses(client: Any) -> None:
    result = client.responses.create(model="gpt-4o-mini", input="hi", reasoning={"effort": "low"})
    assert result.output_text == "Hello from the local model server."
    assert [item.type for item in result.output] == ["reasoning", "message"]
    usage = result.usage
    details = usage.input_tokens_details
    assert (usage.input_tokens, usage.output_tokens, usage.output_tokens_details.reasoning_tokens) == (
        12,
        7,
        3,
    )
    assert (details.cached_tokens, details.cache_write_tokens) == (4, 2)


def test_responses_stream_has_every_event_in_order(client: Any, model_server: ModelServer) -> None:
    events = list(client.responses.create(model="m", input="hi", stream=True))
    names = list(dict.fromkeys(event.type.removeprefix("response.") for event in events))
    assert names == [
        *("created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.usage.output_tokens == 7


def test_responses_stream_helper_with_tools_and_reasoning(client: Any) -> None:
    asked: Any = {"input": "hi", "tools": [WEATHER_FLAT], "reasoning": {"effort": "low"}}
    with client.responses.stream(model="m", **asked) as stream:
        types = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.function_call_arguments.delta" in types
    assert "response.reasoning_summary_text.delta" in types
    call = final.output[1]
    assert json.loads(call.arguments) == {"city": "example", "days": 2}
    done = [
        {"role": "user", "content": "hi"},
        call.model_dump(exclude_none=True, exclude={"parsed_arguments"}),
    ]
    done.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    assert client.responses.create(model="m", input=done, tools=[WEATHER_FLAT]).output_text.startswith(
        "Hello"
    )


def test_custom_and_hosted_tools(client: Any) -> None:
    custom: Any = {"type": "custom", "name": "code"}
    with client.responses.stream(model="m", input="hi", tools=[custom]) as stream:
        types = {event.type for event in stream}
        call = stream.get_final_response().output[0]
    assert "response.custom_tool_call_input.done" in types
    assert (call.type, call.name, call.input) == ("custom_tool_call", "code", "example")
    searched = client.responses.create(model="m", input="news?", tools=[{"type": "web_search"}])
    assert [item.type for item in searched.output] == ["web_search_call", "message"]
    assert searched.output[0].action.query == "news?"


def test_rounds_of_tool_results_are_counted(client: Any) -> None:
    asked: list[Any] = [{"role": "user", "content": "hi"}]
    for expected in ("function_call", "function_call", "message"):
        item = client.responses.create(model="m+rounds-2", input=asked, tools=[WEATHER_FLAT]).output[0]
        assert item.type == expected
        asked.append(item.model_dump(exclude_none=True))
        asked.append({"type": "function_call_output", "call_id": "c", "output": "sunny"})


def test_responses_that_do_not_complete(client: Any) -> None:
    cut = client.responses.create(model="m+length", input="x")
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    failed = client.responses.create(model="m+failed", input="x")
    assert (failed.status, failed.error.code) == ("failed", "server_error")
    last = list(client.responses.create(model="m+failed", input="x", stream=True))[-1]
    assert last.type == "response.failed"


def test_background_response_is_retrieved_resumed_and_cancelled(client: Any) -> None:
    queued = client.responses.create(model="gpt-5+echo", input="x", background=True)
    assert (queued.status, queued.usage) == ("queued", None)
    done = client.responses.retrieve(queued.id)
    assert (done.id, done.status, done.model) == (queued.id, "completed", "gpt-5-2024-07-18")
    events = list(client.responses.retrieve(queued.id, stream=True, starting_after=3))
    assert events[0].sequence_number == 4
    assert events[-1].response.id == queued.id
    assert client.responses.cancel(queued.id).status == "cancelled"
    failing = client.responses.create(model="m+failed", input="x", background=True)
    assert client.responses.retrieve(failing.id).status == "failed"


def test_compaction(client: Any) -> None:
    assert client.responses.compact(model="m", input="x").usage.input_tokens == 12


def test_embeddings(client: Any, model_server: ModelServer) -> None:
    many = client.embeddings.create(model="text-embedding-3-small", input=["a", "b", "c"], dimensions=4)
    assert [len(item.embedding) for item in many.data] == [4, 4, 4]
    assert json.loads(model_server.requests[0].body)["encoding_format"] == "base64"
    floats = client.embeddings.create(model="e", input="a", encoding_format="float", dimensions=4)
    assert floats.data[0].embedding == pytest.approx(many.data[0].embedding)
    assert floats.usage.prompt_tokens == floats.usage.total_tokens == 12
    assert len(client.embeddings.create(model="e", input=[1, 2, 3]).data) == 1


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # variations and translations
def test_images(client: Any) -> None:
    result = client.images.generate(model="gpt-image-1", prompt="a dot", n=2)
    assert len(result.data) == 2
    assert (result.usage.input_tokens, result.usage.input_tokens_details.image_tokens) == (12, 8)
    events = list(client.images.generate(model="gpt-image-1", prompt="a dot", stream=True))
    assert events[-1].type == "image_generation.completed"
    assert events[-1].usage.output_tokens == 7
    image = io.BytesIO(b"png")
    image.name = "a.png"
    edited = list(client.images.edit(model="gpt-image-1", image=image, prompt="more", stream=True))
    assert edited[0].type == "image_edit.partial_image"
    assert client.images.create_variation(model="dall-e-2", image=image).data[0].b64_json


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # variations and translations
def test_audio(client: Any, model_server: ModelServer) -> None:
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert len(speech.content) == 1024
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="x"
    ) as streamed:
        assert sum(map(len, streamed.iter_bytes(100))) == 1024
    file = ("a.wav", b"RIFF\r\n\r\n--binary", "audio/wav")
    spoken = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file)
    assert spoken.usage.input_token_details.audio_tokens == 5
    assert model_server.requests[-1].form["file"] == b"RIFF\r\n\r\n--binary"
    assert client.audio.transcriptions.create(model="whisper-1", file=file).usage.seconds == 3
    verbose = client.audio.transcriptions.create(model="whisper-1", file=file, response_format="verbose_json")
    assert verbose.duration == 3.0
    plain = client.audio.transcriptions.create(model="whisper-1", file=file, response_format="text")
    assert plain.strip() == spoken.text
    events = list(client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file, stream=True))
    assert events[-1].usage.output_tokens == 7
    assert client.audio.translations.create(model="whisper-1", file=file).text == spoken.text
    with pytest.raises(openai.RateLimitError):
        client.audio.translations.create(model="whisper-1+error-429", file=file)


def test_moderations_and_models(client: Any) -> None:
    assert client.moderations.create(input=["a", "b"]).model == "omni-moderation-latest"
    assert len(client.moderations.create(input=["a", "b"]).results) == 2
    assert client.models.list().data[0].id == "gpt-4o-mini"
    assert client.models.retrieve("gpt-5").id == "gpt-5"
