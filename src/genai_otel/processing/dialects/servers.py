"""Model servers that trace the requests they answer."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import Dialect

VLLM: Final = Dialect(
    "vllm",
    marks=frozenset({"gen_ai.latency.e2e", "gen_ai.latency.time_in_queue"}),
    names=frozenset({"llm_request"}),
    # A request to its engine is named after the answer; where the program itself calls the engine, by a number.
    prefixes=(
        (
            "gen_ai.request.id",
            {
                "chatcmpl-": semconv.CHAT,
                "resp_": semconv.CHAT,
                "embd-": semconv.EMBEDDINGS,
                "score-": semconv.RERANK,
            },
        ),
    ),
    implied={semconv.OPERATION_NAME: semconv.TEXT_COMPLETION, semconv.PROVIDER_NAME: "vllm"},
    renamed={
        "gen_ai.request.n": semconv.REQUEST_CHOICE_COUNT,
        "gen_ai.latency.time_to_first_token": semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
    },
)
