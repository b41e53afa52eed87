"""What the models of each vendor say through Bedrock's `InvokeModel`, whole and as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from genai_otel.testing import anthropic_api, openai_chat
from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Event, items, mapping, string

Fields = dict[str, object]
_LOUD = {"stop": "FINISH", "length": "LENGTH", "content_filter": "CONTENT_FILTERED", "tool_calls": "FINISH"}
_COHERE = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "content_filter": "ERROR_TOXIC",
    "tool_calls": "COMPLETE",
}
_NOVA = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "content_filtered",
    "tool_calls": "tool_use",
}


class _Family(NamedTuple):
    """A vendor's form: the whole body, and the events of a stream."""

    whole: Callable[[Job, Answer], Fields]
    streamed: Callable[[Job, Answer], Iterator[Fields]]


def body(job: Job) -> Fields:
    """The body of an answer."""
    return _family(job.model).whole(job, _said(job))


def events(job: Job) -> Iterator[Fields]:
    """The events of a stream."""
    return _family(job.model).streamed(job, _said(job))


def _said(job: Job) -> Answer:
    if items(job.fields.get("messages")):
        return job.compose(openai_chat.ask(job.fields))
    asked = next((job.fields[name] for name in ("prompt", "inputText", "message") if name in job.fields), "")
    return job.compose(Ask(prompt=string(asked)))


# --- Anthropic: as its own service -----------------------------------------------------------------


def _anthropic(job: Job, _answer: Answer) -> Fields:
    return dict(mapping(anthropic_api.answer(job).payload))


def _anthropic_events(job: Job, _answer: Answer) -> Iterator[Fields]:
    found = anthropic_api.answer(job).events or ()
    return (dict(mapping(event.data)) for event in found)


# --- Amazon ----------------------------------------------------------------------------------------


def _titan(job: Job, answer: Answer) -> Fields:
    result = {
        "tokenCount": job.usage.output,
        "outputText": answer.text,
        "completionReason": _LOUD[answer.finish],
    }
    return {**_titan_count(job), "results": [result]}


def _titan_count(job: Job) -> Fields:
    return (
        {}
        if "usage" in (*job.plan.no, *job.plan.null) or job.plan.huge_usage
        else {"inputTextTokenCount": job.usage.input}
    )


def _titan_events(job: Job, answer: Answer) -> Iterator[Fields]:
    for index, piece in enumerate(answer.pieces):
        yield {"outputText": piece, "index": index, "completionReason": None}
    last: Fields = {"outputText": "", "index": len(answer.pieces), "completionReason": _LOUD[answer.finish]}
    yield {**last, "totalOutputTextTokenCount": job.usage.output, **_titan_count(job)}


def _titan_embedding(job: Job, _answer: Answer) -> Fields:
    return {"embedding": [0.25, -0.5], "embeddingsByType": {"float": [0.25, -0.5]}, **_titan_count(job)}


def _nova_usage(job: Job) -> Fields:
    usage = job.usage
    written = min(usage.cache_write, usage.input - usage.cached)
    return {
        "inputTokens": usage.input - usage.cached - written,
        "outputTokens": usage.output,
        "totalTokens": usage.total,
        "cacheReadInputTokenCount": usage.cached,
        "cacheWriteInputTokenCount": written,
    }


def _nova(job: Job, answer: Answer) -> Fields:
    message = {"role": "assistant", "content": [{"text": answer.text}]}
    return {"output": {"message": message}, "stopReason": _NOVA[answer.finish], "usage": _nova_usage(job)}


def _nova_events(job: Job, answer: Answer) -> Iterator[Fields]:
    yield {"messageStart": {"role": "assistant"}}
    for piece in answer.pieces:
        yield {"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield {"messageStop": {"stopReason": _NOVA[answer.finish]}}
    yield {"metadata": {"usage": _nova_usage(job), "metrics": {}, "trace": {}}}


# --- Meta, Mistral, Cohere, AI21 -------------------------------------------------------------------


def _llama(job: Job, answer: Answer) -> Fields:
    counts: Fields = {"prompt_token_count": job.usage.input, "generation_token_count": job.usage.output}
    counts = counts if _titan_count(job) else {}
    return {"generation": answer.text, **counts, "stop_reason": answer.finish}


def _llama_events(job: Job, answer: Answer) -> Iterator[Fields]:
    for piece in answer.pieces:
        yield {
            "generation": piece,
            "prompt_token_count": None,
            "generation_token_count": None,
            "stop_reason": None,
        }
    yield {**_llama(job, answer), "generation": ""}


def _mistral(_job: Job, answer: Answer) -> Fields:
    return {"outputs": [{"text": answer.text, "stop_reason": answer.finish}]}


def _mistral_events(_job: Job, answer: Answer) -> Iterator[Fields]:
    for piece in answer.pieces:
        yield {"outputs": [{"text": piece, "stop_reason": None}]}
    yield {"outputs": [{"text": "", "stop_reason": answer.finish}]}


def _cohere(job: Job, answer: Answer) -> Fields:
    if "message" in job.fields:
        told: Fields = {"response_id": new_id("resp_"), "generation_id": new_id("resp_")}
        return {**told, "text": answer.text, "finish_reason": _COHERE[answer.finish], "chat_history": []}
    generation = {"id": new_id("resp_"), "text": answer.text, "finish_reason": _COHERE[answer.finish]}
    return {"id": new_id("resp_"), "generations": [generation], "prompt": string(job.fields.get("prompt"))}


def _cohere_events(_job: Job, answer: Answer) -> Iterator[Fields]:
    for index, piece in enumerate(answer.pieces):
        yield {"index": index, "is_finished": False, "text": piece, "event_type": "text-generation"}
    yield {"is_finished": True, "event_type": "stream-end", "finish_reason": _COHERE[answer.finish]}


def _cohere_embedding(job: Job, _answer: Answer) -> Fields:
    texts = items(job.fields.get("texts"))
    return {
        "id": new_id("resp_"),
        "embeddings": [[0.25, -0.5]] * len(texts),
        "response_type": "embeddings_floats",
    }


def _j2(_job: Job, answer: Answer) -> Fields:
    completion = {"data": {"text": answer.text}, "finishReason": {"reason": answer.finish}}
    return {"id": 1234, "prompt": {"text": ""}, "completions": [completion]}


# --- all that speak OpenAI's language --------------------------------------------------------------


def _chat(job: Job, _answer: Answer) -> Fields:
    return dict(mapping(openai_chat.chat(job).payload))


def _chat_events(job: Job, _answer: Answer) -> Iterator[Fields]:
    found: Iterator[Event] = iter(openai_chat.chat(job, streams=True).events or ())
    return (dict(mapping(event.data)) for event in found)


_FAMILIES = {
    "titan-embed": _Family(_titan_embedding, _titan_events),
    "cohere.embed": _Family(_cohere_embedding, _cohere_events),
    "anthropic": _Family(_anthropic, _anthropic_events),
    "titan": _Family(_titan, _titan_events),
    "nova": _Family(_nova, _nova_events),
    "meta": _Family(_llama, _llama_events),
    "mistral": _Family(_mistral, _mistral_events),
    "cohere": _Family(_cohere, _cohere_events),
    "ai21.j2": _Family(_j2, _chat_events),
}
_OTHER = _Family(_chat, _chat_events)


def _family(model: str) -> _Family:
    return next((family for word, family in _FAMILIES.items() if word in model), _OTHER)
