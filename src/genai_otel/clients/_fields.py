"""Fields of answers that become facts, read as the client stores them: for every call, so nearly all of it in C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final

from genai_otel.clients._parts import get
from genai_otel.spec import Facts

TICK: Final = 1e-10
"""US dollars: xAI says what a call cost in a number of these."""
_told: Final = itemgetter(1)
_kind: Final = attrgetter("type")


def fields(value: Any) -> Mapping[str, Any]:
    """What stands in a model of a client's: nearly always pydantic's, some with fields newer than the client.

    A model that has no such field takes long to say so; what it stores says it at once.
    """
    try:
        newer = value.__pydantic_extra__
    except AttributeError:  # a dictionary where a whole field is new, and clients with models of another kind
        return value if type(value) is dict or isinstance(value, Mapping) else value.__dict__  # pyright: ignore[reportUnknownVariableType] - any mapping
    return {**value.__dict__, **newer} if newer else value.__dict__


def put(facts: Facts, stored: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Put what is ``stored`` under the attributes of ``names``, field → attribute; nothing, 0 and "" tell nothing."""
    facts.update(filter(_told, zip(names.values(), map(stored.get, names), strict=True)))


def kinds(items: Sequence[Any]) -> set[Any]:
    """The types of ``items``."""
    try:
        return set(map(_kind, items))
    except AttributeError:  # dictionaries
        return {get(item, "type") for item in items}
