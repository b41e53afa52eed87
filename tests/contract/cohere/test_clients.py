"""The same API behind other classes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from genai_otel.clients import SPECS
from genai_otel.testing import ModelServer
from tests.contract.payloads.cohere import MESSAGES, cohere
from tests.contract.recorded import Recorded

pytestmark = pytest.mark.usefixtures("balanced")


def test_client_of_the_second_version(balanced: Recorded, model_server: ModelServer) -> None:
    with httpx.Client(verify=False) as transport:
        client: Any = cohere.ClientV2(api_key="sk-test", base_url=model_server.url, httpx_client=transport)
        client.chat(model="command-a", messages=MESSAGES)
        list(client.chat_stream(model="command-a+chunks-2", messages=MESSAGES))
        client.embed(model="embed", texts=["hi"], input_type="search_query")
    assert [span.name for span in balanced.calls()] == [
        "chat command-a",
        "chat command-a+chunks-2",
        "embeddings embed",
    ]
    assert {span.attributes["server.port"] for span in balanced.calls()} == {model_server.port}


@pytest.mark.parametrize(
    ("kind", "provider"),
    [("BedrockClientV2", "aws.bedrock"), ("SagemakerClient", "aws.sagemaker"), ("Other", "cohere")],
)
def test_provider_of_a_cloud(kind: str, provider: str) -> None:
    spec = next(spec for spec in SPECS if spec.name == "cohere")
    client: Any = cohere.Client(api_key="sk-test")
    made: Any = type(kind, (), {})()
    made._client_wrapper = client._client_wrapper
    peer = spec.peer(made)
    assert peer.provider == provider
    assert peer.address == ("api.cohere.com" if provider == "cohere" else None)


def test_embeddings_in_a_stream_are_one_call(balanced: Recorded, model_server: ModelServer) -> None:
    with httpx.Client(verify=False) as transport:
        client: Any = cohere.Client(api_key="sk-test", base_url=model_server.url, httpx_client=transport)
        if not hasattr(client, "embed_stream"):
            pytest.skip("not in this version of the client")
        asked: Any = {"texts": ["a", "b", "c"], "model": "embed", "input_type": "search_document"}
        found = list(client.embed_stream(**asked, batch_size=2, embedding_types=["float"]))
    assert len(found) == 3
    told = balanced.span().attributes
    assert (balanced.span().name, told["genai_otel.stream.chunks"]) == ("embeddings embed", 3)
    assert "gen_ai.usage.input_tokens" not in told
    assert len(model_server.requests) >= 2
