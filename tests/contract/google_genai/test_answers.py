"""What Google counts and calls in its own way, and how its client makes several requests of one call."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.recorded import Recorded, facts
from tests.contract.test_calls import check

pytestmark = pytest.mark.usefixtures("balanced")

types = pytest.importorskip("google.genai").types
MODEL = "gemini-3-flash"


def usage(recorded: Recorded) -> dict[str, Any]:
    """What the only span says was used."""
    prefix = "gen_ai.usage."
    return {name[len(prefix) :]: value for name, value in facts(recorded).items() if name.startswith(prefix)}


def answer(model_server: ModelServer, **more: Any) -> None:
    """Script the next answer."""
    said = {"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}
    model_server.reply({"candidates": [said], **more})


# --- usage ----------------------------------------------------------------------------------------------------------


def test_thoughts_are_output_and_results_of_tools_are_input(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    answer(
        model_server,
        usageMetadata={
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "toolUsePromptTokenCount": 30,
            "candidatesTokenCount": 7,
            "thoughtsTokenCount": 5,
            "totalTokenCount": 142,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 10},
                {"modality": "IMAGE", "tokenCount": 50},
                {"modality": "DOCUMENT", "tokenCount": 40},
            ],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 7}],
        },
    )
    client.models.generate_content(model=MODEL, contents="hello")
    assert usage(balanced) == {
        "input_tokens": 130,
        "cache_read.input_tokens": 60,
        "text.input_tokens": 10,
        "image.input_tokens": 50,
        "output_tokens": 12,
        "reasoning.output_tokens": 5,
        "audio.output_tokens": 7,
    }


def test_thoughts_alone_are_output(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    answer(model_server, usageMetadata={"promptTokenCount": 1, "thoughtsTokenCount": 9})
    client.models.generate_content(model=MODEL, contents="hello")
    assert usage(balanced) == {"input_tokens": 1, "output_tokens": 9, "reasoning.output_tokens": 9}


def test_a_stream_counts_from_the_beginning_in_each_chunk(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    def chunk(count: int, **more: Any) -> dict[str, Any]:
        said = {"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0, **more}
        counted = {"promptTokenCount": 5, "candidatesTokenCount": count}
        return {"candidates": [said], "usageMetadata": counted, "responseId": "r1"}

    model_server.reply(events=[chunk(1), chunk(2), chunk(3, finishReason="STOP")])
    list(client.models.generate_content_stream(model=MODEL, contents="hello"))
    assert usage(balanced) == {"input_tokens": 5, "output_tokens": 3}


def test_usage_may_come_after_the_last_candidate(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    said = {"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0, "finishReason": "STOP"}
    counted = {"promptTokenCount": 5, "candidatesTokenCount": 6}
    model_server.reply(events=[{"candidates": [said]}, {"usageMetadata": counted}])
    list(client.models.generate_content_stream(model=MODEL, contents="hello"))
    assert usage(balanced) == {"input_tokens": 5, "output_tokens": 6}


# --- finish reasons -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("OTHER", "other"),
        ("REASON_OF_THE_FUTURE", "reason_of_the_future"),
    ],
)
@pytest.mark.filterwarnings("ignore:REASON_OF_THE_FUTURE is not a valid")
def test_finish_reasons(
    balanced: Recorded, model_server: ModelServer, client: Any, said: str, meant: str
) -> None:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": []}, "finishReason": said, "index": 0}
    model_server.reply({"candidates": [candidate]})
    client.models.generate_content(model=MODEL, contents="hello")
    assert facts(balanced)["gen_ai.response.finish_reasons"] == (meant,)


def test_a_prompt_that_is_blocked_says_so(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    model_server.reply(
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 8}}
    )
    client.models.generate_content(model=MODEL, contents="hello")
    assert facts(balanced)["gen_ai.response.finish_reasons"] == ("content_filter",)
    assert usage(balanced) == {"input_tokens": 8}


# --- several requests of one call -----------------------------------------------------------------------------------


def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@pytest.mark.parametrize("streams", [False, True])
def test_functions_that_the_client_calls_itself_make_calls_that_are_counted_each(
    balanced: Recorded, client: Any, streams: bool
) -> None:
    arguments = {"model": MODEL, "contents": "hello", "config": {"tools": [weather]}}
    if streams:
        list(client.models.generate_content_stream(**arguments))
    else:
        client.models.generate_content(**arguments)
    spans = balanced.calls()
    assert [span.attributes["gen_ai.usage.input_tokens"] for span in spans] == [12, 12]
    (point,) = (
        each
        for each in balanced.metrics()["gen_ai.client.token.usage"]
        if each.attributes["gen_ai.token.type"] == "output"
    )
    assert (point.count, point.sum) == (2, 14)


@pytest.mark.parametrize("streams", [False, True])
def test_a_message_of_a_chat_is_one_call(balanced: Recorded, client: Any, streams: bool) -> None:
    chat = client.chats.create(model=MODEL)
    for number in (1, 2):
        if streams:
            list(chat.send_message_stream("hello"))
        else:
            chat.send_message("hello")
        assert len(balanced.calls()) == number


@pytest.mark.parametrize("streams", [False, True])
def test_an_answer_that_is_gone_on_with_is_counted_whole(
    balanced: Recorded, model_server: ModelServer, client: Any, streams: bool
) -> None:
    if "continuation_token" not in types.GenerateContentConfig.model_fields:
        pytest.skip("this version of the client does not go on by itself")
    for number, reason in enumerate(("CONTINUATION", "STOP"), 1):
        said: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0}
        said |= {"finishReason": reason, **({"continuationToken": "dG9rZW4="} if number == 1 else {})}
        counted = {"promptTokenCount": number, "candidatesTokenCount": 10 * number}
        body = {"candidates": [said], "usageMetadata": counted}
        model_server.reply(events=[body]) if streams else model_server.reply(body)
    if streams:
        list(client.models.generate_content_stream(model=MODEL, contents="hello"))
    else:
        client.models.generate_content(model=MODEL, contents="hello")
    got = [
        (span.attributes["gen_ai.usage.output_tokens"], span.attributes["gen_ai.response.finish_reasons"])
        for span in balanced.calls()
    ]
    assert got == [(10, ("continuation",)), (20, ("stop",))]


# --- requests -------------------------------------------------------------------------------------------------------


CONFIG: dict[str, Any] = {
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 40,
    "max_output_tokens": 100,
    "candidate_count": 2,
    "stop_sequences": ["END"],
    "seed": 3,
    "presence_penalty": 0.25,
    "frequency_penalty": 0.75,
    "response_mime_type": "application/json",
}
ASKED = {
    "gen_ai.request.temperature": 1.0,
    "gen_ai.request.top_p": 0.5,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.choice.count": 2,
    "gen_ai.request.stop_sequences": ("END",),
    "gen_ai.request.seed": 3,
    "gen_ai.request.presence_penalty": 0.25,
    "gen_ai.request.frequency_penalty": 0.75,
    "gen_ai.output.type": "json",
}


@pytest.mark.parametrize("kind", ["dictionary", "camel", "model"])
def test_facts_of_a_request(balanced: Recorded, client: Any, kind: str) -> None:
    config: Any = CONFIG
    if kind == "camel":
        config = types.GenerateContentConfig(**CONFIG).model_dump(by_alias=True, exclude_none=True)
    elif kind == "model":
        config = types.GenerateContentConfig(**CONFIG)
    client.models.generate_content(model=MODEL, contents="hello", config=config)
    got = facts(balanced)
    asked = {
        name: value for name, value in got.items() if ".request." in name or name == "gen_ai.output.type"
    }
    assert asked == {**ASKED, "gen_ai.request.model": MODEL}
    assert isinstance(got["gen_ai.request.top_k"], int)


@pytest.mark.parametrize(("modality", "kind"), [("IMAGE", "image"), ("AUDIO", "speech"), ("TEXT", "text")])
def test_what_is_asked_for(balanced: Recorded, client: Any, modality: str, kind: str) -> None:
    client.models.generate_content(model=MODEL, contents="hello", config={"response_modalities": [modality]})
    assert facts(balanced)["gen_ai.output.type"] == kind


def test_level_of_thinking(balanced: Recorded, client: Any) -> None:
    if "thinking_level" not in types.ThinkingConfig.model_fields:
        pytest.skip("this version of the client knows no levels")
    client.models.generate_content(
        model=MODEL, contents="hello", config={"thinking_config": {"thinking_level": "LOW"}}
    )
    assert facts(balanced)["gen_ai.request.reasoning.level"] == "LOW"


def test_a_raw_body_has_no_facts(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    if "should_return_http_response" not in types.GenerateContentConfig.model_fields:
        pytest.skip("this version of the client gives none")
    result = client.models.generate_content(
        model=MODEL, contents="hello", config={"should_return_http_response": True}
    )
    assert result.sdk_http_response.body
    check(
        balanced.span(),
        {
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": MODEL,
            "server.address": "127.0.0.1",
            "server.port": model_server.port,
            "genai_otel.outcome": "completed",
            "genai_otel.measured": True,
        },
    )
