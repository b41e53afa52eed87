"""What a program says of its call, by plain keywords: their attributes, and what they may be.

A fact that cannot be is named in one warning, counted as dropped and left out: the program goes on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypedDict, cast

from genai_otel import fence, safe, semconv
from genai_otel.spec import Facts

_MAX: Final = 2**63 - 1


class RequestFacts(TypedDict, total=False):
    """What is asked of the model, as the conventions mean it.

    ``stream`` is recorded when it is true, ``choice_count`` is how many answers are asked for.
    """

    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    stop_sequences: str | list[str] | tuple[str, ...] | None
    seed: int | None
    choice_count: int | None
    reasoning_level: str | None
    output_type: str | None
    conversation_id: str | None
    previous_response_id: str | None
    encoding_formats: str | list[str] | tuple[str, ...] | None
    stream: bool | None


class ResponseFacts(TypedDict, total=False):
    """What the model's side answered.  What it did not report is left out; 0 says that it reported none.

    Token counts are totals: ``input_tokens`` include the cached ones, ``output_tokens`` the reasoning.  These are parts
    of them: ``cached_tokens`` (read from a cache) and ``cache_write_tokens`` of the input, ``reasoning_tokens`` of the
    output, and those of images and audio.  ``model`` is the one that answered, ``finish_reasons`` has one per choice,
    ``status`` is the HTTP status, ``request_id`` the vendor's name of the request.
    """

    model: str | None
    id: str | None
    finish_reasons: str | list[str] | tuple[str, ...] | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    image_input_tokens: int | None
    image_output_tokens: int | None
    audio_input_tokens: int | None
    audio_output_tokens: int | None
    embedding_dimensions: int | None
    request_id: str | None
    status: int | None


class _Fact(NamedTuple):
    """One keyword: its attribute, how its value is read, and in words what that may be."""

    attribute: str
    read: Callable[[Any], safe.Attribute | None]
    allowed: str


def _count(value: Any) -> int | None:
    number = None if isinstance(value, bool) else operator.index(value)
    return number if number is not None and 0 <= number <= _MAX else None


def _whole(value: Any) -> safe.Attribute | None:
    return None if isinstance(value, bool) else safe.attribute(operator.index(value))


def _number(value: Any) -> safe.Attribute | None:
    return None if isinstance(value, (bool, str)) else safe.attribute(float(value))


def _text(value: Any) -> str | None:
    return safe.utf8(str.__str__(value)) if isinstance(value, str) else None


def _texts(value: Any) -> safe.Attribute | None:
    given: list[Any] = [value] if isinstance(value, str) else list(value)
    return safe.attribute(given) if all(isinstance(each, str) for each in given) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _counts(**attributes: str) -> dict[str, _Fact]:
    return {name: _Fact(attribute, _count, "a whole number from 0") for name, attribute in attributes.items()}


def _strings(**attributes: str) -> dict[str, _Fact]:
    return {name: _Fact(attribute, _text, "a text") for name, attribute in attributes.items()}


def _lists(**attributes: str) -> dict[str, _Fact]:
    return {name: _Fact(attribute, _texts, "a list of texts") for name, attribute in attributes.items()}


def _numbers(**attributes: str) -> dict[str, _Fact]:
    return {name: _Fact(attribute, _number, "a number") for name, attribute in attributes.items()}


REQUEST: Final[Mapping[str, _Fact]] = {
    **_counts(
        max_tokens=semconv.REQUEST_MAX_TOKENS,
        top_k=semconv.REQUEST_TOP_K,
        choice_count=semconv.REQUEST_CHOICE_COUNT,
    ),
    **_numbers(
        temperature=semconv.REQUEST_TEMPERATURE,
        top_p=semconv.REQUEST_TOP_P,
        frequency_penalty=semconv.REQUEST_FREQUENCY_PENALTY,
        presence_penalty=semconv.REQUEST_PRESENCE_PENALTY,
    ),
    **_strings(
        reasoning_level=semconv.REQUEST_REASONING_LEVEL,
        output_type=semconv.OUTPUT_TYPE,
        conversation_id=semconv.CONVERSATION_ID,
        previous_response_id=semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    ),
    **_lists(
        stop_sequences=semconv.REQUEST_STOP_SEQUENCES, encoding_formats=semconv.REQUEST_ENCODING_FORMATS
    ),
    "seed": _Fact(semconv.REQUEST_SEED, _whole, "a whole number"),
    "stream": _Fact(semconv.REQUEST_STREAM, _flag, "true or false"),
}
RESPONSE: Final[Mapping[str, _Fact]] = {
    **_counts(
        input_tokens=semconv.USAGE_INPUT_TOKENS,
        output_tokens=semconv.USAGE_OUTPUT_TOKENS,
        cached_tokens=semconv.USAGE_CACHE_READ_INPUT_TOKENS,
        cache_write_tokens=semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
        reasoning_tokens=semconv.USAGE_REASONING_OUTPUT_TOKENS,
        image_input_tokens=semconv.USAGE_IMAGE_INPUT_TOKENS,
        image_output_tokens=semconv.USAGE_IMAGE_OUTPUT_TOKENS,
        audio_input_tokens=semconv.USAGE_AUDIO_INPUT_TOKENS,
        audio_output_tokens=semconv.USAGE_AUDIO_OUTPUT_TOKENS,
        embedding_dimensions=semconv.EMBEDDINGS_DIMENSION_COUNT,
        status=semconv.HTTP_STATUS,
    ),
    **_strings(model=semconv.RESPONSE_MODEL, id=semconv.RESPONSE_ID, request_id=semconv.REQUEST_ID),
    **_lists(finish_reasons=semconv.RESPONSE_FINISH_REASONS),
}


def known(table: Mapping[str, _Fact], given: Mapping[str, object]) -> Facts:
    """The attributes of what was given, less what is None and what cannot be."""
    found: Facts = {}
    for name, value in given.items():
        if value is None:
            continue
        fact = table.get(name)
        if fact is None:
            drop(f"no fact of a call is called {name!r}; there are {', '.join(sorted(table))}")
            continue
        try:
            read = fact.read(value)
        except (TypeError, ValueError, OverflowError):
            read = None
        if read is None:
            drop(f"{name} of a call is {_described(value)}; allowed is {fact.allowed}")
        else:
            found[fact.attribute] = read
    if found.get(semconv.REQUEST_STREAM) is False:
        del found[semconv.REQUEST_STREAM]  # the convention has it only where it is true
    return found


def drop(message: str) -> None:
    """Say, once, what the program said that cannot be; count it each time."""
    fence.dropped("spans", "bad_fact")
    fence.warn(f"{message}; it is left out")


def _described(value: object) -> str:
    # Not the value: what a program puts in the wrong place may be what nobody is to read.
    if type(value) in (int, float):
        return f"{value:g}" if abs(cast("float", value)) < 1e18 else "too large"
    return f"of type {type(value).__qualname__}"
