"""Whom an OpenAI client talks to."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import openai
import pytest

from genai_otel.clients.openai import SPEC
from genai_otel.testing import ModelServer
from tests.contract.payloads.openai import MESSAGES
from tests.contract.recorded import Recorded, facts, outcome

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.mark.parametrize(
    ("base_url", "provider", "address", "port"),
    [
        ("https://api.openai.com/v1", "openai", "api.openai.com", 443),
        ("https://eu.api.openai.com/v1", "openai", "eu.api.openai.com", 443),
        ("https://my.openai.azure.com/openai/v1/", "azure.ai.openai", "my.openai.azure.com", 443),
        ("https://a.services.ai.azure.com/models", "azure.ai.inference", "a.services.ai.azure.com", 443),
        ("https://api.deepseek.com", "deepseek", "api.deepseek.com", 443),
        ("https://api.x.ai/v1", "x_ai", "api.x.ai", 443),
        ("https://api.groq.com/openai/v1", "groq", "api.groq.com", 443),
        ("https://api.mistral.ai/v1", "mistral_ai", "api.mistral.ai", 443),
        ("https://api.perplexity.ai", "perplexity", "api.perplexity.ai", 443),
        ("https://api.moonshot.cn/v1", "moonshot_ai", "api.moonshot.cn", 443),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "gcp.gemini",
            "generativelanguage.googleapis.com",
            443,
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1/x",
            "gcp.vertex_ai",
            "us-central1-aiplatform.googleapis.com",
            443,
        ),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter.ai", 443),
        ("http://localhost:11434/v1", "openai", "localhost", 11434),
        ("http://[::1]:8000/v1", "openai", "::1", 8000),
        ("http://vllm/v1", "openai", "vllm", 80),
        ("https://notx.ai/v1", "openai", "notx.ai", 443),
        ("https://api.openai.com.evil.example/v1", "openai", "api.openai.com.evil.example", 443),
    ],
)
def test_provider_and_server_are_those_of_the_base_url(
    base_url: str, provider: str, address: str, port: int
) -> None:
    with openai.OpenAI(base_url=base_url, api_key="k") as client:
        assert SPEC.peer(client.chat.completions)[:3] == (provider, address, port)


def test_azure(balanced: Recorded, model_server: ModelServer) -> None:
    with openai.AzureOpenAI(
        azure_endpoint=model_server.url, api_key="k", api_version="2025-01-01", max_retries=0
    ) as client:
        assert client.chat.completions.create(model="my-deployment", messages=MESSAGES).choices
    told = facts(balanced)
    assert told["gen_ai.provider.name"] == "azure.ai.openai"
    assert told["gen_ai.request.model"] == "my-deployment"
    assert (told["server.address"], told["server.port"]) == ("127.0.0.1", model_server.port)


@pytest.mark.parametrize(("name", "provider"), [("bedrock", "aws.bedrock"), ("vertex", "gcp.vertex_ai")])
def test_providers_of_the_client(
    balanced: Recorded, model_server: ModelServer, name: str, provider: str
) -> None:
    if find_spec("openai.providers") is None or find_spec(f"openai.providers.{name}") is None:
        pytest.skip("not in this version of the client")
    providers: Any = importlib.import_module("openai.providers")
    told: Any = (
        {"region": "us-east-1", "api_key": "k"}
        if name == "bedrock"
        else {"project": "p", "location": "global", "token_provider": lambda: "t"}
    )
    runtime = getattr(providers, name)(base_url=model_server.base_url, **told)
    with openai.OpenAI(provider=runtime, max_retries=0) as client:
        assert client.responses.create(model="m", input="hi").output
    assert facts(balanced)["gen_ai.provider.name"] == provider
    assert facts(balanced)["server.port"] == model_server.port


def test_bedrock(balanced: Recorded, model_server: ModelServer) -> None:
    kind: Any = getattr(openai, "BedrockOpenAI", None)
    if kind is None:
        pytest.skip("not in this version of the client")
    with kind(api_key="k", aws_region="us-east-1", base_url=model_server.base_url, max_retries=0) as client:
        assert client.chat.completions.create(model="m", messages=MESSAGES).choices
    assert facts(balanced)["gen_ai.provider.name"] == "aws.bedrock"


def test_azure_with_its_deployment_in_the_address(balanced: Recorded, model_server: ModelServer) -> None:
    with openai.AzureOpenAI(
        azure_endpoint=model_server.url,
        azure_deployment="my-deployment",
        api_key="k",
        api_version="2025-01-01",
        max_retries=0,
    ) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=MESSAGES).choices
    assert "/deployments/my-deployment/" in model_server.requests[-1].route
    assert facts(balanced)["gen_ai.provider.name"] == "azure.ai.openai"
    assert facts(balanced)["gen_ai.request.model"] == "gpt-4o"


def test_two_clients_and_options_are_told_apart(balanced: Recorded, client: Any) -> None:
    with ModelServer() as other:
        client.chat.completions.create(model="m", messages=MESSAGES)
        client.with_options(base_url=other.base_url).chat.completions.create(model="m", messages=MESSAGES)
        client.with_options(timeout=5).chat.completions.create(model="m", messages=MESSAGES)
        moved = client.copy()
        moved.base_url = other.base_url
        moved.chat.completions.create(model="m", messages=MESSAGES)
        ports = [span.attributes["server.port"] for span in balanced.calls()]
        assert ports == [client.base_url.port, other.port, client.base_url.port, other.port]


def test_the_default_client_of_the_module(
    balanced: Recorded, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "api_key", "k")
    monkeypatch.setattr(openai, "base_url", model_server.base_url)
    monkeypatch.setattr(openai, "_client", None)
    assert openai.chat.completions.create(model="m", messages=MESSAGES)
    assert outcome(balanced.span())[0] == "completed"
