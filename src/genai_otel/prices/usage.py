"""What a span says that its price depends on: who answered, how the call was made, and what it used."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.prices.table import Context

_USAGE: Final = (
    (semconv.USAGE_INPUT_TOKENS, "input_tokens"),
    (semconv.USAGE_OUTPUT_TOKENS, "output_tokens"),
    (semconv.USAGE_CACHE_READ_INPUT_TOKENS, "cache_read_tokens"),
    (semconv.USAGE_CACHE_WRITE_INPUT_TOKENS, "cache_write_tokens"),
    (semconv.USAGE_CACHE_WRITE_5M_INPUT_TOKENS, "cache_write_5m_tokens"),
    (semconv.USAGE_CACHE_WRITE_1H_INPUT_TOKENS, "cache_write_1h_tokens"),
    (semconv.USAGE_REASONING_OUTPUT_TOKENS, "output_reasoning_tokens"),
    (semconv.USAGE_TEXT_INPUT_TOKENS, "input_text_tokens"),
    (semconv.USAGE_IMAGE_INPUT_TOKENS, "input_image_tokens"),
    (semconv.USAGE_AUDIO_INPUT_TOKENS, "input_audio_tokens"),
    (semconv.USAGE_TEXT_OUTPUT_TOKENS, "output_text_tokens"),
    (semconv.USAGE_IMAGE_OUTPUT_TOKENS, "output_image_tokens"),
    (semconv.USAGE_AUDIO_OUTPUT_TOKENS, "output_audio_tokens"),
    (semconv.USAGE_TEXT_CACHE_READ_INPUT_TOKENS, "cache_text_read_tokens"),
    (semconv.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS, "cache_image_read_tokens"),
    (semconv.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS, "cache_audio_read_tokens"),
    (semconv.USAGE_AUDIO_SECONDS, "audio_seconds"),
    (semconv.USAGE_AUDIO_SECONDS, "input_audio_seconds"),  # all audio that is billed by time is input
    (semconv.USAGE_WEB_SEARCHES, "web_searches"),
    (semconv.USAGE_FILE_SEARCHES, "storage_searches"),
)
"""Attribute → unit of the table; totals include their parts in both."""

UNITS: Final = tuple(unit for _, unit in _USAGE)
_WHICH: Final = (
    semconv.PROVIDER_NAME,
    semconv.RESPONSE_MODEL,
    semconv.REQUEST_MODEL,
    semconv.OPERATION_NAME,
    semconv.OPENAI_RESPONSE_SERVICE_TIER,
    semconv.RESPONSE_SPEED,
)
_FIRST: Final = (semconv.ERROR_TYPE, semconv.COST_REPORTED, *_WHICH)
NAMES: Final = (*_FIRST, *(name for name, _ in _USAGE))
"""What a price depends on: whether the call failed, what the vendor says, who answered, what was used."""

COUNTED: Final = len(_FIRST)
"""Where the usage begins."""
OPERATION: Final = _WHICH.index(semconv.OPERATION_NAME)
"""Where the operation stands among what tells who answered."""

PAID: Final = semconv.INFERENCE | {semconv.EMBEDDINGS, semconv.RERANK}
"""Operations that cost something; of others only what they use, where they tell of it."""


def context(operation: object, tier: object, speed: object) -> Context:
    """How a call was made, as far as prices depend on it."""
    found: list[tuple[str, str]] = []
    if operation == semconv.FETCH_BATCH or tier == "batch":
        found.append(("processing", "batch"))
    elif isinstance(tier, str):
        found.append(("service_tier", tier))
    if isinstance(speed, str):
        found.append(("speed", speed))
    return tuple(found)
