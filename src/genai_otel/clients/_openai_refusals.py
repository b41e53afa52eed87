"""Refusals of OpenAI's models: they say so beside the text, and stop as ever."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._fields import any_of_kind
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

_REFUSAL: Final = attrgetter("message.refusal")


def in_completion(facts: Facts, result: Any) -> None:
    """The request id of a completion, and whether the model refused."""
    found = getattr(result, "_request_id", None)  # as request_id() has it; here for every call
    if found:
        facts[semconv.REQUEST_ID] = found
    try:
        if any(map(_REFUSAL, result.choices)):
            facts[semconv.REFUSED] = True
    except (AttributeError, TypeError):  # a body that is not of the declared type
        return


def in_response(facts: Facts, result: Any) -> None:
    """Whether the model refused in a response."""
    if any(any_of_kind("refusal", get(item, "content")) for item in items(get(result, "output"))):
        facts[semconv.REFUSED] = True
