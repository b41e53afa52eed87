"""Answers for which no vendor was asked: litellm's cache, and what it makes up for tests.  They use no tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.bodies import completion, usage
from tests.contract.litellm.test_nested import counted
from tests.contract.payload import CANARY
from tests.contract.payloads.litellm import PAYLOAD
from tests.contract.recorded import Recorded, outcome

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]

MODEL = "openai/gpt-4o-mini"
MESSAGES: Any = [{"role": "user", "content": CANARY}]
USAGE = {"stream_options": {"include_usage": True}}


def used(span: Any) -> list[str]:
    """What a span says of usage."""
    return [name for name in span.attributes if name.startswith("gen_ai.usage.")]


@pytest.fixture
def cached(here: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments of a call whose answer is kept in memory."""
    if PAYLOAD.over == "" and find_spec("soundfile") is None:
        pytest.skip(
            "this version finds nothing in its cache without soundfile, which it does not bring along"
        )
    before, litellm.cache = litellm.cache, litellm.Cache(type="local")
    yield {**here, "model": MODEL, "caching": True}
    litellm.cache = before


@pytest.mark.parametrize(
    ("name", "asked", "tokens"),
    [
        ("completion", {"messages": MESSAGES}, (12, 7)),
        ("text_completion", {"prompt": CANARY}, (12, 7)),
        ("embedding", {"input": [CANARY]}, (12, 0)),
        ("responses", {"input": CANARY}, (12, 7)),
    ],
)
def test_an_answer_from_the_cache(  # noqa: PLR0917 - parameters and fixtures
    balanced: Recorded,
    cached: dict[str, Any],
    model_server: ModelServer,
    name: str,
    asked: Any,
    tokens: tuple[int, int],
) -> None:
    for _ in range(3):
        assert getattr(litellm, name)(**asked, **cached)
    assert len(model_server.requests) == 1
    assert [bool(used(span)) for span in balanced.calls()] == [True, False, False]
    assert {outcome(span)[0] for span in balanced.calls()} == {"completed"}
    assert counted(balanced) == (3, *tokens)


async def test_an_answer_from_the_cache_asynchronously(
    balanced: Recorded, cached: dict[str, Any], model_server: ModelServer
) -> None:
    await litellm.acompletion(messages=MESSAGES, **cached)
    for _ in range(200):
        if litellm.cache.cache.cache_dict:
            break
        await asyncio.sleep(0.01)  # it is put there by a task
    await litellm.acompletion(messages=MESSAGES, **cached)
    assert len(model_server.requests) == 1
    assert counted(balanced) == (2, 12, 7)


def test_a_stream_from_the_cache(
    balanced: Recorded, cached: dict[str, Any], model_server: ModelServer
) -> None:
    for _ in range(2):
        assert list(litellm.completion(messages=MESSAGES, stream=True, **USAGE, **cached))
    assert len(model_server.requests) == 1
    assert [bool(used(span)) for span in balanced.calls()] == [True, False]
    assert balanced.calls()[1].attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert counted(balanced) == (2, 12, 7)


async def test_an_answer_that_was_made_up(balanced: Recorded) -> None:
    """litellm says ten tokens, and twenty: nobody counted them."""
    made_up: Any = {"model": "gpt-4o-mini", "messages": MESSAGES, "mock_response": "yes"}
    assert litellm.completion(**made_up).usage.prompt_tokens > 0
    await litellm.acompletion(**made_up)
    assert list(litellm.completion(**made_up, stream=True, **USAGE))
    assert [chunk async for chunk in await litellm.acompletion(**made_up, stream=True, **USAGE)]
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed"] * 4
    assert [used(span) for span in balanced.calls()] == [[]] * 4
    assert "gen_ai.client.token.usage" not in balanced.metrics()


def test_an_argument_for_made_up_answers_that_has_none(balanced: Recorded, here: dict[str, Any]) -> None:
    litellm.completion(MODEL, MESSAGES, mock_response=None, **here)
    assert counted(balanced) == (1, 12, 7)


async def test_a_count_that_nobody_made(
    balanced: Recorded, here: dict[str, Any], model_server: ModelServer
) -> None:
    """0 tokens that were read say that litellm, or the vendor, does not know."""
    for _ in range(2):
        model_server.reply(completion(usage={"prompt_tokens": 0, "completion_tokens": 7}))
    asked: Any = {"model": MODEL, "messages": MESSAGES, **here}
    litellm.completion(**asked)
    await litellm.acompletion(**asked)
    for span in balanced.calls():
        assert usage(span) == {"output_tokens": 7}
