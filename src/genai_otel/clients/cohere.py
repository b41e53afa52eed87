"""Cohere: chat, embeddings and reranking of both versions of its API, text generation and summaries of the first.

Documents that are parsed, transcriptions and batches, too, where the client has them.

The public methods are traced, and the raw clients that stand behind them: a call is one span, whichever way it is made.
``embed_stream`` makes a request for each batch and hands on the embeddings alone, so its call has no usage.  A raw
client's stream is a context manager around a response that holds it.  Before 5.16 a stream that is left early raises,
with and without us.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from genai_otel import semconv
from genai_otel.clients import _cohere_messages as messages
from genai_otel.clients import _cohere_more as more
from genai_otel.clients import _cohere_results as results
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._openai_messages import TRANSCRIPTIONS
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer, Streaming, both

# --- whom a client talks to -----------------------------------------------------------------------

_CLOUDS: Final = {
    "BedrockClient": "aws.bedrock",
    "SagemakerClient": "aws.sagemaker",
    "OciClient": "oci",
}


def _connection(client: Any) -> Any:
    found = client.__dict__.get("_client_wrapper")
    return client._raw_client._client_wrapper if found is None else found  # noqa: SLF001 - where the client keeps it


def _peer(client: Any) -> Peer:
    cloud = _CLOUDS.get(type(client).__name__.removesuffix("V2"))
    if cloud is not None:
        return Peer(cloud)  # these sign and send elsewhere than their base URL says
    address: str = _connection(client).get_base_url()
    url = urlsplit(address)
    return Peer("cohere", url.hostname, url.port or (80 if url.scheme == "http" else 443))


# --- the endpoints --------------------------------------------------------------------------------


def _streaming(module: str, name: str, **fields: Any) -> list[Endpoint]:
    """Streams, which are generators: calling the async method gives one, there is nothing to await."""
    return [Endpoint(f"{module}:{kind}{name}", stream_argument=None, **fields) for kind in ("", "Async")]


def _raw(module: str, name: str, **fields: Any) -> tuple[Endpoint, ...]:
    """The method of a raw client, whose result stands in a response."""
    response, content = fields.get("response"), fields.get("content")

    def of_data(raw: Any) -> Facts:
        return {} if response is None else response(raw.data)

    return both(
        module,
        name,
        **{
            **fields,
            "response": of_data,
            "content": None if content is None else messages.within(content),
        },
    )


def _raw_streams(module: str, name: str, **fields: Any) -> tuple[Endpoint, ...]:
    """The method of a raw client that makes a manager of a response, in which the stream stands."""
    return both(module, name, deferred="gen", streaming=_WITHIN, stream_argument=None, **fields)


_WITHIN: Final = Streaming("_data", body=lambda raw: raw._response)  # noqa: SLF001 - older ones have no other name
_V2: Final = "cohere.v2.client"
_V1: Final = "cohere.base_client"
_RAW_V2: Final = "cohere.v2.raw_client"
_RAW_V1: Final = "cohere.raw_base_client"
_AUDIO: Final = "cohere.audio.transcriptions."
_BATCHES: Final = "cohere.batches."

_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": results.request(),
    "response": results.chat_response,
    "content": messages.CHAT,
}
_old_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": results.request(),
    "response": results.old_chat_response,
    "content": messages.OLD_CHAT,
}
_generate: Final[dict[str, Any]] = {
    "operation": semconv.TEXT_COMPLETION,
    "request": results.request(),
    "response": results.generation,
    "content": messages.GENERATE,
}
_embed: Final[dict[str, Any]] = {
    "operation": semconv.EMBEDDINGS,
    "request": results.embed_request,
    "response": results.plain_response,
}
_rerank: Final[dict[str, Any]] = {"operation": semconv.RERANK, "response": results.plain_response}
_summarize: Final[dict[str, Any]] = {
    **_generate,
    "response": results.plain_response,
    "content": more.SUMMARIES,
}
_parse: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({}, **requests.output("text")),
    "response": more.parsed,
    "content": more.DOCUMENTS,
}
_transcribe: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({"temperature": requests.CHAT["temperature"]}, **requests.output("text")),
    "content": TRANSCRIPTIONS,
}
_batch: Final[dict[str, Any]] = {
    "operation": semconv.CREATE_BATCH,
    "response": more.batch,
    "model": None,
}
_fetched_batch: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_BATCH,
    "request": requests.request({"id": semconv.RESPONSE_ID}),
    "response": more.fetched_batch,
    "positional": ("id",),
    "model": None,
}
_streamed: Final[dict[str, Any]] = {"request": results.request(stream=True), "first": results.first}

_chat_stream: Final = {**_chat, **_streamed, "chunk": results.chunk}
_old_chat_stream: Final = {**_old_chat, **_streamed, "chunk": results.old_chunk}
_generate_stream: Final = {**_generate, **_streamed, "chunk": results.generation_chunk}

SPEC: Final = ClientSpec(
    name="cohere",
    requires="cohere >= 5.16, < 8",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(),
    errors=results.errors,
    endpoints=(
        *both(_V2, "V2Client.chat", **_chat),
        *_streaming(_V2, "V2Client.chat_stream", **_chat_stream),
        *both(_V2, "V2Client.embed", **_embed),
        *both(_V2, "V2Client.rerank", **_rerank),
        *both(_V2, "V2Client.parse", **_parse),
        *both(_V1, "BaseCohere.chat", **_old_chat),
        *_streaming(_V1, "BaseCohere.chat_stream", **_old_chat_stream),
        *both(_V1, "BaseCohere.generate", **_generate),
        *_streaming(_V1, "BaseCohere.generate_stream", **_generate_stream),
        # The client's own method, which sends texts in batches, each in a thread of its own.
        *both("cohere.client", "Client.embed", **_embed),
        Endpoint(
            "cohere.client:Client.embed_stream", stream_argument=None, chunk=results.nothing_to_read, **_embed
        ),
        *both(_V1, "BaseCohere.rerank", **_rerank),
        *both(_V1, "BaseCohere.summarize", **_summarize),
        *both(f"{_AUDIO}client", "TranscriptionsClient.create", **_transcribe),
        *both(f"{_BATCHES}client", "BatchesClient.create", **_batch),
        *both(f"{_BATCHES}client", "BatchesClient.retrieve", **_fetched_batch),
        *_raw(_RAW_V2, "RawV2Client.chat", **_chat),
        *_raw_streams(_RAW_V2, "RawV2Client.chat_stream", **_chat_stream),
        *_raw(_RAW_V2, "RawV2Client.embed", **_embed),
        *_raw(_RAW_V2, "RawV2Client.rerank", **_rerank),
        *_raw(_RAW_V2, "RawV2Client.parse", **_parse),
        *_raw(_RAW_V1, "RawBaseCohere.chat", **_old_chat),
        *_raw_streams(_RAW_V1, "RawBaseCohere.chat_stream", **_old_chat_stream),
        *_raw(_RAW_V1, "RawBaseCohere.generate", **_generate),
        *_raw_streams(_RAW_V1, "RawBaseCohere.generate_stream", **_generate_stream),
        *_raw(_RAW_V1, "RawBaseCohere.rerank", **_rerank),
        *_raw(_RAW_V1, "RawBaseCohere.summarize", **_summarize),
        *_raw(f"{_AUDIO}raw_client", "RawTranscriptionsClient.create", **_transcribe),
        *_raw(f"{_BATCHES}raw_client", "RawBatchesClient.create", **_batch),
        *_raw(f"{_BATCHES}raw_client", "RawBatchesClient.retrieve", **_fetched_batch),
    ),
)
