"""Agents and knowledge bases that Bedrock runs: what was asked of whom, and usage where a trace tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genai_otel import semconv
from genai_otel.clients import _bedrock_results as results
from genai_otel.clients._bedrock_converse import failed
from genai_otel.clients._bedrock_results import Fields, mapping
from genai_otel.spec import Facts


def agent(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request to an agent, hosted or described by the request itself."""
    return {
        **_conversation(arguments),
        **_given(semconv.AGENT_ID, arguments.get("agentId")),
        **_given(semconv.AGENT_NAME, arguments.get("agentName")),
        **_given(semconv.REQUEST_MODEL, arguments.get("foundationModel")),
        semconv.REQUEST_STREAM: True,
    }


def generate(arguments: Mapping[str, Any]) -> Facts:
    """Facts of a request to a model with a knowledge base."""
    configuration = mapping(arguments.get("retrieveAndGenerateConfiguration"))
    inner: Fields = {
        **mapping(configuration.get("externalSourcesConfiguration")),
        **mapping(configuration.get("knowledgeBaseConfiguration")),
    }
    return {
        **_conversation(arguments),
        **_given(semconv.REQUEST_MODEL, inner.get("modelArn")),
        **_given(semconv.BEDROCK_KNOWLEDGE_BASE_ID, inner.get("knowledgeBaseId")),
    }


def generate_stream(arguments: Mapping[str, Any]) -> Facts:
    """Facts of the same for a stream."""
    return {**generate(arguments), semconv.REQUEST_STREAM: True}


def _conversation(arguments: Mapping[str, Any]) -> Facts:
    return _given(semconv.CONVERSATION_ID, arguments.get("sessionId"))


def _given(name: str, value: Any) -> Facts:
    return {name: value} if value else {}


def response(result: Any) -> Facts:
    """Facts of an answer, or of a stream's response."""
    facts: Facts = {}
    results.metadata(facts, result)
    return {**facts, **_conversation(mapping(result))}


def chunk(facts: Facts, message: Any) -> None:
    """Facts of one message of a stream: traces, where the program asked for them, tell the usage of each model call."""
    kind = message.headers.get(":event-type")
    if kind == "trace":
        _add(facts, _usage_of(results.document(message.payload).get("trace")))
    elif kind is None:
        failed(message)


def _usage_of(trace: Any) -> Fields:
    """The usage in a trace, which holds one step of an agent's work."""
    for step in mapping(trace).values():
        for each in mapping(step).values():
            usage = mapping(mapping(mapping(each).get("metadata")).get("usage"))
            if usage:
                return usage
    return {}


def _add(facts: Facts, usage: Fields) -> None:
    counted: Facts = {}
    results.usage(counted, usage)
    for name, tokens in counted.items():
        facts[name] = facts.get(name, 0) + tokens
