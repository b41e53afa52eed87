"""The three generations of the GenAI conventions, and what many libraries add in their namespace."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import Dialect

_OPERATIONS: Final = {
    "completion": semconv.CHAT,  # litellm names its functions
    "acompletion": semconv.CHAT,
    "responses": semconv.CHAT,
    "aresponses": semconv.CHAT,
    "embedding": semconv.EMBEDDINGS,
    "aembedding": semconv.EMBEDDINGS,
    "atext_completion": semconv.TEXT_COMPLETION,
    "amoderation": semconv.MODERATION,
    "generate_image": semconv.GENERATE_CONTENT,  # xAI
    "generate_video": semconv.GENERATE_CONTENT,
    "extend_video": semconv.GENERATE_CONTENT,
}

CONVENTIONS: Final = Dialect(
    "conventions",
    # A model server knows what was used and says nothing else by these names.
    marks=frozenset(
        {
            semconv.OPERATION_NAME,
            semconv.PROVIDER_NAME,
            "gen_ai.system",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.completion_tokens",
        }
    ),
    operations=((semconv.OPERATION_NAME, _OPERATIONS),),
    total="gen_ai.usage.total_tokens",
    renamed={
        "gen_ai.system": semconv.PROVIDER_NAME,
        "gen_ai.usage.prompt_tokens": semconv.USAGE_INPUT_TOKENS,
        "gen_ai.usage.completion_tokens": semconv.USAGE_OUTPUT_TOKENS,
        "gen_ai.usage.cache_creation.input_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_creation_input_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_write_input_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_read_input_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        "gen_ai.usage.reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
        "gen_ai.response.finish_reason": semconv.RESPONSE_FINISH_REASONS,
        "gen_ai.openai.request.seed": semconv.REQUEST_SEED,
        "gen_ai.openai.request.response_format": semconv.OUTPUT_TYPE,
        "gen_ai.openai.request.service_tier": semconv.OPENAI_REQUEST_SERVICE_TIER,
        "gen_ai.openai.response.service_tier": semconv.OPENAI_RESPONSE_SERVICE_TIER,
        "gen_ai.openai.response.system_fingerprint": semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
    },
)
