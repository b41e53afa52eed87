"""Refusals of OpenAI's models: they say so beside the text, and stop as ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._fields import fields, kinds
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

_REFUSAL: Final = attrgetter("message.refusal")
_CONTENT: Final = attrgetter("content")
_KIND: Final = attrgetter("type")


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


def in_response(facts: Facts, output: Sequence[Any]) -> None:
    """Whether the model refused in the ``output`` of a response."""
    try:
        refused = "refusal" in map(_KIND, chain.from_iterable(filter(None, map(_CONTENT, output))))
    except AttributeError:  # items without content, and dictionaries
        refused = "refusal" in kinds([part for item in output for part in items(get(item, "content"))])
    if refused:
        facts[semconv.REFUSED] = True


def in_first_chunks(facts: Facts, chunk: Any) -> bool:
    """Whether the model refuses in a stream, which is the first that it says; True while it has said nothing."""
    for choice in chunk.choices or ():
        delta = getattr(choice, "delta", None)
        said: Mapping[str, Any] = {} if delta is None else fields(delta)
        if said.get("refusal"):
            facts[semconv.REFUSED] = True
        if any({**said, "role": None}.values()):
            return False
    return True
