"""Bedrock's own form of a conversation, the same for all models: Converse and ConverseStream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _bedrock_results as results
from genai_otel.clients._bedrock_results import Fields, mapping
from genai_otel.spec import Facts, StreamFailed

_CONFIG: Final = {
    "maxTokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "topP": semconv.REQUEST_TOP_P,
    "stopSequences": semconv.REQUEST_STOP_SEQUENCES,
}
_TYPED: Final = frozenset(
    {
        semconv.REQUEST_STOP_SEQUENCES,
        semconv.REQUEST_TEMPERATURE,
        semconv.REQUEST_TOP_P,
        semconv.REQUEST_FREQUENCY_PENALTY,
        semconv.REQUEST_PRESENCE_PENALTY,
    }
)
_LARGE: Final = 2**63  # a larger number is no double, and no attribute either


def request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request."""
    facts: Facts = {}
    config = arguments.get("inferenceConfig")
    if config:
        parameters(facts, mapping(config), _CONFIG)
    if len(arguments) > 3:  # most have a model, messages and a configuration
        _more(facts, arguments)
    return facts


def stream_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request for a stream."""
    return {**request(arguments), semconv.REQUEST_STREAM: True}


def parameters(facts: Facts, fields: Fields, names: Mapping[str, str]) -> None:
    """The parameters among ``fields`` that ``names`` has, under the convention's names and of its types."""
    for name in filter(names.__contains__, fields):
        attribute, value = names[name], fields[name]
        if value is not None:
            facts[attribute] = _typed(attribute, value) if attribute in _TYPED else value


def _typed(attribute: str, value: Any) -> Any:
    if attribute == semconv.REQUEST_STOP_SEQUENCES:
        return (value,) if isinstance(value, str) else tuple(results.items(value))
    return float(value) if type(value) is int and abs(value) < _LARGE else value


def _more(facts: Facts, arguments: Mapping[str, Any]) -> None:
    guardrail = mapping(arguments.get("guardrailConfig")).get("guardrailIdentifier")
    if guardrail:
        facts[semconv.BEDROCK_GUARDRAIL_ID] = guardrail
    output = mapping(arguments.get("outputConfig"))
    if output.get("effort"):
        facts[semconv.REQUEST_REASONING_LEVEL] = output["effort"]
    if mapping(output.get("textFormat")).get("type") == "json_schema":
        facts[semconv.OUTPUT_TYPE] = "json"
    own = mapping(arguments.get("additionalModelRequestFields"))
    if own:
        parameters(facts, own, _OWN)
        parameters(facts, mapping(own.get("inferenceConfig")), _OWN)


# What models take beside, each in its own words.
_OWN: Final = {
    "top_k": semconv.REQUEST_TOP_K,
    "topK": semconv.REQUEST_TOP_K,
    "k": semconv.REQUEST_TOP_K,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
}


def response(result: Any) -> Facts:
    """Facts of an answer; which model a router chose stands in its trace."""
    facts: Facts = {}
    results.metadata(facts, result)
    if "output" in result or "stopReason" in result:  # a body that is no JSON has neither
        facts[semconv.RESPONSE_FINISH_REASONS] = (results.reason_of(result.get("stopReason")),)
    _told(facts, result)
    return facts


def opened(result: Any) -> Facts:
    """Facts of a stream's response before its first event."""
    facts: Facts = {}
    results.metadata(facts, result)
    return facts


def _told(facts: Facts, fields: Fields) -> None:
    usage = fields.get("usage")
    if usage:
        results.own_usage(facts, usage)
    trace = fields.get("trace")
    if trace:
        routed = mapping(mapping(trace).get("promptRouter")).get("invokedModelId")
        if routed:
            facts[semconv.RESPONSE_MODEL] = routed


def chunk(facts: Facts, message: Any) -> None:
    """Facts of one message of a stream, which is parsed only where it may have some."""
    kind = message.headers.get(":event-type")
    if kind == "contentBlockDelta":
        return
    if kind == "messageStop":
        results.finished(facts, results.document(message.payload).get("stopReason"))
    elif kind == "metadata":
        told = results.document(message.payload)
        _told(facts, {**told, "usage": mapping(told.get("usage"))})
    elif kind is None:
        failed(message)


def failed(message: Any) -> None:
    """Tell of an error in a stream, in the words of the services' other errors."""
    code = message.headers.get(":exception-type") or message.headers.get(":error-code")
    if code:
        raise StreamFailed(code[:1].upper() + code[1:])
