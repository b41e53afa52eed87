"""The harness finds what it is there to find."""

import contextlib
import time
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.harness.differential import compare
from tests.harness.evil import EVIL, Once, Sleeps, Touched

ROWS = """
import openai

MESSAGES = [{"role": "user", "content": "hi"}]


def make_client(url):
    return openai.OpenAI(base_url=url, api_key="k", max_retries=1)


def make_async_client(url):
    return openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=1)


def plain(client):
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)


def error(client):
    return client.chat.completions.create(model="m+error-429", messages=MESSAGES)


def upload(client):
    return client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"))


def stream(client):
    return list(client.responses.create(model="m", input="hi", stream=True))


async def from_async(client):
    async with client:
        stream = await client.chat.completions.create(model="m+cut-after-2", messages=MESSAGES, stream=True)
        return [chunk async for chunk in stream]
"""

# What an instrumentation might do to a program, and must not.
MEDDLING = """
import httpx2
from openai.resources.chat import Completions

send, create = httpx2.Client.send, Completions.create

def meddling_send(self, request, **extra):
    request.headers["traceparent"] = "00-1-1-01"
    return send(self, request, **extra)

def meddling_create(self, **extra):
    try:
        return create(self, **extra)
    except Exception as error:
        raise RuntimeError("telemetry failed") from error

httpx2.Client.send, Completions.create = meddling_send, meddling_create
"""


@pytest.mark.process
def test_equal_runs_are_equal(model_server: ModelServer) -> None:
    rows = compare(model_server, ROWS, setup="import json")
    assert list(rows) == ["plain", "error", "upload", "stream", "from_async"]
    for bare, traced in rows.values():
        assert traced == bare
    plain, error, upload = rows["plain"][0], rows["error"][0], rows["upload"][0]
    assert "Hello from the local model server" in str(plain.result)
    assert plain.sent[0].path == "http://api.openai.com/plain/v1/chat/completions"
    assert [len(row.sent) for row in (plain, error, upload)] == [1, 2, 1]
    assert "RateLimitError" in str(error.error)
    assert "create(model=" in str(error.error)
    assert b"RIFF" in upload.sent[0].body
    assert "APIConnectionError" in str(rows["from_async"][0].error)


@pytest.mark.process
def test_meddling_is_found(model_server: ModelServer) -> None:
    rows = compare(model_server, ROWS, setup=MEDDLING)
    assert rows["plain"][0].result == rows["plain"][1].result
    assert rows["plain"][0].sent != rows["plain"][1].sent
    assert rows["error"][0].error != rows["error"][1].error
    assert rows["from_async"][0] == rows["from_async"][1]


@pytest.mark.parametrize("name", ["raises", "lying int", "lying str", "lying dict", "huger int"])
def test_what_should_not_be_looked_at_raises(name: str) -> None:
    with pytest.raises((Touched, ValueError)):
        repr(EVIL[name]())


def test_every_evil_object_is_made_anew() -> None:
    made: list[Any] = []
    for make in EVIL.values():
        with contextlib.suppress(Touched):
            made.append(make())
    assert len(made) == len(EVIL)
    assert EVIL["once"]() is not EVIL["once"]()


def test_sleeping_and_consumed_objects_tell() -> None:
    started = time.monotonic()
    repr(Sleeps())
    assert time.monotonic() - started >= 1
    once = Once("a")
    assert (next(once), once.read(2), once.consumed) == ("a", b"xx", 2)
