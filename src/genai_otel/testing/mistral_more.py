"""Mistral's other endpoints: conversations, responses, documents, audio, classifiers.

All that is known of a conversation is in its id: the model with its directives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from genai_otel.testing import openai_responses
from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Event, Reply, Request, items

Fields = dict[str, object]

_CONVERSATION = re.compile(r".*/conversations(?:/conv_[0-9a-f]{32}(?P<model>[0-9a-f]*)(?:/restart)?)?")
CONNECTOR_TOKENS = 20
"""What the vendor's own tools brought in, beside the prompt."""


def new_conversation_id(asked: str) -> str:
    """An id that carries the model and its directives."""
    return new_id("conv_") + asked.encode("utf-8", "replace").hex()


def serves(request: Request) -> bool:
    return request.method == "POST" and _find(request) is not None


def model(request: Request) -> str:
    """The model behind a conversation's id, empty where there is none."""
    found = _CONVERSATION.fullmatch(request.route)
    return bytes.fromhex((found["model"] if found else None) or "").decode("utf-8", "replace")


def answer(job: Job) -> Reply:
    found = _find(job.request)
    return found(job) if found else Reply({}, 404)


# --- conversations --------------------------------------------------------------------------------


def _conversation(job: Job) -> Reply:
    said = job.compose(Ask(tools=()))
    if job.streams:
        broken = Event(
            {"type": "conversation.response.error", "message": "The model failed.", "code": 1100},
            "conversation.response.error",
        )
        return Reply(events=_events(job, said), broken=broken)
    outputs = [_output(job, said, index) for index in range(max(1, len(said.tool_calls)))]
    body: Fields = {"object": "conversation.response", "conversation_id": new_conversation_id(job.asked)}
    return Reply({**body, "outputs": outputs, "usage": _usage(job)})


def _output(job: Job, said: Answer, index: int) -> Fields:
    common: Fields = {"object": "entry", "id": new_id("msg_"), "model": job.dated_model}
    if said.tool_calls:
        call = said.tool_calls[index]
        told = {"tool_call_id": new_id("call_")[:9], "name": call.name, "arguments": call.arguments}
        return {**common, "type": "function.call", **told}
    return {**common, "type": "message.output", "role": "assistant", "content": said.text}


def _usage(job: Job) -> Fields:
    usage = job.usage
    counts = {"prompt_tokens": usage.input, "completion_tokens": usage.output}
    total = usage.total + CONNECTOR_TOKENS
    used = {"web": 1} if usage.searches is None else {"web_search": usage.searches}
    return {**counts, "total_tokens": total, "connector_tokens": CONNECTOR_TOKENS, "connectors": used}


def _events(job: Job, said: Answer) -> Iterator[Event]:
    def event(kind: str, **more: object) -> Event:
        return Event({"type": kind, **more}, kind)

    yield event("conversation.response.started", conversation_id=new_conversation_id(job.asked))
    output = _output(job, said, 0)
    for index, call in enumerate(said.tool_calls):
        told = {**output, "arguments": call.arguments, "name": call.name, "output_index": index}
        yield event("function.call.delta", **{k: v for k, v in told.items() if k not in ("type", "object")})
    for piece in said.pieces:
        told = {"id": output["id"], "model": job.dated_model, "role": "assistant", "content": piece}
        yield event("message.output.delta", output_index=0, content_index=0, **told)
    yield event("conversation.response.done", usage=_usage(job))


# --- documents, audio, classifiers ----------------------------------------------------------------


def _document(job: Job) -> Reply:
    page: Fields = {"index": 0, "markdown": job.compose(Ask()).text, "images": [], "dimensions": None}
    return Reply({"pages": [page], "model": job.dated_model, "usage_info": {"pages_processed": 1}})


def _audio_usage(job: Job) -> Fields:
    usage = job.usage
    counts = {"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.total}
    return {**counts, "prompt_audio_seconds": 3}


def _transcription(job: Job) -> Reply:
    said = job.compose(Ask())
    whole: Fields = {
        "model": job.dated_model,
        "text": said.text,
        "language": "en",
        "usage": _audio_usage(job),
    }
    if not job.streams:
        return Reply({**whole, "segments": []})
    kind = "transcription.text.delta"
    events = [Event({"type": kind, "text": piece}, kind) for piece in said.pieces]
    done = Event({"type": "transcription.done", **whole, "segments": []}, "transcription.done")
    return Reply(events=[*events, done])


def _speech(job: Job) -> Reply:
    if not job.streams:
        return Reply({"audio_data": "AAAA"})
    kind = "speech.audio.delta"
    events = [Event({"type": kind, "audio_data": "AAAA"}, kind) for _ in range(3)]
    done = Event({"type": "speech.audio.done", "usage": _audio_usage(job)}, "speech.audio.done")
    return Reply(events=[*events, done])


def _moderation(job: Job) -> Reply:
    result = {"categories": {"violence": False}, "category_scores": {"violence": 0.01}}
    return Reply({"id": new_id(""), "model": job.dated_model, "results": [result] * _many(job)})


def _classification(job: Job) -> Reply:
    result = {"mood": {"scores": {"good": 0.9, "bad": 0.1}}}
    return Reply({"id": new_id(""), "model": job.dated_model, "results": [result] * _many(job)})


def _many(job: Job) -> int:
    return max(1, len(items(job.fields.get("input"))))


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    r".*/responses": openai_responses.create,
    r".*/responses/input_tokens": openai_responses.count_tokens,
    r".*/ocr": _document,
    r".*/audio/transcriptions": _transcription,
    r".*/audio/speech": _speech,
    r".*/(chat/)?moderations": _moderation,
    r".*/(chat/)?classifications": _classification,
    _CONVERSATION.pattern: _conversation,
}
_COMPILED = [(re.compile(pattern), endpoint) for pattern, endpoint in _ENDPOINTS.items()]


def _find(request: Request) -> Callable[[Job], Reply] | None:
    return next((endpoint for pattern, endpoint in _COMPILED if pattern.fullmatch(request.route)), None)
