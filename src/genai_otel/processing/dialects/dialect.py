"""The form of a dialect: another library's vocabulary as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from genai_otel import semconv

NOTHING: Final[Mapping[str, str]] = {}

INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"
RETRIEVAL: Final = "retrieval"

PARAMETERS: Final[Mapping[str, str]] = {
    "model": semconv.REQUEST_MODEL,
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "top_k": semconv.REQUEST_TOP_K,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
    "stop": semconv.REQUEST_STOP_SEQUENCES,
    "stop_sequences": semconv.REQUEST_STOP_SEQUENCES,
    "seed": semconv.REQUEST_SEED,
    "stream": semconv.REQUEST_STREAM,
    "n": semconv.REQUEST_CHOICE_COUNT,
}
"""The vendors' own names of request parameters, as libraries put them into one JSON object."""


@dataclass(frozen=True)
class Dialect:
    """One vocabulary.  Where several names say the same the first one counts; a conventional name counts before all.

    :ivar marks: names that show the dialect; a span with one of them, at its start at the latest at its end, is one
        of GenAI.
    :ivar operations: name, and operation by its value in lower case; the first pair that fits.
    :ivar renamed: old name to conventional name.
    :ivar inside: name of a JSON object, and what its fields are.  A dot in a field is a step into it.
    :ivar indexed: what stands before and behind the index of each choice or message, and what the values are together.
    :ivar first_chunk: the event that marks the first chunk of a stream.
    :ivar uncounted: parts of the input that the dialect does not count as input, so that they are added to it.
    """

    name: str
    marks: frozenset[str]
    operations: tuple[tuple[str, Mapping[str, str]], ...] = ()
    renamed: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    inside: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    indexed: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    first_chunk: str | None = None
    uncounted: tuple[str, ...] = ()
