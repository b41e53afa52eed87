"""Anthropic's models on other vendors' platforms: who is asked, and one span for each call of copied methods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import anthropic
import pytest

from genai_otel.testing import ModelServer
from tests.contract.payloads.anthropic import MESSAGES
from tests.contract.recorded import Recorded
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: dict[str, Any] = {"model": "claude-test", "max_tokens": 99, "messages": MESSAGES}


def bedrock(prefix: str, url: str) -> Any:
    if find_spec("botocore") is None:
        pytest.skip("Bedrock needs botocore")
    kind = getattr(anthropic, f"{prefix}AnthropicBedrock")
    return kind(aws_region="us-east-1", aws_access_key="a", aws_secret_key="b", base_url=url, max_retries=0)


def vertex(prefix: str, url: str) -> Any:
    if find_spec("google") is None or find_spec("google.auth") is None:
        pytest.skip("Vertex needs google-auth")
    kind = getattr(anthropic, f"{prefix}AnthropicVertex")
    return kind(region="us-east5", project_id="p", access_token="t", base_url=url, max_retries=0)


def foundry(prefix: str, url: str) -> Any:
    kind = getattr(anthropic, f"{prefix}AnthropicFoundry", None)
    return kind(api_key="k", base_url=url, max_retries=0) if kind else pytest.skip("not in this version")


def mantle(prefix: str, url: str) -> Any:
    kind = getattr(anthropic, f"{prefix}AnthropicBedrockMantle", None)
    told: Any = {"aws_region": "us-east-1", "api_key": "k", "base_url": url, "max_retries": 0}
    return kind(**told) if kind else pytest.skip("not in this version")


def aws(prefix: str, url: str) -> Any:
    kind = getattr(anthropic, f"{prefix}AnthropicAWS", None)
    told: Any = {"aws_region": "us-east-1", "api_key": "k", "workspace_id": "w"}
    return kind(**told, base_url=url, max_retries=0) if kind else pytest.skip("not in this version")


PLATFORMS = pytest.mark.parametrize(
    ("make", "provider"),
    [
        (bedrock, "aws.bedrock"),
        (vertex, "gcp.vertex_ai"),
        (foundry, "anthropic"),
        (mantle, "aws.bedrock"),
        (aws, "anthropic"),
    ],
    ids=["bedrock", "vertex", "foundry", "mantle", "aws"],
)
Make = Callable[[str, str], Any]


def check(spans: list[Any], provider: str, server: ModelServer) -> None:
    for span in spans:
        told = span.attributes
        assert (told["gen_ai.provider.name"], told["gen_ai.request.model"]) == (provider, "claude-test")
        assert (told["server.address"], told["server.port"]) == ("127.0.0.1", server.port)
        assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (12, 7)
        assert told["genai_otel.outcome"] == "completed"


@PLATFORMS
def test_sync(balanced: Recorded, model_server: ModelServer, make: Make, provider: str) -> None:
    with make("", model_server.url) as client:
        for number, messages in enumerate((client.messages, client.beta.messages), 1):
            assert messages.create(**ASKED).content
            assert list(messages.create(**ASKED, stream=True))
            if hasattr(messages, "stream"):  # on Bedrock the beta of old clients has none
                with messages.stream(**ASKED) as stream:
                    assert stream.get_final_message().content
            assert messages.with_raw_response.create(**ASKED).parse().content
            assert len(balanced.calls()) == number * 4 - (not hasattr(messages, "stream"))
    check(balanced.calls(), provider, model_server)


@PLATFORMS
async def test_async(balanced: Recorded, model_server: ModelServer, make: Make, provider: str) -> None:
    async with make("Async", model_server.url) as client:
        for messages in (client.messages, client.beta.messages):
            assert (await messages.create(**ASKED)).content
            assert [event async for event in await messages.create(**ASKED, stream=True)]
            if hasattr(messages, "stream"):
                async with messages.stream(**ASKED) as stream:
                    assert (await stream.get_final_message()).content
    await asyncio.sleep(0)
    assert len(balanced.calls()) in (5, 6)
    check(balanced.calls(), provider, model_server)


LATE = """
import os
{first}
import genai_otel
genai_otel.setup()
import anthropic
client = anthropic.AnthropicVertex(
    region="us-east5", project_id="p", access_token="t", base_url=os.environ["MODELS"], max_retries=0
)
client.beta.messages.create(model="m", max_tokens=9, messages=[])
genai_otel.engine.patch.uninstall()
client.beta.messages.create(model="m", max_tokens=9, messages=[])
"""


@pytest.mark.process
@pytest.mark.parametrize("first", ["", "import anthropic"], ids=["hooked", "late"])
def test_copies_are_wrapped_whenever_they_were_made(
    warm: Warm, model_server: ModelServer, first: str
) -> None:
    vertex("", model_server.url).close()
    with HttpSink() as sink:
        warm.run(LATE.format(first=first), {"MODELS": model_server.url, **sink.environment()})
        assert [span.name for span in sink.spans() if span.scope == "genai_otel"] == ["chat m"]
