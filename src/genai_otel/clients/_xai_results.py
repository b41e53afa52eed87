"""Answers of xAI, which are protocol buffers in objects of the client's: → facts.

The vendor counts reasoning beside the completion and says so in the total; what it cached is part of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients._fields import TICK
from genai_otel.spec import Facts

ASSISTANT: Final = 2
REASONS: Final = {1: "length", 2: "length", 3: "stop", 4: "tool_call", 5: "length"}


def answers(result: Any) -> Sequence[Any]:
    """The answers in a result: one, several that share one protocol buffer, or one beside what was parsed of it."""
    if isinstance(result, tuple):
        return cast("tuple[Any, ...]", result)[:1]
    return cast("list[Any]", result) if isinstance(result, list) else (result,)


def _has(message: Any, name: str) -> bool:
    """Whether the vendor sent a message's field, and this version of the client knows it."""
    return hasattr(message, name) and message.HasField(name)


def _usage(facts: Facts, usage: Any) -> None:
    _input(facts, usage)
    output, thought = usage.completion_tokens, usage.reasoning_tokens
    if thought:
        facts[semconv.USAGE_REASONING_OUTPUT_TOKENS] = thought
        if usage.total_tokens != usage.prompt_tokens + output:
            output += thought
    facts[semconv.USAGE_OUTPUT_TOKENS] = output
    if _has(usage, "cost_in_usd_ticks"):
        facts[semconv.COST_REPORTED] = usage.cost_in_usd_ticks * TICK


def _input(facts: Facts, usage: Any) -> None:
    facts[semconv.USAGE_INPUT_TOKENS] = usage.prompt_tokens
    if usage.cached_prompt_text_tokens:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = usage.cached_prompt_text_tokens
    if usage.prompt_image_tokens:
        facts[semconv.USAGE_IMAGE_INPUT_TOKENS] = usage.prompt_image_tokens


def _identity(facts: Facts, said: Any) -> None:
    if said.id:
        facts[semconv.RESPONSE_ID] = said.id
    if said.model:
        facts[semconv.RESPONSE_MODEL] = said.model


def _reason(answer: Any) -> str | None:
    """Why an answer ended: of turns with the vendor's own tools, the last one counts."""
    index, found = answer._index, None  # noqa: SLF001 - which of the outputs is this answer's, None for all
    for output in answer._proto.outputs:  # noqa: SLF001 - the public one writes to it
        if output.message.role == ASSISTANT and (index is None or output.index == index):
            found = REASONS.get(output.finish_reason, "error")
    return found


def response(result: Any) -> Facts:
    """Facts of an answer, of several, or of one and what was parsed of it."""
    facts: Facts = {}
    found = answers(result)
    said = found[0]._proto  # noqa: SLF001 - see above
    if not hasattr(said, "outputs"):
        return plain(result)
    _identity(facts, said)
    reasons = tuple([reason for reason in map(_reason, found) if reason is not None])
    if reasons:
        facts[semconv.RESPONSE_FINISH_REASONS] = reasons
    if said.HasField("usage"):
        _usage(facts, said.usage)
    return facts


def plain(result: Any) -> Facts:
    """Model and usage of images and videos, id and usage of a compacted context."""
    facts: Facts = {}
    said = answers(result)[0].proto
    for name, fact in (("id", semconv.RESPONSE_ID), ("model", semconv.RESPONSE_MODEL)):
        value = getattr(said, name, None)
        if value:
            facts[fact] = value
    if _has(said, "usage"):
        _usage(facts, said.usage)
    return facts


# --- streams: pairs of what was said so far and of a chunk, or of lists of them ---------------------------------------


def first(facts: Facts, pair: Any) -> None:
    """Who answers, and what was asked."""
    said = answers(pair[1])[0]._proto  # noqa: SLF001 - the public one is a call, which every chunk would pay
    _identity(facts, said)
    if said.HasField("usage"):
        _input(facts, said.usage)


def chunk(facts: Facts, pair: Any) -> None:
    """Facts of one chunk: usage grows with each, and is read where an answer ends, or where nothing else is said."""
    try:
        if not pair[1]._proto.outputs[-1].finish_reason:  # noqa: SLF001 - see `first`
            return
    except IndexError:
        pass
    _ended(facts, pair[1]._proto)  # noqa: SLF001 - see `first`


def _ended(facts: Facts, said: Any) -> None:
    for output in said.outputs:
        if output.finish_reason and output.delta.role == ASSISTANT:
            # Of turns with the vendor's own tools, the last one counts.
            facts[semconv.RESPONSE_FINISH_REASONS] = (REASONS.get(output.finish_reason, "error"),)
    if said.HasField("usage"):
        _usage(facts, said.usage)


def batch_chunk(facts: Facts, pair: Any) -> None:
    """Facts of one chunk of several answers."""
    said = pair[1][0]._proto  # noqa: SLF001 - see `first`
    outputs = said.outputs
    ended = [output for output in outputs if output.finish_reason]
    for output in ended:
        _finished(facts, output)
    if (ended or not outputs) and said.HasField("usage"):
        _usage(facts, said.usage)


def _finished(facts: Facts, output: Any) -> None:
    reasons = list(facts.get(semconv.RESPONSE_FINISH_REASONS, ()))
    if output.index < 1024:  # the vendor's word
        reasons += ["error"] * (output.index + 1 - len(reasons))
        reasons[output.index] = REASONS.get(output.finish_reason, "error")
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)


# --- errors --------------------------------------------------------------------------------------


def _status(error: BaseException) -> str | None:
    code = getattr(error, "code", None)
    return getattr(code(), "name", None) if callable(code) else None


def errors(error: BaseException) -> Facts:
    """The status of a call that failed: the classes of gRPC's errors are private and say nothing."""
    status = _status(error)
    return {} if status is None else {semconv.ERROR_TYPE: status, semconv.RPC_STATUS: status}


def broken(error: BaseException) -> bool:
    """Whether the connection broke."""
    return _status(error) == "UNAVAILABLE"
