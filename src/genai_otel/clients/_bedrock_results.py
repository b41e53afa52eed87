"""What all of Bedrock's answers have in common: requests' ids, usage, reasons, errors; each vendor's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from genai_otel import safe, semconv
from genai_otel.clients import _openai_results as openai
from genai_otel.clients._fields import put
from genai_otel.spec import Facts

Fields = Mapping[str, Any]

_INPUT: Final = semconv.USAGE_INPUT_TOKENS
_OUTPUT: Final = semconv.USAGE_OUTPUT_TOKENS
_READ: Final = semconv.USAGE_CACHE_READ_INPUT_TOKENS
_WRITTEN: Final = semconv.USAGE_CACHE_WRITE_INPUT_TOKENS
_THOUGHT: Final = semconv.USAGE_REASONING_OUTPUT_TOKENS
_CLAUDE: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_NOVA: Final = ("inputTokens", "outputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_METRICS: Final = ("inputTokenCount", "outputTokenCount", *_NOVA[2:])
_SERVICE: Final = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
# By a name that tells whose words a usage is in: what is asked and answered, and of the input what a cache served and
# took, which is no part of the count that it stands beside.
_COUNTS: Final = {
    **dict.fromkeys(_CLAUDE, _CLAUDE),
    **dict.fromkeys(_METRICS[:2], _METRICS),
    **dict.fromkeys(_NOVA[2:], _NOVA),
    **dict.fromkeys(_SERVICE, _SERVICE),
}
_NUMBERS: Final = frozenset({int, type(None)})
_KEPT: Final = {
    "5m": semconv.USAGE_CACHE_WRITE_5M_INPUT_TOKENS,
    "1h": semconv.USAGE_CACHE_WRITE_1H_INPUT_TOKENS,
}
_WRITTEN_FOR: Final = {f"ephemeral_{kept}_input_tokens": name for kept, name in _KEPT.items()}
_OWN: Final = (
    *("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
    "totalTokens",  # which knows of a cache even where the client is too old to
)


_ABOUT: Final = ("RequestId", "HTTPHeaders")
_REQUEST_ID: Final = semconv.REQUEST_ID


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
    request_id, headers = map(about.get, _ABOUT)
    if request_id:
        facts[_REQUEST_ID] = request_id
    return headers or {}


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
    names = _CLAUDE if "input_tokens" in found else _names_in(found)
    if names is None:
        openai.usage_facts(facts, found)
        return
    counts: list[Any] = [*map(found.get, names)]
    if not _NUMBERS.issuperset(map(type, counts)):
        counts = [count if type(count) is int else None for count in counts]
    asked, answered, read, written = counts
    if answered is not None:
        facts[_OUTPUT] = answered
    if asked is not None:
        if read:
            facts[_READ] = read
            asked += read
        if written:
            facts[_WRITTEN] = written
            asked += written
            kept: Any = found.get("cache_creation")
            if kept.__class__ is dict and kept.get(
                "ephemeral_1h_input_tokens"
            ):  # else all are for five minutes
                put(facts, kept, _WRITTEN_FOR)
        facts[_INPUT] = asked
    details: Any = found.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if details.__class__ is dict else None
    if thinking:
        facts[_THOUGHT] = thinking


def _names_in(found: Fields) -> tuple[str, str, str, str] | None:
    """Whose words a usage is in; None where they are OpenAI's, or nobody's."""
    return next(map(_COUNTS.get, filter(found.__contains__, _COUNTS)), None)


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
