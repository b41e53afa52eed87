"""Reads the tables: which dialects a span speaks, and what its attributes are in the conventions' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from genai_otel import semconv
from genai_otel.processing.dialects.conventions import CONVENTIONS
from genai_otel.processing.dialects.dialect import CACHED, Dialect
from genai_otel.processing.dialects.native import ANTHROPIC, BOTOCORE, LITELLM, PYDANTIC_AI, STRANDS, XAI
from genai_otel.processing.dialects.openinference import OPENINFERENCE
from genai_otel.processing.dialects.openllmetry import OPENLLMETRY
from genai_otel.processing.dialects.platforms import LANGFUSE, LOGFIRE, MLFLOW, OPENLIT, VERCEL_AI
from genai_otel.processing.dialects.servers import SGLANG, VLLM
from genai_otel.processing.dialects.values import READERS, REPAIRED, class_name, fields, seconds_until

DIALECTS: Final = (
    CONVENTIONS,
    ANTHROPIC,
    XAI,
    PYDANTIC_AI,
    LITELLM,
    STRANDS,
    BOTOCORE,
    OPENLLMETRY,
    OPENINFERENCE,
    LOGFIRE,
    LANGFUSE,
    OPENLIT,
    MLFLOW,
    VERCEL_AI,
    SGLANG,
    VLLM,
)
"""In the order in which they are asked: what an earlier one says, a later one does not change."""

_MARKS: Final = frozenset(mark for dialect in DIALECTS for mark in dialect.marks)
_NAMES: Final = frozenset(name for dialect in DIALECTS for name in dialect.names)
_ALIASES: Final = dict(CONVENTIONS.operations)[semconv.OPERATION_NAME]
_NAMED: Final = semconv.MODEL_OPERATIONS | semconv.NAME_OF_STEP.keys()
_MOST_CHOICES: Final = 128
_NANOSECONDS: Final = 1_000_000_000


class Translation(NamedTuple):
    """What another library's span says.

    ``changed`` attributes are new or have a new value, ``replaced`` are names that are said by another one now.  Only a
    span that ``is_whole`` stands for a call; ``start_time`` is that of the call.  One that ``is_nameless`` never
    has the response's id; one that ``serves`` is a model server's own.
    """

    changed: dict[str, Any]
    replaced: frozenset[str]
    is_whole: bool
    start_time: int | None
    is_nameless: bool
    serves: bool


def recognised(attributes: Mapping[str, Any] | None) -> bool:
    """Whether attributes, possibly only those given at a span's start, are those of a GenAI span."""
    return attributes is not None and not _MARKS.isdisjoint(attributes)


def is_named(name: str) -> bool:
    """Whether this is a name of GenAI spans: ``chat gpt-4o`` by the conventions, or a dialect's own.

    Many are started without attributes.
    """
    return name in _NAMES or name.partition(" ")[0] in _NAMED


def operation(attributes: Mapping[str, Any] | None) -> str | None:
    """The operation that a span says it is, in any dialect, or None."""
    if not recognised(attributes) or attributes is None:
        return None
    said = _text(attributes.get(semconv.OPERATION_NAME))
    if said:
        return _ALIASES.get(said, said)
    return next(filter(None, (_operation(each, attributes) for each in _spoken(attributes))), None)


def translated(span: ReadableSpan) -> Translation:
    """What is to be changed of an ended, recognised span."""
    given: Any = span.attributes or {}
    attributes: Mapping[str, Any] = given.copy()  # in one step, however many there are
    reading = _Reading(span, attributes)
    found = operation(attributes)
    if found is not None and attributes.get(semconv.OPERATION_NAME) != found:
        reading.changed[semconv.OPERATION_NAME] = found
    is_whole, is_nameless, start_time = True, False, span.start_time
    for dialect in _spoken(attributes):
        reading.read(dialect)
        reading.name_step(found, dialect)
        is_nameless = is_nameless or dialect.nameless
        if dialect.whole and span.status.is_ok and dialect.whole.isdisjoint(attributes):
            is_whole = False
        seconds = attributes.get(dialect.seconds or "")
        if isinstance(seconds, float) and seconds >= 0 and span.end_time:
            start_time = span.end_time - int(seconds * _NANOSECONDS)
            reading.changed[semconv.REQUEST_STREAM] = True
    reading.repair()
    return Translation(
        reading.changed, frozenset(reading.replaced), is_whole, start_time, is_nameless, reading.serves
    )


def _spoken(attributes: Mapping[str, Any]) -> list[Dialect]:
    speaking = _speaking(_MARKS.intersection(attributes))
    return [dialect for dialect in speaking if not dialect.within or dialect.within.issubset(attributes)]


@lru_cache(maxsize=256)
def _speaking(marks: frozenset[str]) -> tuple[Dialect, ...]:
    """The dialects that these marks show; spans of one library have the same ones, so they are asked for once."""
    return tuple(dialect for dialect in DIALECTS if not dialect.marks.isdisjoint(marks))


def _operation(dialect: Dialect, attributes: Mapping[str, Any]) -> str | None:
    for name, operations in dialect.operations:
        value = _text(attributes.get(name))
        if value is not None and (found := operations.get(value.lower())) is not None:
            return found
    for name, prefixes in dialect.prefixes:
        value = _text(attributes.get(name)) or ""
        if (
            found := next((prefixes[start] for start in prefixes if value.startswith(start)), None)
        ) is not None:
            return found
    return dialect.implied.get(semconv.OPERATION_NAME)


def _text(value: object) -> str | None:
    """Some frameworks give a member of an ``Enum``."""
    value = getattr(value, "value", value)
    return value if isinstance(value, str) else None


class _Reading:
    """One span's attributes, read by one dialect after another."""

    def __init__(self, span: ReadableSpan, attributes: Mapping[str, Any]) -> None:
        self._span = span
        self._attributes = attributes
        self.changed: dict[str, Any] = {}
        self.replaced: set[str] = set()
        self.serves = span.kind is SpanKind.SERVER

    def read(self, dialect: Dialect) -> None:
        attributes = self._attributes
        self.serves = self.serves or dialect.serves
        for name, parts in dialect.inside.items():
            if name in attributes:
                for part, value in fields(attributes[name], parts):
                    self._say(parts[part], value)
        self._rename(dialect)
        for (before, behind), meant in dialect.indexed.items():
            self._say(meant, list(self._each(before, behind)))
        for name, words in dialect.words.items():
            if (word := words.get(attributes.get(name, ""))) is not None:
                self.changed[name] = word
        first = seconds_until(self._span, dialect.first_chunk) if dialect.first_chunk is not None else None
        if first is not None:
            self._say(semconv.REQUEST_STREAM, True)
            self._say(semconv.RESPONSE_TIME_TO_FIRST_CHUNK, first)
        self._count(dialect)

    def name_step(self, operation: str | None, dialect: Dialect) -> None:
        """An agent, tool or workflow that says its name only in words of its library's, or as the span's."""
        named = semconv.NAME_OF_STEP.get(operation or "")
        if named is not None:
            self._say(named, self._attributes.get(dialect.entity or ""))
            begins, _, name = self._span.name.partition(" ")
            self._say(named, name if begins == operation and name else None)

    def _rename(self, dialect: Dialect) -> None:
        for name, meant in dialect.renamed.items():
            if name in self._attributes:
                self._say(meant, self._attributes[name])
                self.replaced.add(name)
        for meant, value in dialect.implied.items():
            self._say(meant, value)

    def repair(self) -> None:
        """Conventional names with values that the conventions do not allow, and what only the outcome tells."""
        for name in REPAIRED:
            if (
                isinstance(value := self._attributes.get(name), str)
                or name == semconv.RESPONSE_FINISH_REASONS
            ):
                self.changed.update({key: new for key, new in READERS[name](value).items() if new != value})
        if self._span.status.is_ok:
            return
        self._name_error()
        if semconv.RESPONSE_ID not in self._attributes and semconv.RESPONSE_MODEL in self.changed:
            model = self.changed.pop(
                semconv.RESPONSE_MODEL
            )  # nobody answered: it is the model that was asked
            self._say(semconv.REQUEST_MODEL, model)

    def _name_error(self) -> None:
        """An exception's class without its module, as our own spans name it; where only its event says it, by that."""
        if semconv.ERROR_TYPE in self.changed:
            return
        said = self._attributes.get(semconv.ERROR_TYPE)
        if said is None:
            kinds = ((event.attributes or {}).get("exception.type") for event in self._span.events)
            said = next(filter(None, kinds), None)
        short = class_name(said) or semconv.OTHER
        if short != self._attributes.get(semconv.ERROR_TYPE):
            self.changed[semconv.ERROR_TYPE] = short

    def _say(self, meant: str, value: object) -> None:
        """Note a value under its conventional name, unless the span has it or the value is none."""
        if meant in self._attributes or meant in self.changed:
            return
        if meant == semconv.RESPONSE_TIME_TO_FIRST_CHUNK and not self._streams():
            return
        reader = READERS.get(meant)
        if reader is not None:
            self.changed.update(reader(value))
        elif value is not None:
            self.changed[meant] = value

    def _streams(self) -> bool:
        """Whether there is a first chunk; a model server makes one for every request."""
        name = semconv.REQUEST_STREAM
        return self.serves or self._attributes.get(name) is True or name in self.changed

    def _each(self, before: str, behind: str) -> Iterator[Any]:
        for index in range(_MOST_CHOICES):
            name = f"{before}{index}{behind}"
            if name not in self._attributes:
                return
            self.replaced.add(name)
            yield self._attributes[name]

    def _count(self, dialect: Dialect) -> None:
        """The conventions' totals include what was read from a cache and written to it, and all else that was used."""
        if not dialect.uncounted and dialect.total not in self._attributes:
            return
        said = {**self._attributes, **self.changed}
        provider = said.get(semconv.PROVIDER_NAME, "")
        for name, parts in (dialect.uncounted.get(provider) or dialect.uncounted.get("*", {})).items():
            self._add(name, _counts(said, *parts), said)
        if dialect.total is not None:
            counts = _counts(said, semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS)
            cached = _counts(said, *CACHED[semconv.USAGE_INPUT_TOKENS])
            if len(counts) == 2 and any(cached) and sum(counts) + sum(cached) == said[dialect.total]:
                self._add(semconv.USAGE_INPUT_TOKENS, cached, said)

    def _add(self, name: str, counts: list[int], said: Mapping[str, Any]) -> None:
        total = said.get(name)
        if type(total) is int and counts:
            self.changed[name] = total + sum(counts)


def _counts(said: Mapping[str, Any], *names: str) -> list[int]:
    return [count for name in names if type(count := said.get(name)) is int]
