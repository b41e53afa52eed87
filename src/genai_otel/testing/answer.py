"""The model behind the server: what it says to a request, before any vendor's wire format.

A wire format reads a request into an `Ask` and renders the `Answer`. The usage numbers are fixed, distinct and
not zero, so that a reader of the wrong field is seen at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genai_otel.testing.directives import Plan
from genai_otel.testing.wire import items, mapping, string

TEXT = "Hello from the local model server."
REFUSAL = "I cannot help with that."
THOUGHT = "The user wants a short answer."


@dataclass(frozen=True)
class Usage:
    """Token counts. Input includes cached, written, audio and image tokens, output includes reasoning tokens."""

    input: int = 12
    output: int = 7
    cached: int = 4
    cache_write: int = 2
    reasoning: int = 3
    audio_input: int = 5
    audio_output: int = 1
    image_input: int = 8
    written_1h: int = 0
    searches: int | None = None
    cost: float | None = None  # US dollars

    @property
    def total(self) -> int:
        return self.input + self.output


def usage(plan: Plan) -> Usage:
    """The usual numbers, or those that the plan names."""
    named: dict[str, Any] = {
        "input": plan.input,
        "output": plan.output,
        "cached": plan.cached,
        "cache_write": plan.written,
        "written_1h": plan.written_1h,
        "searches": plan.searches,
        "cost": None if plan.cost is None else plan.cost / 1e6,
    }
    return Usage(**{name: count for name, count in named.items() if count is not None})


@dataclass(frozen=True)
class Tool:
    """Something that the model may call: a function with a schema, or a custom tool that takes any text."""

    name: str
    parameters: Mapping[str, object]
    custom: bool = False


@dataclass(frozen=True)
class Ask:
    """A request in vendor-neutral words. `rounds`: tool rounds already done since the last user message."""

    prompt: str = ""
    tools: tuple[Tool, ...] = ()
    rounds: int = 0
    schema: Mapping[str, object] | None = None


@dataclass(frozen=True)
class ToolCall:
    """`arguments` is JSON, or plain text where the tool is a custom one."""

    name: str
    arguments: str
    custom: bool = False


@dataclass(frozen=True)
class Answer:
    """`finish` is one of stop, length, content_filter, tool_calls. Text comes in pieces, as a stream sends it."""

    pieces: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    refused: bool = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def compose(ask: Ask, plan: Plan, *, text: str | None = None) -> Answer:
    """What the model says: tool calls first where there are tools, then the text. `text` overrides the text."""
    if text is None and ask.tools and ask.rounds < plan.rounds:
        tools = (ask.tools * plan.tool_calls)[: plan.tool_calls]
        return Answer(tool_calls=tuple(_call(tool) for tool in tools), finish="tool_calls")
    if plan.refusal:
        return Answer(pieces=split(REFUSAL), refused=True)
    pieces = _pieces(ask, plan, text)
    if plan.length or plan.content_filter:
        return Answer(pieces=pieces[:-1], finish="length" if plan.length else "content_filter")
    return Answer(pieces=pieces)


def _pieces(ask: Ask, plan: Plan, text: str | None) -> tuple[str, ...]:
    if text is None and ask.schema is not None:
        text = json.dumps(example(ask.schema))
    elif text is None:
        text = (ask.prompt if plan.echo else "") or TEXT
    if plan.surrogate:
        text += "\ud83d"
    words = split(text)
    if plan.chunks is None:
        return words
    return tuple(words[index % len(words)] for index in range(plan.chunks)) if words else ()


def split(text: str) -> tuple[str, ...]:
    """Words with the space in front, as models stream them."""
    first, *rest = text.split(" ")
    return tuple(piece for piece in (first, *(" " + word for word in rest)) if piece)


def _call(tool: Tool) -> ToolCall:
    return ToolCall(
        tool.name, "example" if tool.custom else json.dumps(example(tool.parameters)), tool.custom
    )


_DEPTH = 6  # recursive schemas end here: lists are empty, the last choice (mostly null) is taken


def example(
    schema: Mapping[str, object], definitions: Mapping[str, object] | None = None, depth: int = 0
) -> object:
    """The simplest value that a JSON schema allows: first of each choice, shortest text, lowest number."""
    definitions = mapping(schema.get("$defs")) if definitions is None else definitions
    if "$ref" in schema:
        target = mapping(definitions.get(string(schema["$ref"]).rpartition("/")[2]))
        return example(target, definitions, depth + 1)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if options := items(schema.get("enum")):
        return options[0]
    for choices in ("anyOf", "oneOf", "allOf"):
        if options := items(schema.get(choices)):
            return example(mapping(options[0 if depth < _DEPTH else -1]), definitions, depth + 1)
    return _plain(schema, definitions, depth)


def _plain(schema: Mapping[str, object], definitions: Mapping[str, object], depth: int) -> object:
    kind = schema.get("type")
    kind = items(kind)[0] if items(kind) else kind
    if kind == "array":
        element = example(mapping(schema.get("items")), definitions, depth + 1) if depth < _DEPTH else None
        least = schema.get("minItems", 1 if depth < _DEPTH else 0)
        return [element] * (least if isinstance(least, int) else 1)
    if kind == "string":
        least = schema.get("minLength")
        return "example".ljust(least if isinstance(least, int) else 0, "x")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind in ("boolean", "null"):
        return True if kind == "boolean" else None
    properties = mapping(schema.get("properties"))
    return {name: example(mapping(part), definitions, depth + 1) for name, part in properties.items()}
