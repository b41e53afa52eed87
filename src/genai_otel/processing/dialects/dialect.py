"""The form of a dialect: another library's vocabulary as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from genai_otel import semconv

KINDS: Final[Mapping[str, str]] = {
    "llm": semconv.CHAT,
    "chat_model": semconv.CHAT,
    "generation": semconv.CHAT,
    "embedding": semconv.EMBEDDINGS,
    "agent": semconv.INVOKE_AGENT,
    "tool": semconv.EXECUTE_TOOL,
    "retriever": semconv.RETRIEVAL,
}
"""The operation by the one word that platforms have for the kind of a span."""

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

USAGE: Final[Mapping[str, str]] = {
    "prompt_tokens": semconv.USAGE_INPUT_TOKENS,
    "input_tokens": semconv.USAGE_INPUT_TOKENS,
    "completion_tokens": semconv.USAGE_OUTPUT_TOKENS,
    "output_tokens": semconv.USAGE_OUTPUT_TOKENS,
    "prompt_tokens_details.cached_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    "input_tokens_details.cached_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_read_input_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    "prompt_tokens_details.cache_write_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    "input_tokens_details.cache_write_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    "cache_creation_input_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    "prompt_tokens_details.audio_tokens": semconv.USAGE_AUDIO_INPUT_TOKENS,
    "completion_tokens_details.audio_tokens": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
    "completion_tokens_details.reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
    "output_tokens_details.reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
    "output_tokens_details.thinking_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
}
"""The vendors' own usage objects, as libraries hand them through."""

CACHED: Final[Mapping[str, tuple[str, ...]]] = {
    semconv.USAGE_INPUT_TOKENS: (
        semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    )
}
"""What some do not count as input."""


@dataclass(frozen=True)
class Dialect:
    """One vocabulary.  Where several names say the same the first one counts; a conventional name counts before all.

    :ivar marks: names that show the dialect.  A span that has one of them, at its start or at its end, is of GenAI.
    :ivar within: names that a span has, too, if it speaks the dialect.
    :ivar names: what spans are called that say nothing else when they start, and do not begin with an operation.
    :ivar operations: a name, and the operation by its value in lower case; the first pair that fits.
    :ivar prefixes: a name, and the operation by what its value begins with.
    :ivar implied: what every span of the dialect means and none says.
    :ivar renamed: old name to conventional name.
    :ivar inside: the name of a JSON object, and what its fields are.  A dot in a field is a step into it, or into each
        object of a list; an empty field is the value itself.
    :ivar indexed: what stands before and behind the index of each choice, and what the values are together.
    :ivar words: conventional name, and its value by a word of the dialect.
    :ivar first_chunk: the event that marks the first chunk of a stream, or an attribute with its time of day.
    :ivar uncounted: by provider (``*``: by any), a total, and what the dialect leaves out of it, so that it is added.
    :ivar total: the sum of all tokens.  Where it takes the cached ones to reach it, they are not in the input.
    :ivar whole: a span without an error and without any of these only says that a stream has begun, and is no call.
    :ivar seconds: how long the call took, where its span is a moment.
    :ivar entity: what names an agent, a tool or a workflow, whichever it is.
    :ivar serves: its spans are a model server's own, of whatever kind.
    :ivar nameless: it never tells the response's id.
    """

    name: str
    marks: frozenset[str]
    within: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    operations: tuple[tuple[str, Mapping[str, str]], ...] = ()
    prefixes: tuple[tuple[str, Mapping[str, str]], ...] = ()
    implied: Mapping[str, str] = field(default_factory=dict[str, str])
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    inside: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    indexed: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    first_chunk: str | None = None
    uncounted: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict[str, Mapping[str, tuple[str, ...]]]
    )
    total: str | None = None
    whole: frozenset[str] = frozenset()
    seconds: str | None = None
    entity: str | None = None
    serves: bool = False
    nameless: bool = False
