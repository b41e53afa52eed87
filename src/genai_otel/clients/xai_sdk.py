"""xAI: chat, its streams, deferred and compacted chats, images, videos; over gRPC.

A request stands in the chat that it is made from, as a protocol buffer.  Counting tokens is no operation of the
conventions and costs none; the status of a call takes the place of an HTTP status.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _xai_messages as messages
from genai_otel.clients import _xai_results as results
from genai_otel.spec import ClientSpec, Endpoint, Facts, Native, Peer, Streaming

# --- whom a client talks to -----------------------------------------------------------------------


def _connection(resource: Any) -> object:
    return resource._stub  # noqa: SLF001 - the only way to its channel


def _peer(resource: Any) -> Peer:
    """The target of the channel behind the stub's methods, below the interceptors that the client puts around it."""
    method: Any = next(iter(vars(_connection(resource)).values()))
    while hasattr(method, "_thunk"):
        method = method._thunk(method._method)  # noqa: SLF001 - see above
    target: Any = method._channel.target  # noqa: SLF001 - see above
    name: str = (target if isinstance(target, bytes) else target()).decode()
    if name.startswith("unix"):
        return Peer("x_ai", name.partition(":")[2])
    host = urlsplit("//" + name.rpartition("/")[2].removeprefix("ipv4:").removeprefix("ipv6:"))
    return Peer("x_ai", host.hostname, host.port or 443)


def _traces_itself(resource: Any) -> bool:
    """Whether its module was imported before it was told not to."""
    modules = (sys.modules.get(kind.__module__) for kind in type(resource).__mro__)
    tracers = [tracer for module in modules if (tracer := getattr(module, "tracer", None)) is not None]
    return any(not type(tracer).__name__.startswith("NoOp") for tracer in tracers)


_NATIVE: Final = Native(requires="xai-sdk >= 1.4", off={"XAI_SDK_DISABLE_TRACING": "1"}, on=_traces_itself)

# --- requests ------------------------------------------------------------------------------------

_EFFORTS: Final = {1: "low", 2: "medium", 3: "high", 4: "none", 5: "xhigh"}
_FORMATS: Final = {1: "text", 2: "json", 3: "json"}


def _single(name: str) -> Callable[[Facts, Any], None]:
    """A number that has single precision on the wire: 0.7 is to be 0.7."""

    def put(facts: Facts, value: Any) -> None:
        facts[name] = round(value, 6)

    return put


def _stop(facts: Facts, value: Any) -> None:
    facts[semconv.REQUEST_STOP_SEQUENCES] = tuple(value)


def _effort(facts: Facts, value: Any) -> None:
    if value in _EFFORTS:
        facts[semconv.REQUEST_REASONING_LEVEL] = _EFFORTS[value]


def _format(facts: Facts, value: Any) -> None:
    if value.format_type in _FORMATS:
        facts[semconv.OUTPUT_TYPE] = _FORMATS[value.format_type]


def _shape(facts: Facts, _: Any) -> None:
    facts[semconv.OUTPUT_TYPE] = "json"


_PLAIN: Final[Mapping[str, Any]] = {
    "temperature": _single(semconv.REQUEST_TEMPERATURE),
    "top_p": _single(semconv.REQUEST_TOP_P),
    "frequency_penalty": _single(semconv.REQUEST_FREQUENCY_PENALTY),
    "presence_penalty": _single(semconv.REQUEST_PRESENCE_PENALTY),
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "seed": semconv.REQUEST_SEED,
    "stop": _stop,
    "n": requests.CHAT["n"],
    "reasoning_effort": _effort,
    "previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    "conversation": semconv.CONVERSATION_ID,
}
_CHAT: Final = {**_PLAIN, "response_format": _format}
_SHAPE: Final = {**_PLAIN, "shape": _shape}
_COMPACT: Final = {"conversation": semconv.CONVERSATION_ID}


def _routed(endpoint: Endpoint) -> Endpoint:
    def route(chat: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]]:
        held: dict[str, Any] = chat.__dict__
        fields = {field.name: value for field, value in held["_proto"].ListFields()}
        conversation = held.get("_conversation_id")
        if conversation is not None:
            fields["conversation"] = conversation
        return routed, {**fields, **arguments} if arguments else fields

    routed = replace(endpoint, route=route)
    return routed


# --- the endpoints -------------------------------------------------------------------------------

_ASYNC: Final = ((False, "xai_sdk.sync"), (True, "xai_sdk.aio"))


def _both(path: str, **fields: Any) -> list[Endpoint]:
    """The method of a resource, and that of its async twin."""
    return [Endpoint(f"{package}.{path}", asynchronous=waits, **fields) for waits, package in _ASYNC]


def _chat(name: str, table: Mapping[str, Any] = _CHAT, *, streams: bool = False) -> list[Endpoint]:
    """A method of a chat: for one answer, or for as many as its argument says."""
    fixed: dict[str, bool] = {semconv.REQUEST_STREAM: True} if streams else {}
    fields: dict[str, Any] = {
        "operation": semconv.CHAT,
        "request": requests.request(table, **fixed),
        "response": results.response,
        "content": messages.CHAT,
        "positional": ("shape",) if name == "parse" else ("n",),
    }
    if not streams:
        return [_routed(endpoint) for endpoint in _both(f"chat:Chat.{name}", **fields)]
    # A generator is there at once, an asynchronous one as well.
    fields |= {
        "first": results.first,
        "chunk": results.batch_chunk if name.endswith("_batch") else results.chunk,
        "stream_argument": None,
    }
    return [_routed(Endpoint(f"{package}.chat:Chat.{name}", **fields)) for _, package in _ASYNC]


_media: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "response": results.plain,
    "positional": ("prompt", "model"),
}
_image: Final[dict[str, Any]] = {
    **_media,
    "request": requests.request({"n": requests.CHAT["n"]}, **requests.output("image")),
    "content": messages.IMAGES,
}
_video: Final[dict[str, Any]] = {
    **_media,
    "request": requests.request({}, **requests.output("video")),
    "content": messages.VIDEOS,
}

SPEC: Final = ClientSpec(
    name="xai_sdk",
    requires="xai-sdk >= 1.4, < 2",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(iterator=None),
    errors=results.errors,
    broken=results.broken,
    native=_NATIVE,
    endpoints=(
        *_chat("sample"),
        *_chat("sample_batch"),
        *_chat("parse", _SHAPE),
        *_chat("defer"),
        *_chat("defer_batch"),
        *_chat("stream", streams=True),
        *_chat("stream_batch", streams=True),
        *_chat("compact", _COMPACT),
        *_both(
            "chat:Client.compact_context",
            operation=semconv.CHAT,
            response=results.plain,
            content=messages.COMPACT,
            positional=("model", "messages"),
        ),
        *_both("image:Client.sample", **_image),
        *_both("image:Client.sample_batch", **{**_image, "positional": ("prompt", "model", "n")}),
        *_both("video:Client.generate", **_video),
        *_both("video:Client.extend", **_video),
    ),
)
