"""Mistral's API: chat, fill-in-the-middle and agents' completions, embeddings; the rest is in `mistral_more`.

It shares its paths with OpenAI's; who is asked is what the client calls itself.  Usage comes in a stream's last chunk
without being asked for, tool calls come whole.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from genai_otel.testing import mistral_more, openai_media
from genai_otel.testing.answer import Answer, ToolCall
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.openai_api import words
from genai_otel.testing.openai_chat import DONE, ask
from genai_otel.testing.wire import Event, Reply, Request, mapping, string

_ROUTE = re.compile(r".*/(chat/completions|fim/completions|agents/completions|embeddings)")
_ERRORS = {
    400: ("invalid_request_error", "3051", "The request is not valid."),
    401: ("invalid_request_error", "2001", "Unauthorized"),
    404: ("invalid_model", "1500", "The model does not exist."),
    429: ("rate_limited", "1300", "Rate limit exceeded"),
}
_SERVER_ERROR = ("unreachable_backend", "1100", "Internal server error")
_BROKEN = Event({"object": "error", "message": "The model failed.", "type": "server_error", "code": "1100"})


def serves(request: Request) -> bool:
    agent = request.headers.get("user-agent", "")
    ours = agent.startswith("mistral-client-python/")
    return ours and (bool(_ROUTE.fullmatch(request.route)) or mistral_more.serves(request))


def model(request: Request) -> str:
    """The model name with its directives; an agent's id where an agent is asked."""
    named = string(request.fields.get("model")) or string(request.fields.get("agent_id"))
    return named or mistral_more.model(request) or DEFAULT_MODEL


def answer(job: Job) -> Reply:
    if mistral_more.serves(job.request):
        return mistral_more.answer(job)
    if job.request.route.endswith("/embeddings"):
        return _embeddings(job)
    count = job.fields.get("n")
    answers = [job.compose(ask(job.fields))] * (count if isinstance(count, int) else 1)
    if job.streams:
        strange = Event({**_envelope(job), "choices": [], "field_of_the_future": True})
        return Reply(events=_chunks(job, answers), end=DONE, broken=_BROKEN, strange=strange)
    choices = [
        {"index": index, "message": _message(said), "finish_reason": said.finish}
        for index, said in enumerate(answers)
    ]
    body = {**_envelope(job), "object": "chat.completion", "created": now(), "choices": choices}
    return Reply({**body, "usage": _usage(job)})


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    kind, code, usual = _ERRORS.get(status, _SERVER_ERROR if status >= 500 else _ERRORS[400])
    said = message or usual
    if plan.leak:
        said += f" Key: {request.headers.get('authorization')}. Text: {words(request)}"
    body = {"object": "error", "message": said, "type": kind, "param": None, "code": code}
    return Reply(body, status, headers={"mistral-correlation-id": new_id("")})


def _envelope(job: Job) -> dict[str, object]:
    return {"id": new_id("cmpl-"), "model": job.dated_model}


def _usage(job: Job) -> dict[str, object]:
    usage = job.usage
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _message(said: Answer) -> dict[str, object]:
    calls = [_call(call, number) for number, call in enumerate(said.tool_calls)]
    return {"role": "assistant", "content": said.text, "tool_calls": calls or None, "prefix": False}


def _call(call: ToolCall, number: int) -> dict[str, object]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": new_id("call_")[:9], "type": "function", "function": function, "index": number}


def _chunks(job: Job, answers: list[Answer]) -> Iterator[Event]:
    envelope = {**_envelope(job), "object": "chat.completion.chunk", "created": now()}
    per_choice = [list(_deltas(said)) for said in answers]
    last = sum(map(len, per_choice))
    in_turn = itertools.chain(*itertools.zip_longest(*map(_indexed, range(len(answers)), per_choice)))
    for number, choice in enumerate(filter(None, in_turn), 1):
        usage = {"usage": _usage(job)} if number == last else {}
        yield Event({**envelope, "choices": [choice], **usage})


def _indexed(index: int, deltas: list[tuple[object, str | None]]) -> list[dict[str, object]]:
    return [{"index": index, "delta": delta, "finish_reason": finish} for delta, finish in deltas]


def _deltas(said: Answer) -> Iterator[tuple[object, str | None]]:
    """Deltas, and the finish reason beside the last one."""
    yield {"role": "assistant", "content": ""}, None
    for piece in said.pieces:
        yield {"content": piece}, None
    calls = [_call(call, number) for number, call in enumerate(said.tool_calls)]
    yield {"content": "", **({"tool_calls": calls} if calls else {})}, said.finish


def _embeddings(job: Job) -> Reply:
    reply = openai_media.embeddings(job)
    usage = {"prompt_tokens": job.usage.input, "completion_tokens": 0, "total_tokens": job.usage.input}
    return Reply({"id": new_id(""), **mapping(reply.payload), "usage": usage})
