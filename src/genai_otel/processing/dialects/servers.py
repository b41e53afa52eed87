"""Model servers that trace the requests they answer."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.dialect import Dialect

_MARKS: Final = frozenset({"gen_ai.latency.e2e", "gen_ai.latency.time_in_queue"})
_NAMES: Final = {
    "gen_ai.request.n": semconv.REQUEST_CHOICE_COUNT,
    "gen_ai.latency.time_to_first_token": semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
}

SGLANG: Final = Dialect(
    "sglang",
    marks=_MARKS,
    within=frozenset({"rid", "module"}),
    implied={semconv.OPERATION_NAME: semconv.TEXT_COMPLETION, semconv.PROVIDER_NAME: "sglang"},
    renamed={**_NAMES, "gen_ai.usage.cached_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS},
    serves=True,
)

VLLM: Final = Dialect(
    "vllm",
    marks=_MARKS,
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
    renamed=_NAMES,
    serves=True,
)
