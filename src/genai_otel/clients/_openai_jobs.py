"""OpenAI's batches and videos, which are done some time after they were asked for: the client's objects → facts."""

from __future__ import annotations

from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._jobs import first_look
from genai_otel.clients._openai_results import request_id, usage_facts
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})


def job(result: Any) -> Facts:
    """Which job it is, of which model, and how far it is."""
    facts: Facts = {}
    request_id(facts, result)
    for name, field in (
        (semconv.RESPONSE_ID, "id"),
        (semconv.RESPONSE_STATUS, "status"),
        (semconv.RESPONSE_MODEL, "model"),
    ):
        value = get(result, field)
        if value:
            facts[name] = value
    if get(result, "status") == "failed":
        facts[semconv.ERROR_TYPE] = _why(result) or "failed"
    return facts


def _why(result: Any) -> Any:
    """The code of a video's error, or of the first of a batch's."""
    errors = items(get(get(result, "errors"), "data"))
    return get(get(result, "error") or (errors[0] if errors else None), "code")


def fetched_batch(result: Any) -> Facts:
    """A batch that is looked at: with its usage when it has ended and nobody here has counted that."""
    facts = job(result)
    usage = get(result, "usage")
    if usage is not None and get(result, "status") in _ENDED and first_look(str(get(result, "id"))):
        usage_facts(facts, usage)
    return facts


def compacted(result: Any) -> Facts:
    """A conversation that the model made shorter, which takes tokens as any answer does."""
    facts: Facts = {}
    if get(result, "id"):
        facts[semconv.RESPONSE_ID] = result.id
    request_id(facts, result)
    facts[semconv.RESPONSE_FINISH_REASONS] = ("compaction",)
    facts[semconv.CONVERSATION_COMPACTED] = True
    usage = get(result, "usage")
    if usage is not None:
        usage_facts(facts, usage)
    return facts


def counted(result: Any) -> Facts:
    """A count of tokens: none was used, so it is no usage."""
    facts: Facts = {}
    request_id(facts, result)
    return facts
