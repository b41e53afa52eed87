"""Cohere's API: chat, embeddings and reranking of both versions, text generation of the first.

Usage is what was billed beside what was consumed: the first is what counts, and is what the other vendors here say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from genai_otel.testing.answer import Answer, Ask, ToolCall
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.openai_api import words
from genai_otel.testing.openai_chat import ask
from genai_otel.testing.wire import Event, Reply, Request, items, string

_ROUTE = re.compile(r".*/v[12]/(chat|generate|embed|rerank)")
_NAMES = {"choices": "message"}
_OLD_NAMES = {"choices": "text", "usage": "meta"}
_FINISH = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR_TOXIC",
}
_TEMPLATE = 60
"""Tokens of the vendor's own around a prompt: consumed, not billed."""

_ERRORS = {
    400: "invalid request",
    401: "invalid api token",
    404: "model not found",
    429: "too many requests",
}
_STRANGE = Event({"type": "of-the-future", "event_type": "of-the-future", "future": True}, "of-the-future")


def serves(request: Request) -> bool:
    ours = request.headers.get("x-fern-sdk-name") == "cohere"
    return ours and bool(_ROUTE.fullmatch(request.route))


def model(request: Request) -> str:
    return string(request.fields.get("model")) or DEFAULT_MODEL


def answer(job: Job) -> Reply:
    version, endpoint = job.request.route.rsplit("/", 2)[-2:]
    return _ENDPOINTS[endpoint](job) if endpoint != "chat" else (_chat if version == "v2" else _old_chat)(job)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    said = message or _ERRORS.get(status, "internal server error" if status >= 500 else _ERRORS[400])
    if plan.leak:
        said += f" Key: {request.headers.get('authorization')}. Text: {_words(request)}"
    headers = {"x-debug-trace-id": new_id("")}
    if status >= 429:
        headers |= {"retry-after-ms": "1"}
    return Reply({"id": new_id(""), "message": said}, status, headers=headers)


def _words(request: Request) -> str:
    said = [string(request.fields.get(name)) for name in ("message", "query")]
    return " ".join([words(request), *filter(None, said)])


def _counts(job: Job) -> dict[str, object]:
    usage, many = job.usage, job.plan.huge_usage
    billed = {
        "input_tokens": 2**70 if many else usage.input,
        "output_tokens": 2**70 if many else usage.output,
    }
    used = {
        "input_tokens": 2**70 if many else usage.input + _TEMPLATE,
        "output_tokens": 2**70 if many else usage.output,
    }
    return {"billed_units": billed, "tokens": used, "cached_tokens": 2**70 if many else usage.cached}


# --- chat -----------------------------------------------------------------------------------------


def _chat(job: Job) -> Reply:
    said = job.compose(ask(job.fields))
    if job.streams:
        broken = Event(
            {"type": "message-end", "delta": {"error": "failed", "finish_reason": "ERROR"}}, "message-end"
        )
        return Reply(events=_events(job, said), broken=broken, strange=_STRANGE, names=_NAMES)
    body: dict[str, object] = {"id": new_id(""), "finish_reason": _FINISH[said.finish]}
    body["message"] = _message(said)
    return Reply({**body, "usage": _counts(job)}, names=_NAMES)


def _message(said: Answer) -> dict[str, object]:
    if said.tool_calls:
        calls = [_call(call) for call in said.tool_calls]
        return {"role": "assistant", "tool_plan": "I will use a tool.", "tool_calls": calls}
    return {"role": "assistant", "content": [{"type": "text", "text": said.text}]}


def _call(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": new_id("call_"), "type": "function", "function": function}


def _events(job: Job, said: Answer) -> Iterator[Event]:
    def event(kind: str, message: object = None, **more: object) -> Event:
        delta = {} if message is None else {"delta": {"message": message}}
        return Event({"type": kind, **delta, **more}, kind)

    yield event("message-start", {"role": "assistant", "content": []}, id=new_id(""))
    if said.tool_calls:
        yield event("tool-plan-delta", {"tool_plan": "I will use a tool."})
    for number, call in enumerate(said.tool_calls):
        whole = _call(call)
        started = {**whole, "function": {"name": call.name, "arguments": ""}}
        yield event("tool-call-start", {"tool_calls": started}, index=number)
        yield event(
            "tool-call-delta", {"tool_calls": {"function": {"arguments": call.arguments}}}, index=number
        )
        yield event("tool-call-end", index=number)
    if said.pieces:
        yield event("content-start", {"content": {"type": "text", "text": ""}}, index=0)
    for piece in said.pieces:
        yield event("content-delta", {"content": {"text": piece}}, index=0)
    if said.pieces:
        yield event("content-end", index=0)
    end = {"finish_reason": _FINISH[said.finish], "usage": _counts(job)}
    yield event("message-end", delta=end)


# --- the first version ----------------------------------------------------------------------------


def _line(event: Event) -> bytes:
    data = event.data if isinstance(event.data, str) else json.dumps(event.data)
    return data.encode() + b"\n"


def _lines(events: Iterator[Event], broken: Event) -> Reply:
    kind = "application/stream+json"
    return Reply(
        events=events, content_type=kind, framing=_line, broken=broken, strange=_STRANGE, names=_OLD_NAMES
    )


def _old_chat(job: Job) -> Reply:
    said = job.compose(Ask(prompt=string(job.fields.get("message"))))
    body: dict[str, object] = {"response_id": new_id(""), "generation_id": new_id(""), "text": said.text}
    body |= {"finish_reason": _FINISH[said.finish], "meta": {"api_version": {"version": "1"}, **_counts(job)}}
    if not job.streams:
        return Reply(body, names=_OLD_NAMES)

    def events() -> Iterator[Event]:
        yield Event(
            {"event_type": "stream-start", "is_finished": False, "generation_id": body["generation_id"]}
        )
        for piece in said.pieces:
            yield Event({"event_type": "text-generation", "is_finished": False, "text": piece})
        yield Event({"event_type": "stream-end", "finish_reason": body["finish_reason"], "response": body})

    whole = {"response_id": new_id(""), "generation_id": new_id(""), "text": "", "finish_reason": "ERROR"}
    return _lines(events(), Event({"event_type": "stream-end", "finish_reason": "ERROR", "response": whole}))


def _generate(job: Job) -> Reply:
    said = job.compose(Ask(prompt=string(job.fields.get("prompt"))))
    count = job.fields.get("num_generations")
    text: dict[str, object] = {"id": new_id(""), "text": said.text, "finish_reason": _FINISH[said.finish]}
    texts = [text] * (count if isinstance(count, int) else 1)
    body: dict[str, object] = {"id": new_id(""), "prompt": job.fields.get("prompt"), "generations": texts}
    if not job.streams:
        return Reply({**body, "meta": _counts(job)}, names=_OLD_NAMES)

    def events() -> Iterator[Event]:
        for piece in said.pieces:
            yield Event({"event_type": "text-generation", "is_finished": False, "index": 0, "text": piece})
        end = {"event_type": "stream-end", "is_finished": True, "finish_reason": text["finish_reason"]}
        yield Event({**end, "response": {**body, "finish_reason": text["finish_reason"]}})

    wrong = {"event_type": "stream-error", "is_finished": True, "finish_reason": "ERROR", "err": "failed"}
    return _lines(events(), Event(wrong))


# --- embeddings, reranking ------------------------------------------------------------------------


def _embed(job: Job) -> Reply:
    texts = items(job.fields.get("texts")) or [""]
    vectors = [[(index + 1) / (position + 2) for position in range(4)] for index in range(len(texts))]
    typed = job.request.route.endswith("/v2/embed") or bool(job.fields.get("embedding_types"))
    body: dict[str, object] = {"id": new_id(""), "texts": texts}
    body["response_type"] = "embeddings_by_type" if typed else "embeddings_floats"
    body["embeddings"] = {"float": vectors} if typed else vectors
    billed = {"input_tokens": 2**70 if job.plan.huge_usage else job.usage.input}
    return Reply({**body, "meta": {"billed_units": billed}}, names=_OLD_NAMES)


def _rerank(job: Job) -> Reply:
    count = len(items(job.fields.get("documents")))
    results = [{"index": index, "relevance_score": 1 / (index + 2)} for index in range(count)]
    return Reply({"id": new_id(""), "results": results, "meta": {"billed_units": {"search_units": 1}}})


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {"generate": _generate, "embed": _embed, "rerank": _rerank}
