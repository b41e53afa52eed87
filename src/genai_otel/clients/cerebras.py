"""Cerebras: chat and completions."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, nothing, peer
from genai_otel.spec import ClientSpec, both

_RESOURCES: Final = "cerebras.cloud.sdk.resources."
_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(requests.CHAT),
    "response": partial(results.chat_response, own=nothing),
    "first": results.identity,
    "chunk": results.chat_chunk,
    "content": messages.CHAT,
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
