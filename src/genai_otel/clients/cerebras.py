"""Cerebras: chat and completions."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, peer
from genai_otel.spec import ClientSpec, Facts, both


def _own(facts: Facts, result: Any) -> None:
    """Tokens of images, which stand beside the details of the input, and how long the model was at it."""
    usage, times = result.usage, result.time_info
    images = getattr(usage, "image_tokens", None)
    if images:
        facts[semconv.USAGE_IMAGE_INPUT_TOKENS] = images
    if times is not None:
        results.compute_time(facts, times.prompt_time, times.completion_time)


def _usage(facts: Facts, chunk: Any) -> None:
    results.counted(facts, chunk)
    _own(facts, chunk)


_RESOURCES: Final = "cerebras.cloud.sdk.resources."
_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(requests.CHAT),
    "response": partial(results.chat_response, own=_own),
    "first": results.identity,
    "chunk": partial(results.chat_chunk, usage=_usage),
    "content": messages.CHAT,
    "with_usage": requests.with_usage,
    "hidden": requests.only_usage,
}
_completions: Final[dict[str, Any]] = {
    **_chat,
    "operation": semconv.TEXT_COMPLETION,
    "content": messages.COMPLETIONS,
}

SPEC: Final = ClientSpec(
    name="cerebras",
    requires="cerebras-cloud-sdk >= 1.0, < 2",
    connection=connection,
    peer=peer("cerebras"),
    streaming=STREAMING,
    raw=RAW,
    errors=errors,
    endpoints=(
        *both(f"{_RESOURCES}chat.completions", "CompletionsResource.create", **_chat),
        *both(f"{_RESOURCES}completions", "CompletionsResource.create", **_completions),
    ),
)
