"""Anthropic: messages, their beta form, token counts and batches; Bedrock, Vertex and the other platforms."""

from __future__ import annotations

from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _anthropic_messages as messages
from genai_otel.clients import _anthropic_results as results
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._anthropic_requests import TABLE
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, server
from genai_otel.spec import ClientSpec, Endpoint, Native, Peer, Streaming, both

# --- whom a client talks to -----------------------------------------------------------------------

_PLATFORMS: Final = {"Bedrock": "aws.bedrock", "Vertex": "gcp.vertex_ai"}


def _peer(resource: Any) -> Peer:
    client = resource._client  # noqa: SLF001 - the only way from a resource to its client
    kind = type(client).__name__
    named = next((provider for part, provider in _PLATFORMS.items() if part in kind), "anthropic")
    return Peer(getattr(client, "_gen_ai_provider_name", named), *server(resource))


def _traces_itself(resource: Any) -> bool:
    options = getattr(resource._client, "open_telemetry", None)  # noqa: SLF001 - see above
    return options is not None and bool(options["traces"]["enabled"])


# --- the endpoints -------------------------------------------------------------------------------

_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(TABLE),
    "response": results.message,
    "first": results.first,
    "chunk": results.chunk,
    "content": messages.MESSAGES,
}
_helper: Final[dict[str, Any]] = {
    **_chat,
    "request": requests.request(TABLE, **{semconv.REQUEST_STREAM: True}),
    "stream_argument": None,
}
_count: Final[dict[str, Any]] = {"operation": semconv.COUNT_TOKENS, "response": results.count}
_batch: Final[dict[str, Any]] = {"operation": semconv.CREATE_BATCH, "response": results.batch, "model": None}
_results: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_BATCH,
    "request": requests.request({"message_batch_id": semconv.RESPONSE_ID}),
    "first": results.first_line,
    "chunk": results.line,
    "streaming": Streaming("_iterator", body=lambda lines: lines.http_response),
    "stream_argument": None,
    "positional": ("message_batch_id",),
    "model": None,
}


def _messages(module: str, *, beta: bool) -> tuple[Endpoint, ...]:
    """The methods of the class ``Messages`` in ``module``; the request of a stream helper waits in its manager."""
    sync, asynchronous = ("BetaMessage", "BetaAsyncMessage") if beta else ("Message", "AsyncMessage")
    return (
        *both(module, "Messages.create", **_chat),
        *both(module, "Messages.parse", **_chat),
        Endpoint(f"{module}:Messages.stream", deferred=f"_{sync}StreamManager__api_request", **_helper),
        Endpoint(
            f"{module}:AsyncMessages.stream",
            asynchronous=True,
            deferred=f"_{asynchronous}StreamManager__api_request",
            **_helper,
        ),
        *both(module, "Messages.count_tokens", **_count),
    )


SPEC: Final = ClientSpec(
    name="anthropic",
    requires="anthropic >= 0.60, < 3",
    connection=connection,
    peer=_peer,
    streaming=STREAMING,
    raw=RAW,
    errors=errors,
    native=Native("anthropic >= 1.14", {"ANTHROPIC_OPEN_TELEMETRY": "false"}, _traces_itself),
    endpoints=(
        *_messages("anthropic.resources.messages.messages", beta=False),
        *_messages("anthropic.resources.beta.messages.messages", beta=True),
        # Classes of their own that copy the methods; the other platforms inherit them.
        *_messages("anthropic.lib.bedrock._beta_messages", beta=True),
        *_messages("anthropic.lib.vertex._beta_messages", beta=True),
        *both("anthropic.resources.messages.batches", "Batches.create", **_batch),
        *both("anthropic.resources.messages.batches", "Batches.results", **_results),
        *both("anthropic.resources.beta.messages.batches", "Batches.create", **_batch),
        *both("anthropic.resources.beta.messages.batches", "Batches.results", **_results),
    ),
)
