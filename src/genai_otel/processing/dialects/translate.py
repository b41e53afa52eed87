"""Reads the tables: which dialects a span speaks, and what its attributes are in the conventions' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel import semconv
from genai_otel.processing.dialects.conventions import CONVENTIONS
from genai_otel.processing.dialects.dialect import Dialect
from genai_otel.processing.dialects.openinference import OPENINFERENCE
from genai_otel.processing.dialects.openllmetry import OPENLLMETRY
from genai_otel.processing.dialects.values import READERS, class_name, fields, seconds_until

DIALECTS: Final = (CONVENTIONS, OPENLLMETRY, OPENINFERENCE)
"""In the order in which they are asked: what an earlier one says, a later one does not change."""

_SPEAKERS: Final = {mark: dialect for dialect in reversed(DIALECTS) for mark in dialect.marks}
_MARKS: Final = frozenset(_SPEAKERS)
_MOST_CHOICES: Final = 128
_AGENTS: Final = frozenset({"invoke_agent", "create_agent", "invoke_workflow"})


class Translation(NamedTuple):
    """``changed`` attributes are new or have a new value; ``replaced`` are names that are said by another one now."""

    changed: dict[str, Any]
    replaced: frozenset[str]


def recognised(attributes: Mapping[str, Any] | None) -> bool:
    """Whether attributes, possibly only those given at a span's start, are those of a GenAI span."""
    return bool(attributes) and not _MARKS.isdisjoint(attributes)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def operation(attributes: Mapping[str, Any] | None) -> str | None:
    """The operation that a span says it is, in any dialect, or None."""
    if not recognised(attributes) or attributes is None:
        return None
    said = _text(attributes.get(semconv.OPERATION_NAME))
    return said or next(filter(None, (_operation(each, attributes) for each in _spoken(attributes))), None)


def translated(span: ReadableSpan) -> Translation:
    """What is to be changed of an ended, recognised span."""
    attributes: Mapping[str, Any] = dict(span.attributes or {})
    changed: dict[str, Any] = {}
    replaced: set[str] = set()
    dialects = list(_spoken(attributes))
    said = attributes.get(semconv.OPERATION_NAME)
    found = operation(attributes)
    if found is not None and said != found:
        changed[semconv.OPERATION_NAME] = found
    for dialect in dialects:
        _Reading(attributes, changed, replaced).read(dialect, span)
    _error(span, attributes, changed)
    return Translation(changed, frozenset(replaced))


def _spoken(attributes: Mapping[str, Any]) -> Iterator[Dialect]:
    names = attributes.keys()
    return (dialect for dialect in DIALECTS if not dialect.marks.isdisjoint(names))


def _operation(dialect: Dialect, attributes: Mapping[str, Any]) -> str | None:
    for name, operations in dialect.operations:
        value = _text(attributes.get(name))
        if value is not None and (found := operations.get(value.lower())) is not None:
            return found
    return None


def _text(value: object) -> str | None:
    """Some frameworks give a member of an ``Enum``."""
    value = getattr(value, "value", value)
    return value if isinstance(value, str) else None


class _Reading:
    """One dialect's reading of one span's attributes."""

    def __init__(self, attributes: Mapping[str, Any], changed: dict[str, Any], replaced: set[str]) -> None:
        self._attributes = attributes
        self._changed = changed
        self._replaced = replaced

    def read(self, dialect: Dialect, span: ReadableSpan) -> None:
        attributes = self._attributes
        for name, meant in dialect.renamed.items():
            if name in attributes:
                self._say(meant, attributes[name])
                self._replaced.add(name)
        for name, parts in dialect.inside.items():
            if name in attributes:
                for part, value in fields(attributes[name], parts):
                    self._say(parts[part], value)
        for (before, behind), meant in dialect.indexed.items():
            self._say(meant, list(self._each(before, behind)))
        if dialect.first_chunk is not None and semconv.REQUEST_STREAM in {*attributes, *self._changed}:
            self._say(semconv.RESPONSE_TIME_TO_FIRST_CHUNK, seconds_until(span, dialect.first_chunk))
        self._count(dialect)

    def _say(self, meant: str, value: object) -> None:
        """Note a value under its conventional name, unless the span has it or the value is none."""
        if meant in self._attributes or meant in self._changed:
            return
        reader = READERS.get(meant)
        if reader is None:
            if value is not None:
                self._changed[meant] = value
        else:
            self._changed.update(reader(value))

    def _each(self, before: str, behind: str) -> Iterator[Any]:
        for index in range(_MOST_CHOICES):
            name = f"{before}{index}{behind}"
            if name not in self._attributes:
                return
            self._replaced.add(name)
            yield self._attributes[name]

    def _count(self, dialect: Dialect) -> None:
        """The conventions' input includes what was read from a cache and written to it."""
        if not dialect.uncounted:
            return
        said = {**self._attributes, **self._changed}
        total = said.get(semconv.USAGE_INPUT_TOKENS)
        parts = [said.get(name) for name in dialect.uncounted]
        if type(total) is int:
            self._changed[semconv.USAGE_INPUT_TOKENS] = total + sum(
                part for part in parts if type(part) is int
            )


def _error(span: ReadableSpan, attributes: Mapping[str, Any], changed: dict[str, Any]) -> None:
    """An exception's class without its module, as our own spans name it; where only its event says it, by that."""
    said = attributes.get(semconv.ERROR_TYPE)
    if said is None and not span.status.is_ok:
        said = next(
            (
                event.attributes["exception.type"]
                for event in span.events
                if event.attributes and "exception.type" in event.attributes
            ),
            None,
        )
    short = class_name(said)
    if short is not None and short != attributes.get(semconv.ERROR_TYPE):
        changed[semconv.ERROR_TYPE] = short
