"""OpenLLMetry (traceloop): names of its own beside those of the conventions, messages by index in older versions."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import Dialect

OPENLLMETRY: Final = Dialect(
    "openllmetry",
    marks=frozenset({"llm.request.type", "traceloop.span.kind", "gen_ai.is_streaming", "llm.is_streaming"}),
    names=frozenset({"openai.response"}),
    operations=(
        (
            "llm.request.type",
            {
                "chat": semconv.CHAT,
                "completion": semconv.TEXT_COMPLETION,
                "embedding": semconv.EMBEDDINGS,
            },
        ),
        (
            "traceloop.span.kind",
            {
                "agent": semconv.INVOKE_AGENT,
                "tool": semconv.EXECUTE_TOOL,
                "workflow": semconv.INVOKE_WORKFLOW,
            },
        ),
    ),
    renamed={
        "gen_ai.is_streaming": semconv.REQUEST_STREAM,
        "llm.is_streaming": semconv.REQUEST_STREAM,
        "gen_ai.openai.api_base": semconv.SERVER_ADDRESS,
        "gen_ai.openai.system_fingerprint": semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
        "gen_ai.request.n": semconv.REQUEST_CHOICE_COUNT,
        "gen_ai.request.max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
        "gen_ai.request.reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
        "llm.request.reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
        "llm.response.finish_reason": semconv.RESPONSE_FINISH_REASONS,
        "gen_ai.response.stop_reason": semconv.RESPONSE_FINISH_REASONS,
        "llm.response.stop_reason": semconv.RESPONSE_FINISH_REASONS,
        "llm.usage.reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
        "llm.frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
        "llm.presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
        "llm.top_k": semconv.REQUEST_TOP_K,
        "llm.chat.stop_sequences": semconv.REQUEST_STOP_SEQUENCES,
    },
    indexed={("gen_ai.completion.", ".finish_reason"): semconv.RESPONSE_FINISH_REASONS},
    first_chunk="gen_ai.content.completion.chunk",
    entity="traceloop.entity.name",
    total="llm.usage.total_tokens",
)
