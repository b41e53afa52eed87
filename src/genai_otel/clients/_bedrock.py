"""Bedrock's operations, as the one method of every AWS client makes them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import methodcaller
from typing import Any, Final
from urllib.parse import urlsplit

from genai_otel import semconv
from genai_otel.clients import _bedrock_agents as agents
from genai_otel.clients import _bedrock_converse as converse
from genai_otel.clients import _bedrock_invoke as invoke
from genai_otel.clients import _bedrock_messages as messages
from genai_otel.spec import Content, Endpoint, Peer, Streaming

_SERVICES: Final = frozenset({"bedrock-runtime", "bedrock-agent-runtime"})
_MODEL: Final = "modelId"


# --- whom a client talks to ------------------------------------------------------------------------------------------


def connection(client: Any) -> object:
    """What the client knows of its service: one object per client."""
    return client.meta


def peer(client: Any) -> Peer:
    """The service's endpoint, or the one that the program gave."""
    url = urlsplit(str(client.meta.endpoint_url))
    return Peer("aws.bedrock", url.hostname, url.port or (80 if url.scheme == "http" else 443))


# --- the operations --------------------------------------------------------------------------------------------------


def _stream(within: str) -> Streaming:
    return Streaming(
        iterator="_event_generator",
        body=lambda stream: stream._raw_stream,  # noqa: SLF001 - what its close() closes
        within=lambda result: result.get(within),
    )


_BODY: Final = Streaming(reader="read", within=methodcaller("get", "body"))
_CONVERSE: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "model": _MODEL,
    "content": messages.CONVERSE,
}
_AGENT: Final[dict[str, Any]] = {
    "operation": semconv.INVOKE_AGENT,
    "model": None,
    "response": agents.response,
    "content": messages.AGENTS,
}
_STREAMED_AGENT: Final[dict[str, Any]] = {**_AGENT, "stream_argument": None, "chunk": agents.chunk}
_OPERATIONS: Final[dict[str, dict[str, Any]]] = {
    "Converse": {**_CONVERSE, "request": converse.request, "response": converse.response},
    "ConverseStream": {
        **_CONVERSE,
        "request": converse.stream_request,
        "response": converse.opened,
        "chunk": converse.chunk,
        "stream_argument": None,
        "streaming": _stream("stream"),
    },
    "InvokeAgent": {**_STREAMED_AGENT, "request": agents.agent, "streaming": _stream("completion")},
    "InvokeInlineAgent": {**_STREAMED_AGENT, "request": agents.agent, "streaming": _stream("completion")},
    "RetrieveAndGenerate": {**_AGENT, "request": agents.generate},
    "RetrieveAndGenerateStream": {
        **_STREAMED_AGENT,
        "request": agents.generate_stream,
        "streaming": _stream("stream"),
    },
}
_TEXTS: Final = (semconv.CHAT, semconv.TEXT_COMPLETION)
_INVOKED: Final = (*_TEXTS, semconv.EMBEDDINGS, semconv.GENERATE_CONTENT, semconv.RERANK)


def _invoked(operation: str) -> dict[str, Any]:
    """InvokeModel.  Of vectors and images the headers tell all: the body, a long one, is not looked at."""
    whole: dict[str, Any] = {
        "operation": operation,
        "model": _MODEL,
        "request": invoke.request,
        "response": invoke.response,
        "content": messages.INVOKE,
    }
    if operation not in _TEXTS:
        return {**whole, "content": Content(request=messages.INVOKE.request)}
    return {**whole, "chunk": invoke.body, "stream_argument": None, "streaming": _BODY}


def _invoked_stream(operation: str) -> dict[str, Any]:
    return {
        **_invoked(operation),
        "request": invoke.stream_request,
        "first": invoke.first,
        "chunk": invoke.chunk,
        "content": messages.INVOKE_STREAM,
        "stream_argument": None,
        "streaming": _stream("body"),
    }


def endpoint(target: str, *, asynchronous: bool) -> Endpoint:
    """The method through which every call of every AWS service goes; those of other services pass at once."""

    def made(fields: Mapping[str, Any]) -> Endpoint:
        return Endpoint(target, asynchronous=asynchronous, **fields)

    fixed = {name: made(fields) for name, fields in _OPERATIONS.items()}
    invoked = {
        "InvokeModel": {operation: made(_invoked(operation)) for operation in _INVOKED},
        "InvokeModelWithResponseStream": {
            operation: made(_invoked_stream(operation)) for operation in _INVOKED
        },
    }

    def route(client: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]] | None:
        if client.meta.service_model.service_name not in _SERVICES:
            return None
        name, given = arguments["operation_name"], arguments["api_params"]
        if name in fixed:
            return fixed[name], given
        return invoke.told(invoked[name], given)

    return Endpoint(
        target,
        semconv.CHAT,
        asynchronous=asynchronous,
        positional=("operation_name", "api_params"),
        route=route,
        routes=(*fixed.values(), *(each for chosen in invoked.values() for each in chosen.values())),
        only=frozenset({*fixed, *invoked}),
    )
