"""Which vendor stands behind a host: clients of one vendor's API speak to many."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from genai_otel.spec import Peer

_PROVIDERS: Final = {
    "openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "inference.ai.azure.com": "azure.ai.inference",
    "models.ai.azure.com": "azure.ai.inference",
    "deepseek.com": "deepseek",
    "x.ai": "x_ai",
    "groq.com": "groq",
    "mistral.ai": "mistral_ai",
    "perplexity.ai": "perplexity",
    "moonshot.ai": "moonshot_ai",
    "moonshot.cn": "moonshot_ai",
    "anthropic.com": "anthropic",
    "cohere.ai": "cohere",
    "cohere.com": "cohere",
    "amazonaws.com": "aws.bedrock",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "openrouter.ai": "openrouter",
    "together.xyz": "together_ai",
    "together.ai": "together_ai",
    "fireworks.ai": "fireworks_ai",
    "cerebras.ai": "cerebras",
    "huggingface.co": "hugging_face",
}


def provider_of(host: str, otherwise: str) -> str:
    """The convention's name of the vendor at ``host``; ``otherwise`` where it is nobody's that is known."""
    labels = host.split(".")
    for start in range(len(labels) - 1):
        found = _PROVIDERS.get(".".join(labels[start:]))
        if found is not None:
            return found
    return "gcp.vertex_ai" if host.endswith("-aiplatform.googleapis.com") else otherwise


def peer_at(url: str, otherwise: str) -> Peer:
    """The vendor behind an address, ``otherwise`` where it is nobody's that is known."""
    parts = urlsplit(url)
    host = parts.hostname
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return Peer(provider_of(host or "", otherwise), host, port)
