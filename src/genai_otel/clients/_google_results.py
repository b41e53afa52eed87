"""Requests and results of Google's Gen AI client: its objects → facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

# --- requests: everything but the model stands in ``config``, a model of pydantic's or a dictionary ----------------


def _whole(facts: Facts, value: Any) -> None:
    facts[semconv.REQUEST_TOP_K] = int(value) if type(value) is float and value.is_integer() else value


def _mime_type(facts: Facts, value: Any) -> None:
    if value in ("application/json", "text/x.enum"):
        facts[semconv.OUTPUT_TYPE] = "json"
    elif value == "text/plain":
        facts.setdefault(semconv.OUTPUT_TYPE, "text")


def modalities(facts: Facts, value: Any) -> None:
    """The kind of output that is asked for."""
    names = {word(each) for each in value}
    facts[semconv.OUTPUT_TYPE] = (
        "image"
        if "image" in names
        else "speech"
        if "audio" in names
        else facts.get(semconv.OUTPUT_TYPE, "text")
    )


def _thinking(facts: Facts, value: Any) -> None:
    level = get(value, "thinking_level")
    if level is not None:
        facts[semconv.REQUEST_REASONING_LEVEL] = getattr(level, "value", level)


_CONFIG: Final = requests.request(
    {
        **{name: requests.CHAT[name] for name in ("temperature", "top_p", "presence_penalty")},
        "frequency_penalty": requests.CHAT["frequency_penalty"],
        "top_k": _whole,
        "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
        "candidate_count": requests.CHAT["n"],
        "number_of_images": requests.CHAT["n"],
        "stop_sequences": requests.CHAT["stop"],
        "seed": semconv.REQUEST_SEED,
        "response_mime_type": _mime_type,
        "response_modalities": modalities,
        "thinking_config": _thinking,
        "output_dimensionality": semconv.EMBEDDINGS_DIMENSION_COUNT,
    }
)


def given(config: Any) -> Mapping[str, Any]:
    """The fields of a configuration that were set."""
    if config.__class__ is dict:
        return config
    fields = config.__dict__
    return {name: fields[name] for name in config.__pydantic_fields_set__}


def request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request."""
    config = arguments.get("config")
    return {} if config is None else _CONFIG(given(config))


def streamed_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request whose answer comes in chunks."""
    return {**request(arguments), semconv.REQUEST_STREAM: True}


def image_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request for images."""
    return {**request(arguments), semconv.OUTPUT_TYPE: "image"}


# --- usage: thoughts and the results of Google's own tools are counted beside the totals ---------------------------

INPUT: Final = {
    "text": semconv.USAGE_TEXT_INPUT_TOKENS,
    "image": semconv.USAGE_IMAGE_INPUT_TOKENS,
    "audio": semconv.USAGE_AUDIO_INPUT_TOKENS,
}
OUTPUT: Final = {
    "text": semconv.USAGE_TEXT_OUTPUT_TOKENS,
    "image": semconv.USAGE_IMAGE_OUTPUT_TOKENS,
    "audio": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
}


def usage(facts: Facts, counted: Any) -> None:
    """Facts of a ``usage_metadata``; in a stream each replaces the one before, for it counts from the beginning."""
    get = counted.__dict__.get
    input_usage(facts, counted)
    output, thoughts = get("candidates_token_count"), get("thoughts_token_count")
    if thoughts:
        facts[semconv.USAGE_REASONING_OUTPUT_TOKENS] = thoughts
        facts[semconv.USAGE_OUTPUT_TOKENS] = thoughts + (output or 0)
    elif output is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = output
    details = get("candidates_tokens_details")
    if details:
        _modes(facts, details, OUTPUT)


def input_usage(facts: Facts, counted: Any) -> None:
    """What a ``usage_metadata`` says of the prompt, of which what was cached is a part."""
    get = counted.__dict__.get
    prompt, results = get("prompt_token_count"), get("tool_use_prompt_token_count")
    if prompt is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = prompt + results if results else prompt
    cached = get("cached_content_token_count")
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached
    details = get("prompt_tokens_details")
    if details:
        _modes(facts, details, INPUT)


def _modes(facts: Facts, details: Any, names: Mapping[str, str]) -> None:
    for mode in details:
        name = names.get(word(mode.modality))
        if name is not None and mode.token_count:
            facts[name] = mode.token_count


_GROUNDING: Final = attrgetter("grounding_metadata")
_QUERIES: Final = ("web_search_queries", "image_search_queries")
_BY_PROMPT: Final = re.compile(r"(?:^|/)gemini-[12]\b")


def searched(facts: Facts, grounded: Iterable[Any]) -> None:
    """How many searches are billed, by what answers are grounded on; the same one is billed once."""
    queries = {query for each in grounded for name in _QUERIES for query in items(get(each, name)) if query}
    billed(facts, len(queries))


def billed(facts: Facts, searches: int) -> None:
    """Models of the first two generations bill a prompt that they search for, later ones each search."""
    if searches:
        model = facts.get(semconv.RESPONSE_MODEL) or facts.get(semconv.REQUEST_MODEL)
        facts[semconv.USAGE_WEB_SEARCHES] = 1 if _BY_PROMPT.search(str(model)) else searches


# --- results -------------------------------------------------------------------------------------------------------


def word(value: Any) -> str:
    """An enumeration's name, small; of a value that the client does not know the value."""
    name = getattr(value, "name", value)
    return name.lower() if isinstance(name, str) else ""


def identity(facts: Facts, result: Any) -> None:
    """Who answered."""
    if result.response_id:
        facts[semconv.RESPONSE_ID] = result.response_id
    if result.model_version:
        facts[semconv.RESPONSE_MODEL] = result.model_version


def first(facts: Facts, chunk: Any) -> None:
    """What the first chunk of a stream tells already: who answers, and what was asked."""
    identity(facts, chunk)
    if chunk.usage_metadata is not None:
        input_usage(facts, chunk.usage_metadata)


def response(result: Any) -> Facts:
    """Facts of a result."""
    facts: Facts = {}
    identity(facts, result)
    if result.candidates:
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(
            [word(candidate.finish_reason) or "error" for candidate in result.candidates]
        )
        if any(map(_GROUNDING, result.candidates)):
            searched(facts, map(_GROUNDING, result.candidates))
    else:
        _blocked(facts, result)
    if result.usage_metadata is not None:
        usage(facts, result.usage_metadata)
    return facts


def chunk(facts: Facts, chunk: Any) -> None:
    """Facts of one chunk, most of which carry nothing but text."""
    candidates = chunk.candidates
    if not candidates:
        _blocked(facts, chunk)
        if chunk.usage_metadata is not None:
            usage(facts, chunk.usage_metadata)
        return
    for candidate in candidates:
        if candidate.finish_reason is not None:
            _finished(facts, candidate)
            identity(facts, chunk)
            if chunk.usage_metadata is not None:
                usage(facts, chunk.usage_metadata)
        if candidate.grounding_metadata is not None:
            searched(facts, map(_GROUNDING, candidates))


def _finished(facts: Facts, candidate: Any) -> None:
    reasons = list(facts.get(semconv.RESPONSE_FINISH_REASONS, ()))
    index = candidate.index or 0
    if index < 1024:  # the vendor's word
        reasons += ["error"] * (index + 1 - len(reasons))
        reasons[index] = word(candidate.finish_reason)
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)


def _blocked(facts: Facts, result: Any) -> None:
    """A prompt that was refused has no candidates, and a reason."""
    why = getattr(result.prompt_feedback, "block_reason", None)
    if why is not None:
        facts[semconv.RESPONSE_FINISH_REASONS] = (word(why),)


def embedding_response(result: Any) -> Facts:
    """Facts of embeddings, whose tokens the one service counts in all and the other for each text."""
    facts: Facts = {}
    counted = getattr(result, "usage_metadata", None)
    if counted is not None:
        input_usage(facts, counted)
    elif result.embeddings:
        counts = [getattr(each.statistics, "token_count", None) for each in result.embeddings]
        known = [count for count in counts if count is not None]
        if known:
            facts[semconv.USAGE_INPUT_TOKENS] = int(sum(known))
    return facts


def errors(error: BaseException) -> Facts:
    """The HTTP status of an API error."""
    status = getattr(error, "code", None) or getattr(error, "status_code", None)
    return {semconv.HTTP_STATUS: status} if isinstance(status, int) and 100 <= status < 600 else {}
