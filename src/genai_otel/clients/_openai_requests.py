"""Requests of the OpenAI API, and of the many that speak it: arguments → facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.clients._parts import get
from genai_otel.clients._stainless import given, is_mapping
from genai_otel.spec import Facts

_Set = Callable[[Facts, Any], None]
_LARGE: Final = 2**63  # a larger one is no double, and no attribute either
_Table = Mapping[str, "str | _Set"]


def _double(name: str) -> _Set:
    def put(facts: Facts, value: Any) -> None:
        whole = type(value) is int and abs(value) < _LARGE
        facts[name] = float(value) if whole else value

    return put


def _stop(facts: Facts, value: Any) -> None:
    if isinstance(value, str):
        facts[semconv.REQUEST_STOP_SEQUENCES] = (value,)
    elif isinstance(value, (list, tuple)):
        facts[semconv.REQUEST_STOP_SEQUENCES] = tuple(cast("list[Any]", value))


def _stream(facts: Facts, value: Any) -> None:
    if value:
        facts[semconv.REQUEST_STREAM] = True


def _count(facts: Facts, value: Any) -> None:
    if given(value) and value != 1:
        facts[semconv.REQUEST_CHOICE_COUNT] = value


def _tier(facts: Facts, value: Any) -> None:
    if given(value) and value != "auto":
        facts[semconv.OPENAI_REQUEST_SERVICE_TIER] = value


def _format(facts: Facts, value: Any) -> None:
    """A ``response_format``, a ``text`` with one, or the class that ``parse`` fills."""
    if is_mapping(value):
        inner = value.get("format")
        kind = value.get("type") or (inner.get("type") if is_mapping(inner) else None)
        facts[semconv.OUTPUT_TYPE] = "json" if isinstance(kind, str) and kind.startswith("json") else "text"
    elif isinstance(value, type):
        facts[semconv.OUTPUT_TYPE] = "json"


def output_type(facts: Facts, value: Any) -> None:
    """A format of output by its type, for clients that have objects for it."""
    kind = get(value, "type")
    if isinstance(kind, str):
        facts[semconv.OUTPUT_TYPE] = "json" if kind.startswith("json") else kind


def _reasoning(facts: Facts, value: Any) -> None:
    effort = value.get("effort") if is_mapping(value) else None
    if effort is not None:
        facts[semconv.REQUEST_REASONING_LEVEL] = effort


def _conversation(facts: Facts, value: Any) -> None:
    identity = value.get("id") if is_mapping(value) else value
    if isinstance(identity, str):
        facts[semconv.CONVERSATION_ID] = identity


def _encoding(facts: Facts, value: Any) -> None:
    if isinstance(value, str):
        facts[semconv.REQUEST_ENCODING_FORMATS] = (value,)


CHAT: Final[_Table] = {
    "temperature": _double(semconv.REQUEST_TEMPERATURE),
    "top_p": _double(semconv.REQUEST_TOP_P),
    "frequency_penalty": _double(semconv.REQUEST_FREQUENCY_PENALTY),
    "presence_penalty": _double(semconv.REQUEST_PRESENCE_PENALTY),
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
    "seed": semconv.REQUEST_SEED,
    "stop": _stop,
    "n": _count,
    "stream": _stream,
    "service_tier": _tier,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "response_format": _format,
}
RESPONSES: Final[_Table] = {
    "temperature": _double(semconv.REQUEST_TEMPERATURE),
    "top_p": _double(semconv.REQUEST_TOP_P),
    "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
    "stream": _stream,
    "service_tier": _tier,
    "reasoning": _reasoning,
    "text": _format,
    "text_format": _format,
    "previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    "conversation": _conversation,
}
RETRIEVE: Final[_Table] = {
    "response_id": semconv.RESPONSE_ID,
    "starting_after": semconv.REQUEST_STREAM_CURSOR,
    "stream": _stream,
}
EMBEDDINGS: Final[_Table] = {
    "dimensions": semconv.EMBEDDINGS_DIMENSION_COUNT,
    "encoding_format": _encoding,
}
MEDIA: Final[_Table] = {"n": _count, "stream": _stream}


def request(table: _Table, **fixed: str | bool) -> Callable[[Mapping[str, Any]], Facts]:
    """A reader of arguments by ``table``: argument → attribute, or a function that puts it; ``fixed`` are constants."""

    known = table.__contains__  # most arguments say nothing of a call, and are passed over in C

    def read(arguments: Mapping[str, Any]) -> Facts:
        facts: Facts = fixed.copy()
        for name in filter(known, arguments):
            value = arguments[name]
            if value is None:
                continue
            put = table[name]
            if isinstance(put, str):
                facts[put] = value
            else:
                put(facts, value)
        return facts

    return read


def output(kind: str) -> dict[str, str]:
    """The fixed fact of an endpoint that can give one kind of output only."""
    return {semconv.OUTPUT_TYPE: kind}


def with_usage(arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What to add so that the vendor reports the usage of a stream; None where the program has decided."""
    if arguments.get("stream") and not given(arguments.get("stream_options")):
        return {"stream_options": {"include_usage": True}}
    return None


def only_usage(chunk: Any) -> bool:
    """Whether a chunk is there only because usage was asked for."""
    return not chunk.choices and chunk.usage is not None
