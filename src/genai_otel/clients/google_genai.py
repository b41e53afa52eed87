"""Google Gen AI: Gemini and Vertex AI through one client; content, embeddings, images, videos, batches, interactions.

``generate_content`` may make several requests, for functions that it calls itself and for answers that it goes on
with, and returns the usage of the last.  So the method within, one for each request, is what is traced; chats go
through it as well.  Interactions add the usage of their requests up themselves; their raw responses have a span without
facts of the response.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from genai_otel import semconv
from genai_otel.clients import _google_interactions as interactions
from genai_otel.clients import _google_jobs as jobs
from genai_otel.clients import _google_live as live
from genai_otel.clients import _google_messages as messages
from genai_otel.clients import _google_results as results
from genai_otel.spec import ClientSpec, Endpoint, Peer, Streaming


def _connection(resource: Any) -> object:
    try:
        return resource._api_client  # noqa: SLF001 - the only way from a resource to its client
    except AttributeError:
        return resource.sdk_configuration  # interactions have no client


def _peer(resource: Any) -> Peer:
    client = getattr(resource, "_api_client", None)
    if client is None:
        configuration = resource.sdk_configuration
        vertex, base = "projects/" in (configuration.globals.api_version or ""), configuration.server_url
    else:
        vertex, base = client.vertexai, client._http_options.base_url  # noqa: SLF001 - where it keeps its address
    url = urlsplit(base or "")
    return Peer(
        "gcp.vertex_ai" if vertex else "gcp.gemini",
        url.hostname,
        url.port or (80 if url.scheme == "http" else 443),
    )


def _both(name: str, of: str = "Models", **fields: Any) -> tuple[Endpoint, Endpoint]:
    """The method of ``Models`` and its twin of ``AsyncModels``; in place of a private one the public one."""
    module, public = f"google.genai.{of.lower()}:", name.lstrip("_")
    return (
        Endpoint(f"{module}{of}.{name}", otherwise=f"{of}.{public}", **fields),
        Endpoint(f"{module}Async{of}.{name}", otherwise=f"Async{of}.{public}", asynchronous=True, **fields),
    )


_content: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "response": results.response,
    "content": messages.CONTENT,
}
_interaction: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": interactions.request,
    "response": interactions.response,
    "first": interactions.first,
    "chunk": interactions.chunk,
    "content": interactions.CONTENT,
    "streaming": Streaming(iterator="generator", body=lambda stream: stream),
}
_INTERACTIONS: Final = "google.genai._gaos.google_genai:"
_image: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": results.image_request,
    "content": messages.IMAGES,
}

_batch: Final[dict[str, Any]] = {"operation": semconv.CREATE_BATCH, "response": jobs.batch}
_count: Final[dict[str, Any]] = {"operation": semconv.COUNT_TOKENS}

SPEC: Final = ClientSpec(
    name="google_genai",
    requires="google-genai >= 1.32, < 4",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(iterator=None),
    errors=results.errors,
    endpoints=(
        *_both("_generate_content", request=results.request, **_content),
        *_both(
            "_generate_content_stream",
            request=results.streamed_request,
            first=results.first,
            chunk=results.chunk,
            stream_argument=None,
            **_content,
        ),
        *_both(
            "embed_content",
            operation=semconv.EMBEDDINGS,
            request=results.request,
            response=results.embedding_response,
        ),
        *_both("generate_images", **_image),
        *_both("edit_image", **_image),
        *_both("upscale_image", **_image),
        *_both("recontext_image", **_image),
        *_both("segment_image", **_image),
        *_both(
            "generate_videos",
            operation=semconv.GENERATE_CONTENT,
            request=jobs.video_request,
            response=jobs.operation,
            content=messages.IMAGES,
        ),
        *_both(
            "get",
            "Operations",
            operation=semconv.FETCH_RESPONSE,
            request=jobs.named_operation,
            response=jobs.operation,
            positional=("operation",),
            model=None,
        ),
        *_both("count_tokens", **_count),
        *_both("compute_tokens", **_count),
        *_both("create", "Batches", **_batch),
        *_both("create_embeddings", "Batches", **_batch),
        *_both(
            "get",
            "Batches",
            operation=semconv.FETCH_BATCH,
            request=jobs.named_batch,
            response=jobs.fetched_batch,
            model=None,
        ),
        Endpoint(f"{_INTERACTIONS}GeminiNextGenInteractions.create", **_interaction),
        Endpoint(f"{_INTERACTIONS}AsyncGeminiNextGenInteractions.create", asynchronous=True, **_interaction),
        live.CONNECT,
    ),
)
