"""What all of Bedrock's answers have in common: requests' ids, usage, reasons, errors; each vendor's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from genai_otel import safe, semconv
from genai_otel.clients._fields import put
from genai_otel.spec import Facts

Fields = Mapping[str, Any]

_INPUT: Final = semconv.USAGE_INPUT_TOKENS
_READ: Final = semconv.USAGE_CACHE_READ_INPUT_TOKENS
_WRITTEN: Final = semconv.USAGE_CACHE_WRITE_INPUT_TOKENS
# The vendors' names of counts; what a cache served or took is no part of the input that it stands beside.
_COUNTS: Final = {
    **dict.fromkeys(("inputTokens", "input_tokens", "prompt_tokens", "inputTokenCount"), _INPUT),
    **dict.fromkeys(
        ("outputTokens", "output_tokens", "completion_tokens", "outputTokenCount"),
        semconv.USAGE_OUTPUT_TOKENS,
    ),
    **dict.fromkeys(("cacheReadInputTokens", "cacheReadInputTokenCount", "cache_read_input_tokens"), _READ),
    **dict.fromkeys(
        ("cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_creation_input_tokens"), _WRITTEN
    ),
}
_KEPT: Final = {
    "5m": semconv.USAGE_CACHE_WRITE_5M_INPUT_TOKENS,
    "1h": semconv.USAGE_CACHE_WRITE_1H_INPUT_TOKENS,
}
# What models that speak OpenAI's or Anthropic's language say beside: parts of the totals.
_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "prompt_tokens_details": {"cached_tokens": _READ},
    "completion_tokens_details": {"reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS},
    "output_tokens_details": {"thinking_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS},
}
_WRITTEN_FOR: Final = {f"ephemeral_{kept}_input_tokens": name for kept, name in _KEPT.items()}
_OWN: Final = (
    *("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
    "totalTokens",  # which knows of a cache even where the client is too old to
)
_HEADERS: Final = {
    "x-amzn-bedrock-input-token-count": semconv.USAGE_INPUT_TOKENS,
    "x-amzn-bedrock-output-token-count": semconv.USAGE_OUTPUT_TOKENS,
}
_whole: Final = re.compile("[0-9]{1,18}").fullmatch


def mapping(value: Any) -> Fields:
    """The dictionary, or an empty one: whatever a vendor or a program gives instead has no fields."""
    return cast("Fields", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def document(data: Any) -> Fields:
    """The fields of a JSON text; none where it is another text."""
    return safe.json_object(data) or {}


def metadata(facts: Facts, result: Any) -> Fields:
    """The request's id; gives the headers of the response."""
    about: Fields = result.get("ResponseMetadata") or {}
    request_id = about.get("RequestId")
    if request_id:
        facts[semconv.REQUEST_ID] = request_id
    return about.get("HTTPHeaders") or {}


def headers(facts: Facts, found: Fields) -> None:
    """The usage that stands in an answer's headers, whichever vendor's model gave it."""
    for name in filter(_HEADERS.__contains__, found):
        if _whole(str(found[name])):
            facts[_HEADERS[name]] = int(found[name])


def own_usage(facts: Facts, found: Fields) -> None:
    """Usage in the service's own words; what a cache served or took is added to the input."""
    tokens, output, read, written, total = map(found.get, _OWN)
    if read and tokens is not None:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = read
        tokens += read
    if written and tokens is not None:
        facts[semconv.USAGE_CACHE_WRITE_INPUT_TOKENS] = written
        tokens += written
        for each in map(mapping, items(found.get("cacheDetails"))):
            put(facts, {str(each.get("ttl")): each.get("inputTokens")}, _KEPT)
    if total is not None and output is not None and tokens is not None and total - output > tokens:
        tokens = total - output
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    if output is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = output


def usage(facts: Facts, found: Fields) -> None:
    """Usage as any of the vendors reports it; what a cache served or took is added to the input."""
    counted: Facts = {}
    for name in filter(_COUNTS.__contains__, found):
        if type(found[name]) is int:
            counted.setdefault(_COUNTS[name], found[name])
    cached = counted.pop(_READ, 0), counted.pop(_WRITTEN, 0)
    if any(cached) and _INPUT in counted:
        counted[_INPUT] += sum(cached)
        facts.update(pair for pair in zip((_READ, _WRITTEN), cached, strict=True) if pair[1])
    facts.update(counted)
    for name in filter(_PARTS.__contains__, found):
        put(facts, mapping(found[name]), _PARTS[name])
    kept = mapping(found.get("cache_creation"))
    if kept.get("ephemeral_1h_input_tokens"):  # else all are for five minutes
        put(facts, kept, _WRITTEN_FOR)


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
