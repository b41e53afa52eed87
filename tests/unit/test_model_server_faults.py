"""Errors, broken payloads and broken connections, as the real OpenAI client sees them."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from typing import Any

import openai
import pytest

from genai_otel.testing import ModelServer
from tests.harness.calls import chat, read, read_async


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_every_status_is_an_openai_error(
    client: Any, status: int, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as caught:
        chat(client, f"error-{status}")
    assert caught.value.status_code == status
    assert caught.value.type
    assert str(caught.value.request_id).startswith("req_")


def test_a_leaking_error_repeats_key_and_text(client: Any) -> None:
    with pytest.raises(openai.AuthenticationError, match=r"sk-test.*say hello"):
        chat(client, "m+error-401+leak")


def test_retries_are_counted_from_the_clients_own_header(client: Any, model_server: ModelServer) -> None:
    started = time.monotonic()
    result = chat(client.with_options(max_retries=2), "m+fail-2+error-500")
    assert result.choices[0].finish_reason == "stop"
    assert [request.headers["x-stainless-retry-count"] for request in model_server.requests] == [
        "0",
        "1",
        "2",
    ]
    assert time.monotonic() - started < 1  # without the server's word the client would wait longer
    with pytest.raises(openai.RateLimitError):
        chat(client, "m+fail-1")


def test_retries_of_other_clients_are_counted_by_equal_requests(model_server: ModelServer) -> None:
    request = urllib.request.Request(
        f"{model_server.base_url}/embeddings", b'{"model": "m+fail-1", "input": "x"}'
    )
    for _ in range(2):  # the count starts again after each success
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        caught.value.close()
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200


def test_null_and_missing_fields(client: Any) -> None:
    assert chat(client, "m+null-usage").usage is None
    assert "usage" not in chat(client, "m+no-usage").model_fields_set
    assert chat(client, "m+null-choices").choices is None
    assert [chunk.choices for chunk in chat(client, "m+null-choices", stream=True)] == [None] * 8
    bare = chat(client, "m+null-fields")
    assert (bare.id, bare.model, bare.choices[0].message.content, bare.usage.prompt_tokens) == (None,) * 4
    both = chat(client, "m+null-model+no-created")
    assert both.model is None
    assert "created" not in both.model_fields_set


def test_strange_values(client: Any) -> None:
    assert chat(client, "m+huge-usage").usage.prompt_tokens == 2**70
    assert chat(client, "m+surrogate").choices[0].message.content.endswith("\ud83d")
    assert "field_of_the_future" in chat(client, "m+unknown-fields").usage.model_extra
    types = [
        event.type for event in client.responses.create(model="m+unknown-events", input="x", stream=True)
    ]
    assert types.count("response.future.delta") == len(types) / 2


def test_broken_bodies(client: Any) -> None:
    for directive in ("malformed", "empty"):
        with pytest.raises(json.JSONDecodeError):
            chat(client, f"m+{directive}")
    assert chat(client, "m+html").startswith("<html>")
    with pytest.raises(json.JSONDecodeError):
        list(chat(client, "m+malformed", stream=True))
    assert list(chat(client, "m+empty", stream=True)) == []


def test_unknown_directive_and_unknown_path_are_told(client: Any, model_server: ModelServer) -> None:
    with pytest.raises(openai.BadRequestError, match=r"'slow-frist-1s'.*slow-first-TIME"):
        chat(client, "m+slow-frist-1s")
    with pytest.raises(openai.NotFoundError, match="no endpoint: POST /v1/nothing"):
        client.post("/nothing", cast_to=object, body={})
    assert len(model_server.requests) == 2


def test_error_in_the_middle_of_a_stream(client: Any) -> None:
    seen, error = read(chat(client, "m+midstream-error-3", stream=True))
    assert len(seen) == 3
    assert isinstance(error, openai.APIError)
    assert error.message == "The model failed."
    events, error = read(client.responses.create(model="m+midstream-error", input="x", stream=True))
    assert [event.type for event in events] == ["response.created", "response.in_progress", "error"]
    assert error is None


def test_cut_and_dropped_streams(client: Any) -> None:
    seen, error = read(chat(client, "m+cut-after-3", stream=True))
    assert len(seen) == 3
    assert isinstance(error, openai.APIConnectionError)
    seen, error = read(chat(client, "m+drop-after-3", stream=True))
    assert len(seen) == 3
    assert error is None


def test_reset_and_cut_of_plain_answers(client: Any) -> None:
    for directive in ("reset", "cut-after-20"):
        with pytest.raises(openai.APIConnectionError):
            chat(client, f"m+{directive}")


def test_delays(client: Any) -> None:
    def seconds(model: str, **extra: Any) -> float:
        started = time.monotonic()
        result = chat(client, model, **extra)
        if extra.get("stream"):
            assert read(result)[1] is None
        return time.monotonic() - started

    assert seconds("m+slow-first-200ms") >= 0.2
    assert seconds("m+slow-first-200ms", stream=True) >= 0.2
    assert seconds("m+slow-body-20ms") >= 0.02 * 7
    assert seconds("m+slow-chunk-30ms", stream=True) >= 0.03 * 7
    assert seconds("m+slow-chunk-20s+drop-after-1", stream=True) < 10  # the first chunk does not wait


def test_a_client_that_leaves_is_seen(client: Any, model_server: ModelServer) -> None:
    stream = chat(client, "m+hang-after-2", stream=True)
    chunks = [next(stream), next(stream)]
    assert len(chunks) == 2
    assert not model_server.requests[0].disconnected
    stream.close()
    assert model_server.requests[0].done.wait(2)
    assert model_server.requests[0].disconnected


def test_hang_lasts_until_the_client_gives_up(client: Any, model_server: ModelServer) -> None:
    with pytest.raises(openai.APITimeoutError):
        chat(client, "m+hang", timeout=0.2)
    assert model_server.requests[0].done.wait(2)
    assert model_server.requests[0].disconnected


async def test_a_cancelled_task_leaves_too(model_server: ModelServer) -> None:
    async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="k") as client:
        stream: Any = await chat(client, "m+hang-after-2", stream=True)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read_async(stream), 0.2)
        await stream.close()
    assert model_server.requests[0].done.wait(2)
    assert model_server.requests[0].disconnected
