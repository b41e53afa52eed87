"""The model clients that we know: one declarative file each.  Importing one imports no client library."""

from __future__ import annotations

from typing import Final

from genai_otel.clients import (
    ai21,
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
    ibm_watsonx_ai,
    litellm,
    llama_cpp,
    mistralai,
    ollama,
    openai,
    replicate,
    sentence_transformers,
    together,
    transformers,
    vllm,
    voyageai,
    writerai,
    xai_sdk,
)
from genai_otel.spec import ClientSpec

SPECS: Final[tuple[ClientSpec, ...]] = (
    ai21.SPEC,
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
    ibm_watsonx_ai.SPEC,
    litellm.SPEC,
    llama_cpp.SPEC,
    mistralai.SPEC,
    ollama.SPEC,
    openai.SPEC,
    replicate.SPEC,
    sentence_transformers.SPEC,
    together.SPEC,
    transformers.SPEC,
    vllm.SPEC,
    voyageai.SPEC,
    writerai.SPEC,
    xai_sdk.SPEC,
)
