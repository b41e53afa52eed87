"""The model clients that we know: one declarative file each.  Importing one imports no client library."""

from __future__ import annotations

from typing import Final

from genai_otel.clients import (
    anthropic,
    azure_ai_inference,
    cohere,
    google_genai,
    groq,
    huggingface_hub,
    mistralai,
    ollama,
    openai,
)
from genai_otel.spec import ClientSpec

SPECS: Final[tuple[ClientSpec, ...]] = (
    anthropic.SPEC,
    azure_ai_inference.SPEC,
    cohere.SPEC,
    google_genai.SPEC,
    groq.SPEC,
    huggingface_hub.SPEC,
    mistralai.SPEC,
    ollama.SPEC,
    openai.SPEC,
)
