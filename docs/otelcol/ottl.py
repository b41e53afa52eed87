"""Words of OTTL, in which the Collector's processors are told what to do, and of the files it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

NOT_OURS = (
    'resource.attributes["telemetry.distro.name"] != "genai-otel"'
    ' and span.attributes["genai_otel.measured"] == nil and span.attributes["genai_otel.owner"] == nil'
)
"""Spans of a process that runs genai-otel are in the conventions' names already, and measured there."""


class Group(NamedTuple):
    """Statements that are tried where one of the conditions holds."""

    comment: str
    context: str
    conditions: list[str]
    statements: list[str]


def of(name: str) -> str:
    """The attribute of a span."""
    return f"span.attributes[{text(name)}]"


def kept(*path: str) -> str:
    """What was put aside while the statements of a group run."""
    return "span.cache" + "".join(f"[{text(step)}]" for step in path)


def text(value: str) -> str:
    """A string; a dollar sign would begin a variable of the Collector's."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


def alternatives(names: Iterable[str]) -> str:
    """A pattern of these names, whole."""
    return "^(?:" + "|".join(name.replace(".", "\\.") for name in sorted(names)) + ")$"


def put(target: str, value: str, *conditions: str) -> str:
    """Set ``target`` where all ``conditions`` hold."""
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"set({target}, {value}){where}"


def words(mapping: dict[str, str]) -> str:
    """A table."""
    return "{" + ", ".join(f"{text(key)}: {text(value)}" for key, value in mapping.items()) + "}"


def scalar(value: str) -> str:
    """A text in YAML that means itself."""
    return "'" + value.replace("'", "''") + "'"


def listed(groups: Iterable[Group]) -> Iterator[str]:
    """Groups as a list in YAML, eight spaces in."""
    for group in groups:
        yield f"      # {group.comment}"
        yield f"      - context: {group.context}"
        if group.conditions:
            yield "        conditions:"
            yield from (f"          - {scalar(condition)}" for condition in group.conditions)
        yield "        statements:"
        yield from (f"          - {scalar(statement)}" for statement in group.statements)
