"""OpenInference (Arize): a kind per span, flattened messages, whole requests and responses as JSON."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import KINDS, PARAMETERS, Dialect

OPENINFERENCE: Final = Dialect(
    "openinference",
    marks=frozenset({"openinference.span.kind"}),
    operations=(("openinference.span.kind", KINDS),),
    renamed={
        "llm.provider": semconv.PROVIDER_NAME,
        "llm.system": semconv.PROVIDER_NAME,
        "llm.request.model_name": semconv.REQUEST_MODEL,
        "llm.response.model_name": semconv.RESPONSE_MODEL,
        "llm.model_name": semconv.RESPONSE_MODEL,
        "embedding.model_name": semconv.RESPONSE_MODEL,
        "llm.finish_reason": semconv.RESPONSE_FINISH_REASONS,
        "llm.token_count.prompt": semconv.USAGE_INPUT_TOKENS,
        "llm.token_count.completion": semconv.USAGE_OUTPUT_TOKENS,
        "llm.token_count.prompt_details.cache_read": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        "llm.token_count.prompt_details.cache_write": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
        "llm.token_count.prompt_details.audio": semconv.USAGE_AUDIO_INPUT_TOKENS,
        "llm.token_count.completion_details.reasoning": semconv.USAGE_REASONING_OUTPUT_TOKENS,
        "llm.token_count.completion_details.audio": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
        "tool.name": semconv.TOOL_NAME,
        "agent.name": semconv.AGENT_NAME,
        "session.id": semconv.CONVERSATION_ID,
    },
    inside={
        "llm.invocation_parameters": PARAMETERS,
        "embedding.invocation_parameters": PARAMETERS,
        "output.value": {"id": semconv.RESPONSE_ID},
    },
    first_chunk="First Token Stream Event",
    total="llm.token_count.total",
)
