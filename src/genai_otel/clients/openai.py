"""OpenAI: chat, responses, completions, embeddings, images, audio, moderations, batches and videos.

Azure, Bedrock, Vertex AI and servers that speak the same language are reached through the same classes.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_agents as agents
from genai_otel.clients import _openai_jobs as jobs
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_refusals as refusals
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients import _openai_runs as runs
from genai_otel.clients._hosts import provider_of
from genai_otel.clients._openai_sessions import connections
from genai_otel.clients._stainless import RAW, STREAMING, connection, server
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer, both

# --- whom a client talks to -----------------------------------------------------------------------


_PLATFORMS: Final = {"azure": "azure.ai.openai", "bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai"}


def _peer(resource: Any) -> Peer:
    host, port = server(resource)
    client = resource._client  # noqa: SLF001 - the only way from a resource to its client
    runtime = getattr(client, "_provider_runtime", None)  # of the clients that are given a provider
    kind = f"{type(client).__name__} {getattr(runtime, 'name', '')}".lower()
    named = next((provider for word, provider in _PLATFORMS.items() if word in kind), None)
    return Peer(named or provider_of(host or "", "openai"), host, port)


# --- the endpoints -------------------------------------------------------------------------------

_RESOURCES: Final = "openai.resources."
_THREADS: Final = f"{_RESOURCES}beta.threads.threads"
_SESSIONS: Final = f"{_RESOURCES}beta.agents.sessions."
_RUNS: Final = f"{_RESOURCES}beta.threads.runs.runs"


def _begun(facts: Facts, chunk: Any) -> bool:
    """What a stream's first chunks tell: who answers, and whether the model refuses."""
    if semconv.RESPONSE_ID not in facts:
        results.identity(facts, chunk)
    return refusals.in_first_chunks(facts, chunk)


_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(requests.CHAT, **{semconv.OPENAI_API_TYPE: "chat_completions"}),
    "response": partial(results.chat_response, own=refusals.in_completion),
    "first": _begun,
    "chunk": results.chat_chunk,
    "content": messages.CHAT,
    "with_usage": requests.with_usage,
    "hidden": requests.only_usage,
}
_responses: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(requests.RESPONSES, **{semconv.OPENAI_API_TYPE: "responses"}),
    "response": results.responses_response,
    "first": results.responses_first,
    "chunk": results.responses_chunk(results.responses_response),
    "content": messages.RESPONSES,
}
_fetch: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "request": requests.request(requests.RETRIEVE, **{semconv.OPENAI_API_TYPE: "responses"}),
    "response": results.fetched_response,
    "first": results.responses_first,
    "chunk": results.responses_chunk(results.fetched_response),
    "content": messages.RESPONSES,
    "positional": ("response_id",),
    "model": None,
}
_completions: Final[dict[str, Any]] = {
    **_chat,
    "operation": semconv.TEXT_COMPLETION,
    "response": results.chat_response,
    "first": results.identity,
    "request": requests.request(requests.CHAT, **{semconv.OPENAI_API_TYPE: "completions"}),
    "content": messages.COMPLETIONS,
}
_image: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request(requests.MEDIA, **requests.output("image")),
    "response": results.plain_response,
    "chunk": results.plain_chunk,
    "content": messages.IMAGES,
}
_speech: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({}, **requests.output("speech")),
    "content": messages.SPEECH,
}
_text: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request(requests.MEDIA, **requests.output("text")),
    "response": results.plain_response,
    "chunk": results.plain_chunk,
    "content": messages.TRANSCRIPTIONS,
}
_plain: Final[dict[str, Any]] = {"operation": semconv.MODERATION, "response": results.plain_response}
_compact: Final[dict[str, Any]] = {
    **_responses,
    "response": jobs.compacted,
    "chunk": None,
    "content": messages.RESPONSES,
}
_count: Final[dict[str, Any]] = {"operation": semconv.COUNT_TOKENS, "response": jobs.counted}
_video: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": requests.request({}, **requests.output("video")),
    "response": jobs.job,
    "content": messages.IMAGES,
}
_fetched_video: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "request": requests.request({"video_id": semconv.RESPONSE_ID}),
    "response": jobs.job,
    "positional": ("video_id",),
    "model": None,
}
_batch: Final[dict[str, Any]] = {"operation": semconv.CREATE_BATCH, "response": jobs.job, "model": None}
_fetched_batch: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_BATCH,
    "request": requests.request({"batch_id": semconv.RESPONSE_ID}),
    "response": jobs.fetched_batch,
    "positional": ("batch_id",),
    "model": None,
}
_decision: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request({}, **requests.output("json")),
    "response": results.plain_response,
    "content": messages.RESPONSES,
}

_run: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(runs.REQUEST, **{semconv.OPENAI_API_TYPE: "assistants"}),
    "response": runs.run,
    "chunk": runs.chunk,
    "content": runs.CONTENT,
}
_looked_at: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "request": requests.request(runs.LOOK, **{semconv.OPENAI_API_TYPE: "assistants"}),
    "response": runs.run,
    "content": runs.CONTENT,
    "positional": ("run_id", "thread_id"),
    "model": None,
}


_session: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(agents.REQUEST),
    "response": agents.session,
    "chunk": agents.chunk,
    "content": agents.CONTENT,
    "model": None,
}
_events: Final[dict[str, Any]] = {
    **_session,
    "operation": semconv.FETCH_RESPONSE,
    "request": requests.request(agents.REQUEST, **{semconv.REQUEST_STREAM: True}),
    "positional": ("session_id",),
    "stream_argument": None,
}
_submitted: Final[dict[str, Any]] = {**_session, "chunk": None, "positional": ("session_id",)}
_turn: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "request": requests.request(agents.LOOK),
    "response": agents.turn,
    "positional": ("turn_id",),
    "model": None,
}


def _run_streams(module: str, *names: str) -> list[Endpoint]:
    """Helpers whose managers hold the request of a run."""
    fields: dict[str, Any] = {
        **_run,
        "request": requests.request(
            runs.REQUEST, **{semconv.OPENAI_API_TYPE: "assistants", semconv.REQUEST_STREAM: True}
        ),
        "stream_argument": None,
    }
    return [
        Endpoint(
            f"{module}:{kind}{name}",
            asynchronous=bool(kind),
            deferred=f"_{kind}AssistantStreamManager__api_request",
            **fields,
        )
        for kind in ("", "Async")
        for name in names
    ]


SPEC: Final = ClientSpec(
    name="openai",
    requires="openai >= 1.66, < 4",
    connection=connection,
    peer=_peer,
    streaming=STREAMING,
    raw=RAW,
    errors=results.errors,
    endpoints=(
        *both(f"{_RESOURCES}chat.completions.completions", "Completions.create", **_chat),
        *both(f"{_RESOURCES}chat.completions.completions", "Completions.parse", **_chat),
        *both(f"{_RESOURCES}beta.chat.completions", "Completions.parse", **_chat),
        *both(f"{_RESOURCES}responses.responses", "Responses.create", **_responses),
        *both(f"{_RESOURCES}responses.responses", "Responses.parse", **_responses),
        *both(f"{_RESOURCES}responses.responses", "Responses.retrieve", **_fetch),
        *both(f"{_RESOURCES}responses.responses", "Responses.compact", **_compact),
        *both(f"{_RESOURCES}responses.input_tokens", "InputTokens.count", **_count),
        *both(f"{_RESOURCES}beta.responses.responses", "Responses.create", **_responses),
        *both(f"{_RESOURCES}beta.responses.responses", "Responses.retrieve", **_fetch),
        *both(f"{_RESOURCES}beta.responses.responses", "Responses.compact", **_compact),
        *both(f"{_RESOURCES}beta.responses.input_tokens", "InputTokens.count", **_count),
        *both(f"{_RESOURCES}decisions", "Decisions.create", **_decision),
        *both(f"{_RESOURCES}completions", "Completions.create", **_completions),
        *both(
            f"{_RESOURCES}embeddings",
            "Embeddings.create",
            operation=semconv.EMBEDDINGS,
            request=requests.request(requests.EMBEDDINGS),
            response=results.plain_response,
        ),
        *both(f"{_RESOURCES}images", "Images.generate", **_image),
        *both(f"{_RESOURCES}images", "Images.edit", **_image),
        *both(f"{_RESOURCES}images", "Images.create_variation", **_image),
        *both(f"{_RESOURCES}audio.speech", "Speech.create", **_speech),
        *both(f"{_RESOURCES}audio.transcriptions", "Transcriptions.create", **_text),
        *both(f"{_RESOURCES}audio.translations", "Translations.create", **_text),
        *both(f"{_RESOURCES}moderations", "Moderations.create", **_plain),
        *connections(f"{_RESOURCES}realtime.realtime", "Realtime"),
        *connections(f"{_RESOURCES}beta.realtime.realtime", "Realtime"),
        *connections(f"{_RESOURCES}responses.responses", "Responses"),
        *connections(f"{_RESOURCES}beta.responses.responses", "Responses"),
        *connections(f"{_RESOURCES}live.live", "Live"),
        *connections(f"{_RESOURCES}live.sideband", "Live", "Sideband"),
        *connections(f"{_RESOURCES}live.forks", "Live", "Forks"),
        *both(f"{_RESOURCES}videos", "Videos.create", **_video),
        *both(f"{_RESOURCES}videos", "Videos.remix", **_video),
        *both(f"{_RESOURCES}videos", "Videos.edit", **_video),
        *both(f"{_RESOURCES}videos", "Videos.extend", **_video),
        *both(f"{_RESOURCES}videos", "Videos.retrieve", **_fetched_video),
        *both(f"{_RESOURCES}batches", "Batches.create", **_batch),
        *both(f"{_RESOURCES}batches", "Batches.retrieve", **_fetched_batch),
        *both(_RUNS, "Runs.create", positional=("thread_id",), **_run),
        *both(_RUNS, "Runs.submit_tool_outputs", positional=("run_id",), **_run),
        # Every other method makes a run by one of these, and waits for it by one of those.
        *both(_RUNS, "Runs.poll", **_looked_at),
        *both(_RUNS, "Runs.retrieve", **_looked_at),
        *_run_streams(_RUNS, "Runs.stream", "Runs.create_and_stream", "Runs.submit_tool_outputs_stream"),
        *both(_THREADS, "Threads.create_and_run", **_run),
        *_run_streams(_THREADS, "Threads.create_and_run_stream"),
        *both(f"{_SESSIONS}sessions", "Sessions.create", **_session),
        *both(f"{_SESSIONS}events", "Events.create", **_submitted),
        *both(f"{_SESSIONS}events", "Events.stream", **_events),
        *both(f"{_SESSIONS}turns.turns", "Turns.retrieve", **_turn),
        *both(f"{_SESSIONS}subagents.turns.turns", "Turns.retrieve", **_turn),
    ),
)
