"""OpenAI's agents: sessions in which an agent works at the vendor's, turn by turn; events tell of it.

A turn tells its usage when it has ended, to everybody who follows the session or looks at it; it is counted the first
time.  That of a session is the sum of its turns, and is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._fields import fields, put
from genai_otel.clients._jobs import first_look
from genai_otel.clients._openai_results import request_id, usage_facts
from genai_otel.clients._parts import (
    Message,
    asked,
    get,
    items,
    message,
    messages,
    parts,
    text,
    tool_definitions,
    tool_response,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Content, Facts

# --- facts ----------------------------------------------------------------------------------------

_ASKED: Final = {"name": semconv.AGENT_NAME, "model": semconv.REQUEST_MODEL}
_AGENT: Final = {"id": semconv.AGENT_ID, "name": semconv.AGENT_NAME, "model": semconv.RESPONSE_MODEL}
_SESSION: Final = {"id": semconv.CONVERSATION_ID, "status": semconv.RESPONSE_STATUS}
_TURN: Final = {
    "id": semconv.RESPONSE_ID,
    "status": semconv.RESPONSE_STATUS,
    "agent_id": semconv.AGENT_ID,
    "session_id": semconv.CONVERSATION_ID,
}
_ENDED: Final = frozenset({"completed", "failed", "cancelled"})


def _agent(facts: Facts, value: Any) -> None:
    if is_mapping(value):
        put(facts, value, _ASKED)


REQUEST: Final[Mapping[str, Any]] = {
    "agent_id": semconv.AGENT_ID,
    "agent": _agent,
    "session_id": semconv.CONVERSATION_ID,
    "stream": requests.CHAT["stream"],
}
LOOK: Final = {"turn_id": semconv.RESPONSE_ID, "session_id": semconv.CONVERSATION_ID}


def session(result: Any) -> Facts:
    """Facts of a session."""
    facts: Facts = {}
    if not hasattr(result, "status"):  # a body that is no JSON
        return facts
    put(facts, fields(result), _SESSION)
    put(facts, fields(result.agent), _AGENT)
    request_id(facts, result)
    if result.status == "failed":
        facts[semconv.ERROR_TYPE] = "failed"
    return facts


def turn(result: Any) -> Facts:
    """Facts of a turn, with its usage when it has ended and nobody here has counted that."""
    facts: Facts = {}
    if not hasattr(result, "status"):
        return facts
    told = fields(result)
    put(facts, told, _TURN)
    request_id(facts, result)
    status = told.get("status")
    if status not in _ENDED:
        return facts
    facts[semconv.RESPONSE_FINISH_REASONS] = (semconv.FINISH_WORDS.get(str(status), str(status)),)
    if status == "failed":
        facts[semconv.ERROR_TYPE] = get(told.get("error"), "code") or "failed"
    usage = told.get("usage")
    if usage is not None and first_look(str(told.get("id"))):
        usage_facts(facts, usage)
    return facts


_TURNS: Final = frozenset({f"agent.session.turn.{status}" for status in (*_ENDED, "created")})
_SESSIONS: Final = frozenset({"agent.session.created", "agent.session.failed"})


def chunk(facts: Facts, event: Any) -> None:
    """Facts of one event; a session that is followed on may have many turns, each with a usage of its own."""
    kind = event.type
    if kind in _TURNS:
        told = turn(event.turn)
        for name in told.keys() & facts.keys():
            if name.startswith("gen_ai.usage."):
                told[name] += facts[name]
        facts.update(told)
    elif kind in _SESSIONS:
        facts.update(session(event.session))
    elif kind == "error":
        facts[semconv.ERROR_TYPE] = get(event.error, "code") or "error"


# --- what was said --------------------------------------------------------------------------------


def _message(item: Any) -> Message:
    return message(get(item, "role") or "user", parts(get(item, "content")))


def _request(arguments: Mapping[str, Any]) -> Facts:
    found = messages(arguments.get("input"), _message)
    for event in items(arguments.get("events")):
        found += messages(get(event, "input"), _message)
        if get(event, "type") == "agent.session.input.tool_result":
            found.append(message("tool", [tool_response(get(event, "call_id"), get(event, "output"))]))
    agent = arguments.get("agent")
    if not is_mapping(agent):
        return asked(found)
    return asked(
        found, instructions=text(agent.get("instructions")), tools=tool_definitions(agent.get("tools"))
    )


def _chunk(state: dict[Any, Any], event: Any) -> None:
    kind = event.type
    if kind == "agent.session.turn.output_text.done":
        Pieces.of(state).add(("text",), event.text)
    elif kind in _TURNS:
        state["status"] = get(event.turn, "status")


def _final(state: dict[Any, Any]) -> Facts:
    pieces = Pieces.of(state)
    said = text(pieces.text(("text",))) + pieces.lost()
    return (
        {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=state.get("status"))]}
        if said
        else {}
    )


CONTENT: Final = Content(_request, chunk=_chunk, final=_final)
