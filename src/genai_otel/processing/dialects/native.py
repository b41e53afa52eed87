"""Clients and frameworks that trace themselves in the conventions' names and have a few of their own."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import CACHED, Dialect

ANTHROPIC: Final = Dialect(
    "anthropic",
    marks=frozenset({"anthropic.request.id", "anthropic.message.stop_reason"}),
    # Some of its spans name no operation; the address of the request does.
    operations=(
        (
            "http.route",
            {
                "/v1/messages/count_tokens": semconv.COUNT_TOKENS,
                "/v1/messages/batches/{message_batch_id}/results": semconv.FETCH_BATCH,
            },
        ),
    ),
    renamed={
        "anthropic.message.stop_reason": semconv.RESPONSE_FINISH_REASONS,
        "anthropic.request.id": semconv.REQUEST_ID,
        "anthropic.message.batch.id": semconv.RESPONSE_ID,
    },
    # Summaries of the context, which the vendor makes on the way, are billed and stand in no total.
    uncounted={
        "*": {
            semconv.USAGE_INPUT_TOKENS: ("anthropic.usage.compaction.input_tokens",),
            semconv.USAGE_OUTPUT_TOKENS: ("anthropic.usage.compaction.output_tokens",),
        }
    },
    words={
        # Where the vendor's answer names an error, our own spans name the exception that the client makes of it.
        semconv.ERROR_TYPE: {
            "invalid_request_error": "BadRequestError",
            "authentication_error": "AuthenticationError",
            "permission_error": "PermissionDeniedError",
            "not_found_error": "NotFoundError",
            "request_too_large": "RequestTooLargeError",
            "rate_limit_error": "RateLimitError",
            "api_error": "InternalServerError",
            "overloaded_error": "OverloadedError",
        }
    },
)

XAI: Final = Dialect(
    "xai",
    marks=frozenset({"gen_ai.request.use_encrypted_content", "gen_ai.usage.cached_prompt_text_tokens"}),
    renamed={
        "gen_ai.usage.cached_prompt_text_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        "gen_ai.usage.prompt_image_tokens": semconv.USAGE_IMAGE_INPUT_TOKENS,
        "gen_ai.request.reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
        "gen_ai.request.previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    },
    first_chunk="gen_ai.completion.start_time",
    uncounted={"*": {semconv.USAGE_OUTPUT_TOKENS: (semconv.USAGE_REASONING_OUTPUT_TOKENS,)}},
)

PYDANTIC_AI: Final = Dialect(
    "pydantic_ai",
    marks=frozenset({"gen_ai.agent.call.id", "model_request_parameters"}),
    renamed={
        "gen_ai.usage.details.reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
        "gen_ai.usage.details.input_audio_tokens": semconv.USAGE_AUDIO_INPUT_TOKENS,
        "gen_ai.usage.details.output_audio_tokens": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
        "gen_ai.usage.details.cache_read_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        "gen_ai.usage.details.cache_write_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    },
)

LITELLM: Final = Dialect(
    "litellm",
    marks=frozenset({"litellm.call_id"}),
    names=frozenset({"litellm_request"}),
    inside={"hidden_params": {"api_base": semconv.SERVER_ADDRESS}},
)

STRANDS: Final = Dialect(
    "strands",
    marks=frozenset({"gen_ai.event.start_time"}),
    # Older versions never made the model's span the current one.
    nameless=True,
)

BOTOCORE: Final = Dialect(
    "botocore",
    # The OpenTelemetry project's instrumentation of Bedrock.
    marks=frozenset({semconv.OPERATION_NAME}),
    within=frozenset({"aws.request_id", "rpc.service"}),
    renamed={"aws.request_id": semconv.REQUEST_ID},
    uncounted={"aws.bedrock": CACHED},
)
