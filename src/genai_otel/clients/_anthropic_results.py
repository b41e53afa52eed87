"""Results and events of Anthropic's messages: the client's objects → facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._fields import fields, put
from genai_otel.clients._jobs import begin, counting
from genai_otel.clients._openai_results import request_id
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

_WRITTEN: Final = {
    "ephemeral_5m_input_tokens": semconv.USAGE_CACHE_WRITE_5M_INPUT_TOKENS,
    "ephemeral_1h_input_tokens": semconv.USAGE_CACHE_WRITE_1H_INPUT_TOKENS,
}
_TOOLS: Final = {"web_search_requests": semconv.USAGE_WEB_SEARCHES}
_INPUT: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_OUTPUT: Final = ("output_tokens", "output_tokens_details", "iterations", "server_tool_use", "speed")


def message(result: Any, *, own: Callable[[Facts, Any], None] = request_id) -> Facts:
    """Facts of a whole message; ``own`` puts what the client has beside it."""
    facts: Facts = {}
    if not hasattr(result, "stop_reason"):  # a body that is no JSON, or is not of the declared type
        return facts
    own(facts, result)
    _identity(facts, result)
    facts[semconv.RESPONSE_FINISH_REASONS] = (result.stop_reason or "error",)
    usage = getattr(result, "usage", None)  # which not every client declares
    if usage is not None:
        _usage(facts, usage)
    return facts


def count(result: Any) -> Facts:
    """Facts of a count of tokens: none was used, so they are no usage."""
    facts: Facts = {}
    request_id(facts, result)
    return facts


def batch(result: Any) -> Facts:
    """Facts of a batch that was handed in; its tokens are used later."""
    facts = count(result)
    identity = getattr(result, "id", None)
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    status = getattr(result, "processing_status", None)
    if status:
        facts[semconv.RESPONSE_STATUS] = status
    return facts


def first_line(facts: Facts, _: Any) -> None:
    """The first result of a batch: from here on all are counted, unless they were read before."""
    begin(facts, str(facts.get(semconv.RESPONSE_ID)))


def line(facts: Facts, result: Any) -> None:
    """A batch's result for one of its requests: a message of its own, with a model and a usage of its own."""
    answered = get(get(result, "result"), "message")
    if answered is None:  # a request that failed, or was never made
        return
    told = message(answered)
    model = told.get(semconv.RESPONSE_MODEL)
    if facts.setdefault(semconv.RESPONSE_MODEL, model) != model:
        facts[semconv.RESPONSE_MODEL] = semconv.OTHER
    if counting(facts):
        for name, tokens in told.items():
            if name.startswith(semconv.USAGE):
                _add(facts, name, tokens)


def first(facts: Facts, event: Any) -> None:
    """Who answers and the input's usage, from a stream's first event; what it says of the output is no count yet."""
    begun: Any = getattr(event, "message", None)
    if hasattr(begun, "id"):
        _identity(facts, begun)
        if begun.usage is not None:
            _input(facts, fields(begun.usage))


def chunk(facts: Facts, event: Any) -> None:
    """Why it finished and the usage, from the last event but one, which has the final counts."""
    if event.type == "message_delta":
        reason = get(event.delta, "stop_reason")
        if reason:
            facts[semconv.RESPONSE_FINISH_REASONS] = (reason,)
        if event.usage is not None:
            _usage(facts, event.usage)


def _identity(facts: Facts, result: Any) -> None:
    if result.id:
        facts[semconv.RESPONSE_ID] = result.id
    if result.model:
        facts[semconv.RESPONSE_MODEL] = result.model


# --- usage: the vendor's input excludes what the cache served or took, its output includes thinking ------------------


def _usage(facts: Facts, usage: Any) -> None:
    told = fields(usage)
    _input(facts, told)
    tokens, details, iterations, tools, speed = map(told.get, _OUTPUT)
    if tokens is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = tokens
    if details is not None:
        thinking = fields(details).get("thinking_tokens")
        if thinking:
            facts[semconv.USAGE_REASONING_OUTPUT_TOKENS] = thinking
    if tools is not None:
        put(facts, fields(tools), _TOOLS)
    if speed == "fast":  # which has prices of its own
        facts[semconv.RESPONSE_SPEED] = speed
    if iterations:
        _compactions(facts, iterations)


def _input(facts: Facts, told: Mapping[str, Any]) -> None:
    tokens, read, written = map(told.get, _INPUT)
    if tokens is None:  # an event that counts the output only
        return
    if read:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = read
        tokens += read
    if written:
        facts[semconv.USAGE_CACHE_WRITE_INPUT_TOKENS] = written
        tokens += written
        kept = told.get("cache_creation")
        if kept is not None and fields(kept).get(
            "ephemeral_1h_input_tokens"
        ):  # else all are for five minutes
            put(facts, fields(kept), _WRITTEN)
    facts[semconv.USAGE_INPUT_TOKENS] = tokens


def _compactions(facts: Facts, iterations: Any) -> None:
    """Tokens of the vendor's own summaries of the context: billed, and not in the totals."""
    for each in items(iterations):
        if get(each, "type") == "compaction":
            told = [get(each, name) for name in _INPUT]
            _add(facts, semconv.USAGE_INPUT_TOKENS, sum(tokens for tokens in told if isinstance(tokens, int)))
            _add(facts, semconv.USAGE_OUTPUT_TOKENS, get(each, "output_tokens"))


def _add(facts: Facts, name: str, tokens: Any) -> None:
    if isinstance(tokens, int):
        facts[name] = facts.get(name, 0) + tokens
