"""Google's batches and videos, which are done some time after they were asked for: the client's objects → facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._google_results import request, usage, word
from genai_otel.clients._jobs import first_look
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

_STATES: Final = {
    "pending": "queued",
    "running": "in_progress",
    "succeeded": "completed",
    "partially_succeeded": "incomplete",
}
_ENDED: Final = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})


def batch(result: Any) -> Facts:
    """Which batch it is and how far it is."""
    facts: Facts = {}
    _identity(facts, get(result, "name"))
    model = get(result, "model")
    if isinstance(model, str) and model:
        facts[semconv.RESPONSE_MODEL] = model.removeprefix("models/")
    state = word(get(result, "state")).removeprefix("job_state_")
    if state:
        facts[semconv.RESPONSE_STATUS] = _STATES.get(state, state)
    if state == "failed":
        facts[semconv.ERROR_TYPE] = "failed"
    return facts


def fetched_batch(result: Any) -> Facts:
    """A batch that is looked at: with the usage of the answers within, if nobody here has counted them."""
    facts = batch(result)
    answers = [get(each, "response") for each in items(get(get(result, "dest"), "inlined_responses"))]
    told = [counted for answer in answers if (counted := get(answer, "usage_metadata")) is not None]
    if told and facts.get(semconv.RESPONSE_STATUS) in _ENDED and first_look(str(get(result, "name"))):
        for counted in told:
            one: Facts = {}
            usage(one, counted)
            for name, tokens in one.items():
                facts[name] = facts.get(name, 0) + tokens
    return facts


def named_batch(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request for a batch by its name."""
    facts: Facts = {}
    _identity(facts, arguments.get("name"))
    return facts


def video_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request for videos."""
    return {**request(arguments), semconv.OUTPUT_TYPE: "video"}


def operation(result: Any) -> Facts:
    """Facts of a long-running operation."""
    facts: Facts = {}
    _identity(facts, get(result, "name"))
    failed = get(result, "error")
    done = bool(get(result, "done"))
    facts[semconv.RESPONSE_STATUS] = "failed" if failed else "completed" if done else "in_progress"
    if failed:
        code = get(failed, "code")
        facts[semconv.ERROR_TYPE] = "failed" if code is None else str(code)
    return facts


def named_operation(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request for an operation, which the program hands back."""
    facts: Facts = {}
    _identity(facts, get(arguments.get("operation"), "name"))
    return facts


def _identity(facts: Facts, name: Any) -> None:
    if isinstance(name, str) and name:
        facts[semconv.RESPONSE_ID] = name
