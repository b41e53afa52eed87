"""OpenAI's assistants: runs of a thread, which end some time after they were asked for, or are told in events.

A run tells its usage when it has ended, to everybody who looks at it; it is counted the first time.
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
    Part,
    asked,
    get,
    items,
    message,
    parts,
    text,
    tool_call,
    tool_definitions,
    tool_response,
)
from genai_otel.clients._pieces import Pieces
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Content, Facts

# --- facts ----------------------------------------------------------------------------------------

REQUEST: Final[Mapping[str, Any]] = {
    "assistant_id": semconv.AGENT_ID,
    "thread_id": semconv.CONVERSATION_ID,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
    **{
        name: requests.CHAT[name]
        for name in ("temperature", "top_p", "stream", "reasoning_effort", "response_format")
    },
}
LOOK: Final = {"run_id": semconv.RESPONSE_ID, "thread_id": semconv.CONVERSATION_ID}
_RUN: Final = {
    "id": semconv.RESPONSE_ID,
    "status": semconv.RESPONSE_STATUS,
    "model": semconv.RESPONSE_MODEL,
    "assistant_id": semconv.AGENT_ID,
    "thread_id": semconv.CONVERSATION_ID,
}
_ENDED: Final = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})


def run(result: Any) -> Facts:
    """Facts of a run, with its usage when it has ended and nobody here has counted that."""
    facts: Facts = {}
    if not hasattr(result, "status"):  # a body that is no JSON
        return facts
    told = fields(result)
    put(facts, told, _RUN)
    request_id(facts, result)
    status = told.get("status")
    reason = semconv.FINISH_WORDS.get(str(status))
    if reason is not None:
        facts[semconv.RESPONSE_FINISH_REASONS] = (reason,)
    if status == "failed":
        facts[semconv.ERROR_TYPE] = get(told.get("last_error"), "code") or "failed"
    usage = told.get("usage")
    if usage is not None and status in _ENDED and first_look(str(told.get("id"))):
        usage_facts(facts, usage)
    return facts


_EVENTS: Final = frozenset({f"thread.run.{status}" for status in (*_ENDED, "created", "requires_action")})


def chunk(facts: Facts, event: Any) -> None:
    """Facts of one event of a run's stream: those of its beginning and its end carry it."""
    kind = event.event
    if kind in _EVENTS:
        facts.update(run(event.data))
    elif kind == "error":
        facts[semconv.ERROR_TYPE] = get(event.data, "code") or "error"


# --- what was said --------------------------------------------------------------------------------


def _request(arguments: Mapping[str, Any]) -> Facts:
    thread = arguments.get("thread")
    said = items(get(thread, "messages") if is_mapping(thread) else arguments.get("additional_messages"))
    found = [message(get(one, "role"), parts(get(one, "content"))) for one in said]
    found += [_answered(each) for each in items(arguments.get("tool_outputs"))]
    told = ("instructions", "additional_instructions")
    return asked(
        found,
        instructions=[part for name in told for part in text(arguments.get(name))],
        tools=tool_definitions(arguments.get("tools")),
    )


def _answered(output: Any) -> Message:
    return message("tool", [tool_response(get(output, "tool_call_id"), get(output, "output"))])


def _calls(result: Any) -> list[Part]:
    """The tools of the program that a run waits for."""
    wanted = items(get(get(get(result, "required_action"), "submit_tool_outputs"), "tool_calls"))
    return [
        tool_call(
            get(call, "id"), get(get(call, "function"), "name"), get(get(call, "function"), "arguments")
        )
        for call in wanted
    ]


def _response(result: Any) -> Facts:
    called = _calls(result)
    if not called:
        return {}
    return {semconv.OUTPUT_MESSAGES: [message("assistant", called, finish_reason="tool_call")]}


def _chunk(state: dict[Any, Any], event: Any) -> None:
    kind = event.event
    if kind == "thread.message.completed":
        pieces = Pieces.of(state)
        for block in items(get(event.data, "content")):
            pieces.add(("text",), get(get(block, "text"), "value"))
    elif kind in _EVENTS:
        state["run"] = event.data


def _final(state: dict[Any, Any]) -> Facts:
    pieces, ended = Pieces.of(state), state.get("run")
    said = text(pieces.text(("text",))) + _calls(ended) + pieces.lost()
    return (
        {semconv.OUTPUT_MESSAGES: [message("assistant", said, finish_reason=get(ended, "status"))]}
        if said
        else {}
    )


CONTENT: Final = Content(_request, _response, _chunk, _final)
