"""Mistral: chat, agents, conversations, responses, embeddings, documents, audio; also on Azure and Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from genai_otel import semconv
from genai_otel.clients import _mistral_messages as messages
from genai_otel.clients import _mistral_results as own
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.spec import ClientSpec, Endpoint, Facts, Native, Peer, Streaming

# --- whom a client talks to -----------------------------------------------------------------------


def _connection(resource: Any) -> object:
    return resource.sdk_configuration


def _peer(resource: Any) -> Peer:
    address: str = resource.sdk_configuration.get_server_details()[0]
    url = urlsplit(address)
    host = url.hostname or ""
    provider = "mistral_ai"
    if host.endswith(".googleapis.com"):
        provider = "gcp.vertex_ai"
    elif host.endswith(".azure.com"):
        provider = "azure.ai.inference"
    return Peer(provider, host or None, url.port or (80 if url.scheme == "http" else 443))


def _traces_itself(resource: Any) -> bool:
    for hook in resource.sdk_configuration._hooks.before_request_hooks:  # noqa: SLF001 - nothing public says it
        if type(hook).__name__ == "TracingHook":
            return getattr(hook, "_telemetry_use_global_provider", False)
    return False


# The first major adds a span wherever there is a tracer provider; it names no operation, so nobody counts it.
_NATIVE: Final = Native(
    requires="mistralai >= 2.10", off={}, on=_traces_itself, wanted={"MISTRAL_SDK_TELEMETRY": "global"}
)

# --- requests: absent arguments are marked by a sentinel, which is no text and no number -----------

_SHARED: Final = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty", "stop")
_CHAT: Final = {
    **{name: requests.CHAT[name] for name in _SHARED},
    "n": requests.CHAT["n"],
    "random_seed": semconv.REQUEST_SEED,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "response_format": requests.output_type,
    "top_k": semconv.REQUEST_TOP_K,
}
_AGENT: Final = {**_CHAT, "agent_id": semconv.AGENT_ID}
_EMBEDDINGS: Final = {
    "output_dimension": semconv.EMBEDDINGS_DIMENSION_COUNT,
    "encoding_format": requests.EMBEDDINGS["encoding_format"],
}

# --- results --------------------------------------------------------------------------------------


def _response(result: Any) -> Facts:
    facts: Facts = {}
    results.identity(facts, result)
    choices = result.__dict__.get("choices")
    if choices:
        reasons = tuple([choice.finish_reason or "error" for choice in choices])
        facts[semconv.RESPONSE_FINISH_REASONS] = reasons
    if result.usage is not None:
        own.usage(facts, result.usage)
    return facts


def _embedded(result: Any) -> Facts:
    facts = _response(result)
    facts.pop(semconv.USAGE_OUTPUT_TOKENS, None)  # always 0: nothing is generated
    return facts


def _first(facts: Facts, event: Any) -> None:
    results.identity(facts, event.data)


def _chunk(facts: Facts, event: Any) -> None:
    chunk = event.data
    for choice in chunk.choices:
        if choice.finish_reason is not None:
            results.finished(facts, choice)
            results.identity(facts, chunk)
    if chunk.usage is not None:
        own.usage(facts, chunk.usage)


_responses_chunk: Final = results.responses_chunk(own.responded)


def _first_frame(facts: Facts, frame: Any) -> None:
    response = frame.data.response
    if hasattr(response, "id"):
        results.identity(facts, response)
        facts.pop(semconv.OPENAI_RESPONSE_SERVICE_TIER, None)


def _frame(facts: Facts, frame: Any) -> None:
    if frame.data.type in results.EVENTFUL:
        _responses_chunk(facts, frame.data)


def _errors(error: BaseException) -> Facts:
    facts: Facts = {}
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        facts[semconv.HTTP_STATUS] = status
    headers = getattr(error, "headers", None)
    request_id = None if headers is None else headers.get("mistral-correlation-id")
    if isinstance(request_id, str):
        facts[semconv.REQUEST_ID] = request_id
    return facts


# --- the endpoints --------------------------------------------------------------------------------

_VENDOR: Final = ("mistralai.client.", "mistralai.")  # the second one until 2.0
_CLOUDS: Final = ("mistralai.azure.client.", "mistralai.gcp.client.", "mistralai_azure.", "mistralai_gcp.")


def _both(method: str, packages: tuple[str, ...], **fields: Any) -> list[Endpoint]:
    """A method of a class, and its async twin beside it, in every package that has the class."""
    return [
        Endpoint(f"{package}{method}{suffix}", asynchronous=bool(suffix), **fields)
        for package in packages
        for suffix in ("", "_async")
    ]


def _completing(
    name: str, packages: tuple[str, ...], table: Mapping[str, Any], **fields: Any
) -> list[Endpoint]:
    """``complete`` and ``stream`` of a class."""
    return [
        *_both(f"{name}.complete", packages, request=requests.request(table), response=_response, **fields),
        *_both(
            f"{name}.stream",
            packages,
            request=requests.request(table, **{semconv.REQUEST_STREAM: True}),
            first=_first,
            chunk=_chunk,
            stream_argument=None,
            **fields,
        ),
    ]


def _conversing(name: str) -> list[Endpoint]:
    """A way to go on with a conversation, and the same in events."""
    fields: dict[str, Any] = {"operation": semconv.CHAT, "content": own.CONVERSATION}
    return [
        *_both(
            f"conversations:Conversations.{name}",
            _VENDOR,
            request=own.conversing,
            response=own.conversation,
            **fields,
        ),
        *_both(
            f"conversations:Conversations.{name}_stream",
            _VENDOR,
            request=own.conversing_stream,
            first=own.conversation_event,
            chunk=own.conversation_event,
            stream_argument=None,
            **fields,
        ),
    ]


def _generating(method: str, kind: str, *, streams: bool = False, **fields: Any) -> list[Endpoint]:
    """A method that gives one kind of output."""
    fixed: dict[str, Any] = {semconv.REQUEST_STREAM: True} if streams else {}
    return _both(
        method,
        _VENDOR,
        operation=semconv.GENERATE_CONTENT,
        request=requests.request({"stream": requests.CHAT["stream"]}, **requests.output(kind), **fixed),
        response=own.plain,
        **fields,
    )


SPEC: Final = ClientSpec(
    name="mistralai",
    requires="mistralai >= 1.12.2, < 4",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(iterator="generator", body=lambda stream: stream.response),
    errors=_errors,
    native=_NATIVE,
    endpoints=(
        *_completing("chat:Chat", _VENDOR + _CLOUDS, _CHAT, operation=semconv.CHAT, content=messages.CHAT),
        *_completing(
            "agents:Agents", _VENDOR, _AGENT, operation=semconv.CHAT, content=messages.CHAT, model=None
        ),
        *_completing(
            "fim:Fim",
            _VENDOR + _CLOUDS[1::2],
            _CHAT,
            operation=semconv.TEXT_COMPLETION,
            content=messages.FIM,
        ),
        *_both(
            "embeddings:Embeddings.create",
            _VENDOR,
            operation=semconv.EMBEDDINGS,
            request=requests.request(_EMBEDDINGS),
            response=_embedded,
        ),
        *_conversing("start"),
        *_conversing("append"),
        *_conversing("restart"),
        *_both(
            "responses:Responses.create",
            _VENDOR[:1],
            operation=semconv.CHAT,
            request=requests.request(requests.RESPONSES),
            response=own.responded,
            first=_first_frame,
            chunk=_frame,
            content=own.FRAMED_RESPONSES,
        ),
        *_both("responses:Responses.count_input_tokens", _VENDOR[:1], operation=semconv.COUNT_TOKENS),
        *_generating("ocr:Ocr.process", "text"),
        *_generating("transcriptions:Transcriptions.complete", "text"),
        *_generating(
            "transcriptions:Transcriptions.stream",
            "text",
            streams=True,
            chunk=own.plain_chunk,
            stream_argument=None,
        ),
        *_generating("speech:Speech.complete", "speech", chunk=own.plain_chunk),
        *(
            endpoint
            for name in ("moderate", "moderate_chat", "classify", "classify_chat")
            for endpoint in _both(
                f"classifiers:Classifiers.{name}", _VENDOR, operation=semconv.MODERATION, response=own.plain
            )
        ),
    ),
)
