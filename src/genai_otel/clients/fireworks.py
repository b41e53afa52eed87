"""Fireworks: chat and completions, and messages in Anthropic's words.

The client hands an error in the middle of a stream on as a chunk without choices.  What the vendor measured is read
where the program asks for it in the answer: else it stands in headers, which the client does not give with a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import isfinite
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _anthropic_messages as anthropic_messages
from genai_otel.clients import _anthropic_results as anthropic_results
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._anthropic_requests import TABLE
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, nothing, peer
from genai_otel.spec import ClientSpec, Facts, both


def _own(facts: Facts, result: Any) -> None:
    """Measurements: cached tokens, which the usage may tell as well, and the time; some of them are texts."""
    measured = result.perf_metrics
    if measured:
        cached, seconds = (
            _number(measured, name) for name in ("cached-prompt-tokens", "server-processing-time")
        )
        if cached:
            facts.setdefault(semconv.USAGE_CACHE_READ_INPUT_TOKENS, int(cached))
        results.compute_time(facts, seconds)


def _number(measured: Mapping[str, Any], name: str) -> float | None:
    value: Any = measured.get(name, measured.get(f"fireworks-{name}"))
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # None, where it was not measured
        return None
    return number if isfinite(number) else None


def _ended(facts: Facts, chunk: Any) -> None:
    results.identity(facts, chunk)
    _own(facts, chunk)


_RESOURCES: Final = "fireworks.resources."
_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request({**requests.CHAT, "top_k": semconv.REQUEST_TOP_K}),
    "response": partial(results.chat_response, own=_own),
    "first": results.identity,
    "chunk": partial(results.chat_chunk, ended=_ended),
    "content": messages.CHAT,
}
_completions: Final[dict[str, Any]] = {
    **_chat,
    "operation": semconv.TEXT_COMPLETION,
    "content": messages.COMPLETIONS,
}

_messages: Final[dict[str, Any]] = {  # the client reads no stream of them
    "operation": semconv.CHAT,
    "request": requests.request(TABLE),
    "response": partial(anthropic_results.message, own=nothing),
    "content": anthropic_messages.MESSAGES,
}

SPEC: Final = ClientSpec(
    name="fireworks",
    requires="fireworks-ai >= 1.2, < 2",
    connection=connection,
    peer=peer("fireworks_ai"),
    streaming=STREAMING,
    raw=RAW,
    errors=errors,
    endpoints=(
        *both(f"{_RESOURCES}chat.completions", "CompletionsResource.create", **_chat),
        *both(f"{_RESOURCES}completions", "CompletionsResource.create", **_completions),
        *both(f"{_RESOURCES}messages", "MessagesResource.create", **_messages),
    ),
)
