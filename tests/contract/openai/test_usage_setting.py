"""The setting that asks for the usage of streams."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI
from opentelemetry.context import attach, detach, set_value
from opentelemetry.instrumentation.utils import suppress_instrumentation

from genai_otel.context_keys import DESTINATION_KEY
from genai_otel.engine import record
from genai_otel.testing import ModelServer
from tests.contract.openai.older import needs
from tests.contract.payloads.openai import MESSAGES
from tests.contract.recorded import Recorded

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def asks_for_usage(balanced: Recorded) -> Iterator[None]:
    """As the ``stream_usage`` setting."""
    del balanced  # only to come after it
    assert record.active
    record.active.stream_usage = True
    yield
    record.active.stream_usage = False


@pytest.mark.usefixtures("asks_for_usage")
def test_usage_that_a_setting_asks_for_stays_unseen(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    needs(client, "chat.completions.stream")
    chunks = list(client.chat.completions.create(model="m+chunks-2", messages=MESSAGES, stream=True))
    assert all(chunk.choices for chunk in chunks)
    with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
        assert stream.get_final_completion().usage is None
    for span, request in zip(balanced.calls(), model_server.requests, strict=True):
        sent: Any = request.json
        assert sent["stream_options"] == {"include_usage": True}
        assert span.attributes["gen_ai.usage.input_tokens"] == 12


@pytest.mark.usefixtures("asks_for_usage")
def test_a_program_that_has_decided_about_usage_is_not_overruled(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    options: list[Any] = [{"include_usage": False}, {"include_usage": True}]
    seen = [
        list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True, stream_options=option))
        for option in options
    ]
    assert [bool(chunks[-1].choices) for chunks in seen] == [True, False]
    client.chat.completions.create(model="m", messages=MESSAGES)
    sent: list[Any] = [request.json for request in model_server.requests]
    assert [body.get("stream_options") for body in sent] == [*options, None]
    assert ["gen_ai.usage.input_tokens" in span.attributes for span in balanced.calls()] == [
        False,
        True,
        True,
    ]


@contextlib.contextmanager
def inside_another_call() -> Generator[None]:
    token = attach(set_value(DESTINATION_KEY, "elsewhere"))
    try:
        yield
    finally:
        detach(token)


@pytest.mark.parametrize("untraced", [suppress_instrumentation, inside_another_call])
@pytest.mark.usefixtures("asks_for_usage")
async def test_a_call_that_is_not_traced_is_asked_for_nothing(
    balanced: Recorded, client: Any, model_server: ModelServer, untraced: Any
) -> None:
    with untraced():
        chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    async with AsyncOpenAI(base_url=model_server.base_url, api_key="test") as other:
        with untraced():
            stream = await other.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            chunks += [chunk async for chunk in stream]
    assert all(chunk.choices for chunk in chunks)
    assert not balanced.calls()
    sent: list[Any] = [request.json for request in model_server.requests]
    assert ["stream_options" in body for body in sent] == [False, False]


@pytest.mark.usefixtures("asks_for_usage")
async def test_a_coroutine_that_is_awaited_elsewhere_hides_what_was_added_where_it_was_made(
    balanced: Recorded, model_server: ModelServer
) -> None:
    async with AsyncOpenAI(base_url=model_server.base_url, api_key="test") as client:
        made = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        with suppress_instrumentation():
            chunks = [chunk async for chunk in await made]
    assert all(chunk.choices for chunk in chunks)
    assert len(balanced.calls()) == 1
