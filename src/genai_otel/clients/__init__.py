"""The model clients that we know: one declarative file each.  Importing one imports no client library."""

from __future__ import annotations

from typing import Final

from genai_otel.clients import (
    aiobotocore,
    anthropic,
    azure_ai_inference,
    boto3,
    cerebras,
    cohere,
    fireworks,
    google_genai,
    groq,
    huggingface_hub,
    llama_cpp,
    mistralai,
    ollama,
    openai,
    sentence_transformers,
    together,
    transformers,
    vllm,
    voyageai,
    xai_sdk,
)
from genai_otel.spec import ClientSpec

SPECS: Final[tuple[ClientSpec, ...]] = (
    aiobotocore.SPEC,
    anthropic.SPEC,
    azure_ai_inference.SPEC,
    boto3.SPEC,
    cerebras.SPEC,
    cohere.SPEC,
    fireworks.SPEC,
    google_genai.SPEC,
    groq.SPEC,
    huggingface_hub.SPEC,
    llama_cpp.SPEC,
    mistralai.SPEC,
    ollama.SPEC,
    openai.SPEC,
    sentence_transformers.SPEC,
    together.SPEC,
    transformers.SPEC,
    vllm.SPEC,
    voyageai.SPEC,
    xai_sdk.SPEC,
)
