"""What all of Bedrock's answers have in common: requests' ids, usage, reasons, errors; each vendor's own words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.spec import Facts

Fields = Mapping[str, Any]

# Where the names of usage differ between the vendors, the first that is there counts.
_INPUT: Final = ("inputTokens", "input_tokens", "prompt_tokens", "inputTokenCount")
_OUTPUT: Final = ("outputTokens", "output_tokens", "completion_tokens", "outputTokenCount")
# These are not part of the input that they stand beside.
_READ: Final = ("cacheReadInputTokens", "cacheReadInputTokenCount", "cache_read_input_tokens")
_WRITTEN: Final = ("cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_creation_input_tokens")

_HEADERS: Final = {
    "x-amzn-bedrock-input-token-count": semconv.USAGE_INPUT_TOKENS,
    "x-amzn-bedrock-output-token-count": semconv.USAGE_OUTPUT_TOKENS,
}


def mapping(value: Any) -> Fields:
    """The dictionary, or an empty one: whatever a vendor or a program gives instead has no fields."""
    return cast("Fields", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def document(data: Any) -> Fields:
    """The fields of a JSON text; none where it is another text."""
    try:
        return mapping(json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return {}


def metadata(facts: Facts, result: Any) -> Fields:
    """The request's id; gives the headers of the response."""
    about: Fields = result.get("ResponseMetadata") or {}
    request_id = about.get("RequestId")
    if request_id:
        facts[semconv.REQUEST_ID] = request_id
    return about.get("HTTPHeaders") or {}


def headers(facts: Facts, found: Fields) -> None:
    """The usage that stands in an answer's headers, whichever vendor's model gave it."""
    for name, attribute in _HEADERS.items():
        value = found.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
            facts[attribute] = int(value)


def own_usage(facts: Facts, found: Fields) -> None:
    """Usage in the service's own words; what a cache served or took is added to the input."""
    get = found.get
    tokens, output, read, written = get("inputTokens"), get("outputTokens"), get(_READ[0]), get(_WRITTEN[0])
    if read and tokens is not None:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = read
        tokens += read
    if written and tokens is not None:
        facts[semconv.USAGE_CACHE_WRITE_INPUT_TOKENS] = written
        tokens += written
    total = get("totalTokens")  # which knows of a cache even where the client is too old to
    if total is not None and output is not None and tokens is not None and total - output > tokens:
        tokens = total - output
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    if output is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = output


def usage(facts: Facts, found: Fields) -> None:
    """Usage as any of the vendors reports it; what a cache served or took is added to the input."""
    tokens = _first(found, _INPUT)
    if tokens is not None:
        for names, attribute in (
            (_READ, semconv.USAGE_CACHE_READ_INPUT_TOKENS),
            (_WRITTEN, semconv.USAGE_CACHE_WRITE_INPUT_TOKENS),
        ):
            cached = _first(found, names)
            if cached:
                facts[attribute] = cached
                tokens += cached
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    output = _first(found, _OUTPUT)
    if output is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = output
    _details(facts, found)


def _details(facts: Facts, found: Fields) -> None:
    """What models that speak OpenAI's or Anthropic's language say beside: parts of the totals."""
    cached = mapping(found.get("prompt_tokens_details")).get("cached_tokens")
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached
    reasoned = mapping(found.get("completion_tokens_details")).get("reasoning_tokens")
    reasoned = reasoned or mapping(found.get("output_tokens_details")).get("thinking_tokens")
    if reasoned:
        facts[semconv.USAGE_REASONING_OUTPUT_TOKENS] = reasoned


def _first(found: Fields, names: Iterable[str]) -> int | None:
    for name in names:
        value = found.get(name)
        if type(value) is int:
            return value
    return None


def finished(facts: Facts, *reasons: Any) -> None:
    """Why each choice ended."""
    facts[semconv.RESPONSE_FINISH_REASONS] = tuple([reason_of(reason) for reason in reasons])


def reason_of(reason: Any) -> str:
    """A vendor's stop reason; of a choice that never finished "error"."""
    return reason if isinstance(reason, str) and reason else "error"


def errors(error: BaseException) -> Facts:
    """HTTP status, request id and the service's own code of an error."""
    facts: Facts = {}
    response = mapping(getattr(error, "response", None))
    metadata(facts, response)
    status = mapping(response.get("ResponseMetadata")).get("HTTPStatusCode")
    if isinstance(status, int):
        facts[semconv.HTTP_STATUS] = status
    code = mapping(response.get("Error")).get("Code")
    if (
        isinstance(code, str) and code
    ):  # the class has the same name, or says no more than that there was an error
        facts[semconv.ERROR_TYPE] = code[:1].upper() + code[1:]
    return facts
