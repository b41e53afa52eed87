"""SDKs of observability platforms (Logfire, Langfuse, OpenLIT, MLflow) and Vercel's AI SDK."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import CACHED, KINDS, PARAMETERS, USAGE, Dialect

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
    # Those that it gives itself; what the program calls an observation cannot be known.
    names=frozenset({"OpenAI-generation", "OpenAI-embedding"}),
    operations=(("langfuse.observation.type", KINDS),),
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
    uncounted={"anthropic": CACHED},
)

_ITSELF: Final = ""
_TOTALS: Final = ("input_tokens", "output_tokens")  # which mean another thing with each vendor

MLFLOW: Final = Dialect(
    "mlflow",
    marks=frozenset({"mlflow.spanType"}),
    # Every value is JSON, a word has its quotes.
    operations=(("mlflow.spanType", {f'"{kind}"': meant for kind, meant in KINDS.items()}),),
    inside={
        "mlflow.llm.provider": {_ITSELF: semconv.PROVIDER_NAME},
        "mlflow.chat.tokenUsage": USAGE,
        # The parameters stand in both; the inputs may be too long to be read.
        **{name: {_ITSELF: meant} for name, meant in PARAMETERS.items()},
        "mlflow.spanInputs": PARAMETERS,
        "mlflow.spanOutputs": {
            "id": semconv.RESPONSE_ID,
            "model": semconv.RESPONSE_MODEL,
            "choices.finish_reason": semconv.RESPONSE_FINISH_REASONS,
            "stop_reason": semconv.RESPONSE_FINISH_REASONS,
            # What the sum above leaves out; what it says counts.
            **{f"usage.{name}": meant for name, meant in USAGE.items() if name not in _TOTALS},
        },
        "mlflow.llm.model": {_ITSELF: semconv.RESPONSE_MODEL},  # or the one that was asked
    },
    first_chunk="mlflow.chunk.item.0",
)

VERCEL_AI: Final = Dialect(
    "vercel_ai",
    marks=frozenset({"ai.operationId"}),
    # The spans around these have the sums of all steps, and are no calls of a model.
    operations=(
        (
            "ai.operationId",
            {
                "ai.generatetext.dogenerate": semconv.CHAT,
                "ai.streamtext.dostream": semconv.CHAT,
                "ai.generateobject.dogenerate": semconv.CHAT,
                "ai.streamobject.dostream": semconv.CHAT,
                "ai.embed.doembed": semconv.EMBEDDINGS,
                "ai.embedmany.doembed": semconv.EMBEDDINGS,
                "ai.toolcall": semconv.EXECUTE_TOOL,
            },
        ),
    ),
    renamed={
        "ai.model.provider": semconv.PROVIDER_NAME,
        "ai.model.id": semconv.REQUEST_MODEL,
        "ai.response.model": semconv.RESPONSE_MODEL,
        "ai.response.id": semconv.RESPONSE_ID,
        "ai.response.finishReason": semconv.RESPONSE_FINISH_REASONS,
        "ai.usage.inputTokens": semconv.USAGE_INPUT_TOKENS,
        "ai.usage.promptTokens": semconv.USAGE_INPUT_TOKENS,
        "ai.usage.tokens": semconv.USAGE_INPUT_TOKENS,
        "ai.usage.outputTokens": semconv.USAGE_OUTPUT_TOKENS,
        "ai.usage.completionTokens": semconv.USAGE_OUTPUT_TOKENS,
        "ai.usage.cachedInputTokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        "ai.usage.inputTokenDetails.cacheWriteTokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
        "ai.usage.reasoningTokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
        "ai.toolCall.name": semconv.TOOL_NAME,
    },
    first_chunk="ai.stream.firstChunk",
)
