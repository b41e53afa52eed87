"""Other people's vocabularies: any GenAI span → the names of the conventions.

A dialect is data: old name → new name, and old value → new value.  This table knows the earlier generations of the
GenAI conventions; further dialects are further tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv

_RENAMED: Final = {
    "gen_ai.system": semconv.PROVIDER_NAME,
    "gen_ai.usage.prompt_tokens": semconv.USAGE_INPUT_TOKENS,
    "gen_ai.usage.completion_tokens": semconv.USAGE_OUTPUT_TOKENS,
    "gen_ai.usage.cache_creation.input_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    "gen_ai.openai.request.seed": semconv.REQUEST_SEED,
    "gen_ai.openai.request.response_format": semconv.OUTPUT_TYPE,
    "gen_ai.openai.request.service_tier": semconv.OPENAI_REQUEST_SERVICE_TIER,
    "gen_ai.openai.response.service_tier": semconv.OPENAI_RESPONSE_SERVICE_TIER,
    "gen_ai.openai.response.system_fingerprint": semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
}
_PROVIDERS: Final = {
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "xai": "x_ai",
}
_MARKS: Final = (semconv.OPERATION_NAME, "gen_ai.system", semconv.PROVIDER_NAME)


def recognised(attributes: Mapping[str, Any] | None) -> bool:
    """Whether attributes, possibly only those given at a span's start, are those of a GenAI span."""
    return bool(attributes) and any(mark in attributes for mark in _MARKS)  # type: ignore[operator]


def operation(attributes: Mapping[str, Any] | None) -> str | None:
    """The operation that a span says it is, or None; some frameworks give a member of an ``Enum``."""
    value = attributes.get(semconv.OPERATION_NAME) if attributes else None
    value = getattr(value, "value", value)
    return value if isinstance(value, str) else None


def translated(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Changed and added attributes in the conventions' names; None when there is nothing to change."""
    found: dict[str, Any] = {}
    for old, new in _RENAMED.items():
        if old in attributes and new not in attributes:
            value = attributes[old]
            found[new] = _PROVIDERS.get(value, value) if new == semconv.PROVIDER_NAME else value
    return found or None
