"""AI21: chat, of its own platform and of the clouds that it runs on; runs of Maestro, answers from a library.

Only a chat tells its usage.  A run that is made and not polled tells no more than its id.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._hosts import peer_at
from genai_otel.clients._parts import get, items, message, parts, text
from genai_otel.clients._stainless import nothing
from genai_otel.spec import ClientSpec, Content, Endpoint, Facts, Peer, Streaming

# --- whom a client talks to ----------------------------------------------------------------------------------------


def _connection(resource: Any) -> str:
    return resource._client._base_url  # noqa: SLF001 - where the client keeps it, one object each


def _peer(resource: Any) -> Peer:
    return peer_at(_connection(resource), "ai21")


# --- facts ---------------------------------------------------------------------------------------------------------


def _first(facts: Facts, result: Any) -> None:
    """Who answers: the client declares no model, and keeps one that the vendor sends."""
    for name, fact in (("id", semconv.RESPONSE_ID), ("model", semconv.RESPONSE_MODEL)):
        value = get(result, name)
        if value:
            facts[fact] = value


def _response(result: Any) -> Facts:
    facts: Facts = {}
    _first(facts, result)
    if result.choices:
        reasons = tuple([choice.finish_reason or "error" for choice in result.choices])
        facts[semconv.RESPONSE_FINISH_REASONS] = reasons
    if result.usage is not None:
        results.usage_facts(facts, result.usage)
    return facts


def _run(result: Any) -> Facts:
    facts: Facts = {semconv.RESPONSE_ID: result.id, semconv.RESPONSE_STATUS: result.status}
    if result.status == "failed":
        facts[semconv.ERROR_TYPE] = "failed"
    return facts


def _retrieved(result: Any) -> Facts:
    return {semconv.RESPONSE_ID: result.id, semconv.RESPONSE_STATUS: result.status}


def _answer(result: Any) -> Facts:
    return {semconv.RESPONSE_ID: result.id} if result.id else {}


def _errors(error: BaseException) -> Facts:
    status = getattr(error, "status_code", None)
    return {semconv.HTTP_STATUS: status} if isinstance(status, int) else {}


# --- what was said in a run and in an answer -----------------------------------------------------------------------


def _run_request(arguments: Any) -> Facts:
    given = arguments.get("input")
    said = [message("user", text(given))] if isinstance(given, str) else _messages(given)
    return {semconv.INPUT_MESSAGES: said} if said else {}


def _messages(given: Any) -> list[Any]:
    return [message(get(one, "role"), parts(get(one, "content"))) for one in items(given)]


def _run_response(result: Any) -> Facts:
    said = text(result.result)
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


def _answer_response(result: Any) -> Facts:
    said = _messages(get(result, "choices"))
    return {semconv.OUTPUT_MESSAGES: said} if said else {}


# --- the endpoints -------------------------------------------------------------------------------------------------

_RESOURCES: Final = "ai21.clients.studio.resources."
_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": requests.request(requests.CHAT),
    "response": _response,
    "first": _first,
    "chunk": partial(results.chat_chunk, ended=nothing),
    "content": messages.CHAT,
}
_maestro: Final[dict[str, Any]] = {
    "operation": semconv.INVOKE_AGENT,
    "response": _run,
    "content": Content(_run_request, _run_response),
    "model": None,
}
_ask: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "response": _answer,
    "content": Content(messages.CHAT.request, _answer_response),
    "positional": ("messages",),
    "model": None,
}
_retrieve: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "response": _retrieved,
    "content": Content(response=_run_response),
    "model": None,
}

SPEC: Final = ClientSpec(
    name="ai21",
    requires="ai21 >= 4.0, < 5",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(iterator="_iterator", body=lambda stream: stream.response),
    errors=_errors,
    endpoints=(
        Endpoint(
            f"{_RESOURCES}chat.chat_completions:ChatCompletions.create",
            positional=("messages", "model"),
            **_chat,
        ),
        Endpoint(
            f"{_RESOURCES}chat.async_chat_completions:AsyncChatCompletions.create",
            asynchronous=True,
            positional=("model", "messages"),
            **_chat,
        ),
        *(
            Endpoint(f"{_RESOURCES}{module}:{kind}{name}", asynchronous=bool(kind), **fields)
            for kind in ("", "Async")
            for module, name, fields in (
                ("maestro.run", "MaestroRun.create", _maestro),
                ("maestro.run", "MaestroRun.create_and_poll", _maestro),
                ("maestro.run", "MaestroRun.retrieve", _retrieve),
                ("studio_conversational_rag", "StudioConversationalRag.create", _ask),
            )
        ),
    ),
)
