"""SDKs of observability platforms: Logfire, Langfuse, OpenLIT, MLflow."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import (
    EXECUTE_TOOL,
    INVOKE_AGENT,
    PARAMETERS,
    RETRIEVAL,
    USAGE,
    Dialect,
)

_PARTS: Final = (semconv.USAGE_CACHE_READ_INPUT_TOKENS, semconv.USAGE_CACHE_WRITE_INPUT_TOKENS)

LOGFIRE: Final = Dialect(
    "logfire",
    marks=frozenset({"request_data"}),
    inside={"gen_ai.usage.raw": USAGE},
    # A stream is two spans: the request, and a moment at its end that says how long it took and what it used.
    whole=frozenset({semconv.RESPONSE_ID, semconv.USAGE_INPUT_TOKENS, "gen_ai.usage.raw"}),
    seconds="duration",
)

LANGFUSE: Final = Dialect(
    "langfuse",
    marks=frozenset({"langfuse.observation.type"}),
    operations=(
        (
            "langfuse.observation.type",
            {
                "generation": semconv.CHAT,
                "embedding": semconv.EMBEDDINGS,
                "agent": INVOKE_AGENT,
                "tool": EXECUTE_TOOL,
                "retriever": RETRIEVAL,
            },
        ),
    ),
    renamed={
        "langfuse.observation.model.name": semconv.RESPONSE_MODEL,
        "langfuse.observation.metadata.finish_reason": semconv.RESPONSE_FINISH_REASONS,
        "session.id": semconv.CONVERSATION_ID,
    },
    inside={
        "langfuse.observation.model.parameters": PARAMETERS,
        "langfuse.observation.usage_details": {
            **USAGE,
            "input": semconv.USAGE_INPUT_TOKENS,
            "output": semconv.USAGE_OUTPUT_TOKENS,
        },
    },
    first_chunk="langfuse.observation.completion_start_time",
    nameless=True,
)

OPENLIT: Final = Dialect(
    "openlit",
    marks=frozenset({"gen_ai.sdk.version"}),
    renamed={"gen_ai.server.time_to_first_token": semconv.RESPONSE_TIME_TO_FIRST_CHUNK},
    uncounted={"anthropic": _PARTS},
)
