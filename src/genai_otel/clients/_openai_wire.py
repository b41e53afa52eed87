"""What the messages of OpenAI's APIs over a WebSocket have in common: their responses and their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_results as results
from genai_otel.clients._parts import items
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Facts

Wire = Mapping[str, Any]
"""A message as it is on the wire."""


def within(value: Any, *names: str) -> Mapping[str, Any]:
    """The object at a path in a message; empty where there is none."""
    for name in names:
        value = value.get(name) if is_mapping(value) else None
    return value if is_mapping(value) else {}


_CACHED: Final = {
    "text_tokens": semconv.USAGE_TEXT_CACHE_READ_INPUT_TOKENS,
    "image_tokens": semconv.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
    "audio_tokens": semconv.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
}

# --- what a response tells --------------------------------------------------------------------------


def response_facts(facts: Facts, event: Wire) -> None:
    """Facts of a whole response, which stands in its first and its last events."""
    response = event.get("response")
    if not is_mapping(response):
        return
    get = response.get
    for name, field in (
        (semconv.RESPONSE_ID, "id"),
        (semconv.RESPONSE_MODEL, "model"),
        (semconv.OPENAI_RESPONSE_SERVICE_TIER, "service_tier"),
        (semconv.RESPONSE_STATUS, "status"),
    ):
        if get(field):
            facts[name] = get(field)
    status = get("status")
    details = within(response, "status_details") or within(response, "incomplete_details")
    if status == "failed":
        error = within(response, "error") or within(details, "error")
        facts[semconv.ERROR_TYPE] = error.get("code") or error.get("type") or "failed"
    called = any(is_mapping(item) and item.get("type") == "function_call" for item in items(get("output")))
    reason = results.finish(status, details.get("reason"), called=called)
    if reason is not None:
        facts[semconv.RESPONSE_FINISH_REASONS] = (reason,)
    counted = get("usage")
    if is_mapping(counted):
        spoken = counted.get("output_token_details")  # Realtime, which has no plural
        results.usage_facts(facts, {**counted, "output_tokens_details": spoken} if spoken else counted)
        cached = within(counted, "input_token_details", "cached_tokens_details")
        facts.update({_CACHED[name]: count for name, count in cached.items() if name in _CACHED and count})


def failure(event: Wire) -> Facts:
    """Facts of an error event."""
    error = within(event, "error") or event
    facts: Facts = {semconv.ERROR_TYPE: error.get("code") or error.get("type") or "error"}
    if isinstance(event.get("status"), int):
        facts[semconv.HTTP_STATUS] = event["status"]
    return facts
