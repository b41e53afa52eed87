"""InvokeModel: each vendor's own form of request and answer, told by its fields.

The model's id does not tell the form: it may be that of an inference profile, a provisioned or an imported model.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _bedrock_results as results
from genai_otel.clients._bedrock_converse import failed, parameters
from genai_otel.clients._bedrock_results import Fields, items, mapping
from genai_otel.clients._fields import put
from genai_otel.safe import json_object
from genai_otel.spec import Endpoint, Facts

_NESTED: Final = frozenset({"inferenceConfig", "textGenerationConfig"})
_CHAT: Final = semconv.CHAT
_READABLE: Final = (str, bytes, bytearray)
# Larger requests hold media or documents, and reading them would take longer than all the rest.
_LONGEST: Final = 262_144

_PARAMETERS: Final = {
    **dict.fromkeys(
        ("max_tokens", "max_tokens_to_sample", "max_completion_tokens", "maxTokens", "maxTokenCount",
         "max_gen_len", "max_new_tokens", "maxNewTokens"),
        semconv.REQUEST_MAX_TOKENS,
    ),
    "temperature": semconv.REQUEST_TEMPERATURE,
    **dict.fromkeys(("top_p", "topP", "p"), semconv.REQUEST_TOP_P),
    **dict.fromkeys(("top_k", "topK", "k"), semconv.REQUEST_TOP_K),
    **dict.fromkeys(("stop", "stop_sequences", "stopSequences"), semconv.REQUEST_STOP_SEQUENCES),
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
    "seed": semconv.REQUEST_SEED,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    **dict.fromkeys(("dimensions", "output_dimension"), semconv.EMBEDDINGS_DIMENSION_COUNT),
}  # fmt: skip
BODY: Final = "parsed body"
"""Under this name the arguments hold what the request's body says."""


# --- requests ------------------------------------------------------------------------------------------------------


def told(
    endpoints: Mapping[str, Endpoint], arguments: Mapping[str, Any]
) -> tuple[Endpoint, Mapping[str, Any]]:
    """The one of the operations' ``endpoints`` that a request is for, and its arguments with what the body says.

    A body that is a file is left for the client to read.
    """
    data = arguments.get("body")
    short = isinstance(data, _READABLE) and len(data) <= _LONGEST
    body: Fields = (json_object(data) if short else None) or {}
    asks = _CHAT if "messages" in body else _operation(body, arguments.get("modelId"))
    return endpoints[asks], {**arguments, BODY: body}


def _operation(body: Fields, model: Any) -> str:
    name = model if isinstance(model, str) else ""
    if "rerank" in name or ("query" in body and "documents" in body):
        return semconv.RERANK
    if "embed" in name or "input_type" in body or "embeddingTypes" in body:
        return semconv.EMBEDDINGS
    if "message" in body:
        return semconv.CHAT
    if "prompt" in body or "inputText" in body:
        return semconv.TEXT_COMPLETION
    if "taskType" in body or "text_prompts" in body:
        return semconv.GENERATE_CONTENT
    return semconv.CHAT


def request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request."""
    facts: Facts = {}
    body: Fields = arguments[BODY]
    parameters(facts, body, _PARAMETERS)
    for name in _NESTED.intersection(body):
        parameters(facts, mapping(body[name]), _PARAMETERS)
    if arguments.get("guardrailIdentifier"):
        facts[semconv.BEDROCK_GUARDRAIL_ID] = arguments["guardrailIdentifier"]
    return facts


def stream_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request for a stream."""
    return {**request(arguments), semconv.REQUEST_STREAM: True}


_ASKED: Final = "x-amzn-bedrock-input-token-count"
_ANSWERED: Final = "x-amzn-bedrock-output-token-count"
_INPUT: Final = semconv.USAGE_INPUT_TOKENS
_OUTPUT: Final = semconv.USAGE_OUTPUT_TOKENS


# --- answers -------------------------------------------------------------------------------------------------------


def response(result: Any) -> Facts:
    """Facts of an answer's headers, which have the usage."""
    facts: Facts = {}
    headers = results.metadata(facts, result)
    try:
        facts[_INPUT] = int(headers[_ASKED])
        facts[_OUTPUT] = int(headers[_ANSWERED])
    except (KeyError, ValueError):  # vectors have no output
        pass
    return facts


def body(facts: Facts, data: bytes) -> None:
    """Facts of an answer's body."""
    fields = json_object(data)
    if fields is None:
        return
    identity, model, reason, usage = map(fields.get, _TOLD)
    if identity is None:
        identity = fields.get("generation_id") or fields.get("response_id")
    if identity:
        facts[_ID] = identity
    if model:
        facts[_MODEL] = model
    if reason.__class__ is str:
        facts[_FINISHED] = (reason or "error",)
    elif reasons := reasons_of(fields):
        results.finished(facts, *reasons)
    results.usage(facts, usage if usage.__class__ is dict else _older_usage(fields))  # pyright: ignore[reportArgumentType] - its class was looked at, in one step


_FINISHED: Final = semconv.RESPONSE_FINISH_REASONS
_TOLD: Final = ("id", "model", "stop_reason", "usage")
_ID: Final = semconv.RESPONSE_ID
_MODEL: Final = semconv.RESPONSE_MODEL
_IDENTITY: Final = {
    **dict.fromkeys(("response_id", "generation_id", "id"), semconv.RESPONSE_ID),
    "model": semconv.RESPONSE_MODEL,
}
_LISTS: Final = ("choices", "outputs", "results", "generations", "completions")
_REASONS: Final = ("stop_reason", "stopReason", "finish_reason", "completionReason", "finishReason")


def reasons_of(fields: Fields) -> list[Any]:
    """Why each of the choices ended, as the vendor says it; none where there is no choice."""
    for name in filter(fields.__contains__, _LISTS):
        if isinstance(fields[name], list):
            return [_reason(mapping(choice)) for choice in items(fields[name])]
    told = next(filter(fields.__contains__, _REASONS), None)
    return [] if told is None else [fields[told]]


def _reason(choice: Fields) -> Any:
    found = next((choice[name] for name in _REASONS if choice.get(name)), None)
    return found.get("reason") if isinstance(found, dict) else found  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - AI21's first models wrap it


def _usage_of(fields: Fields) -> Fields:
    """The usage that a body reports, under names that others have as well."""
    usage = fields.get("usage")
    return mapping(usage) if isinstance(usage, dict) else _older_usage(fields)


def _older_usage(fields: Fields) -> Fields:
    if "prompt_token_count" in fields:
        return {
            "inputTokens": fields["prompt_token_count"],
            "outputTokens": fields.get("generation_token_count"),
        }
    if "inputTextTokenCount" in fields:
        counted = [_count(one) for one in items(fields.get("results"))]
        output = sum(counted) if counted else fields.get("totalOutputTextTokenCount")
        return {"inputTokens": fields["inputTextTokenCount"], "outputTokens": output}
    return {}


def _count(choice: Any) -> int:
    count = mapping(choice).get("tokenCount")
    return count if isinstance(count, int) else 0


# --- streams: each message holds, in base64, one event of the vendor's ---------------------------------------------

METRICS: Final = "amazon-bedrock-invocationMetrics"


def _in_base64(words: Iterable[str]) -> re.Pattern[bytes]:
    """What finds ``words`` in base64 without decoding it: they look different at each of three places."""
    seen = [_encoded(word.encode(), shift) for word, shift in product(words, range(3))]
    return re.compile(b"|".join(re.escape(each) for each in seen))


def _encoded(word: bytes, shift: int) -> bytes:
    """The characters that depend on the word alone, where it begins ``shift`` bytes after a multiple of three."""
    start = -(-8 * shift // 6)
    whole = base64.b64encode(b"\0" * shift + word)
    return whole[start : 8 * (shift + len(word)) // 6]


# In the events with facts: the last of all models, and the ones before it with a reason or with usage.
_facts_in: Final = _in_base64(
    (METRICS, '"usage"', "message_start", "message_delta", "messageStop", '_reason":"', '_reason": "')
).search


def event_of(message: Any) -> Fields:
    """The vendor's event in a message of the stream."""
    return results.document(base64.b64decode(mapping(results.document(message.payload)).get("bytes") or b""))


def first(facts: Facts, message: Any) -> None:
    """Who answers, from a stream's first event."""
    event = event_of(message)
    put(facts, mapping(event.get("message")) or event, _IDENTITY)


def chunk(facts: Facts, message: Any) -> None:
    """Facts of one message of a stream, which is decoded only where it may have some."""
    if ":exception-type" in message.headers:
        failed(message)
    if _facts_in(message.payload) is not None:
        _event(facts, event_of(message))


def _event(facts: Facts, event: Fields) -> None:
    begun = mapping(event.get("message"))
    if begun:  # Anthropic's first, whose output is no count yet
        results.usage(facts, {**mapping(begun.get("usage")), "output_tokens": None})
    _reasons(facts, event)
    results.usage(facts, _usage_of(mapping(event.get("metadata")) or event))
    metrics = mapping(event.get(METRICS))
    if metrics:
        counted: Facts = {}
        results.usage(counted, metrics)
        for name, tokens in counted.items():  # what the vendor says itself is more exact
            facts.setdefault(name, tokens)


def _reasons(facts: Facts, event: Fields) -> None:
    delta = event.get("delta") or event.get("messageStop") or event
    reasons = [reason for reason in reasons_of(mapping(delta)) if reason]
    if reasons:
        results.finished(facts, *reasons)
