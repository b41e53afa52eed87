"""The setting that asks for the usage of streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from genai_otel.engine import record
from genai_otel.testing import ModelServer
from tests.contract.openai.older import needs
from tests.contract.payloads.openai import MESSAGES
from tests.contract.recorded import Recorded

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def asks_for_usage() -> Iterator[None]:
    """As the ``stream_usage`` setting."""
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
