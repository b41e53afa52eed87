"""AI21's API: chat in OpenAI's form, runs of Maestro, answers from a library.

A stream has the usage in its last chunk, beside the reason why it ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from genai_otel.testing import openai_chat
from genai_otel.testing.answer import Ask
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.openai_api import words
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

_Body = dict[str, object]

_ROUTE = re.compile(r"(POST|GET) .*/(chat/completions|conversational-rag|maestro/runs)(?:/(?P<id>[^/]+))?")
_LEFT_OUT = frozenset({"created", "object", "service_tier", "system_fingerprint"})


def _found(request: Request) -> re.Match[str] | None:
    return _ROUTE.fullmatch(f"{request.method} {request.route}")


def serves(request: Request) -> bool:
    return "ai21 studio sdk" in request.headers.get("user-agent", "").lower() and _found(request) is not None


def model(request: Request) -> str:
    """Of a run the first of its models, of an answer from a library the first of its labels."""
    fields = request.fields
    named: list[object] = [fields.get("model"), *items(fields.get("models")), *items(fields.get("labels"))]
    return next(filter(None, [string(each) for each in named]), DEFAULT_MODEL)


def answer(job: Job) -> Reply:
    found = _found(job.request)
    return _ENDPOINTS[found[2] if found else "chat/completions"](job)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    said = message or "The local model server was asked to fail."
    if plan.leak:
        said += f" Key: {request.headers.get('authorization')}. Text: {words(request)} {request.fields.get('input')}"
    return Reply({"detail": said}, status)


def _chat(job: Job) -> Reply:
    reply = openai_chat.chat(job)
    if reply.events is None:
        return replace(reply, payload=_own(mapping(reply.payload)) | {"usage": _usage(job)})
    bodies = [_own(mapping(event.data)) for event in reply.events]
    bodies[-1] |= {"usage": _usage(job)}
    return replace(reply, events=map(Event, bodies))


def _own(body: Mapping[str, object]) -> _Body:
    return {name: value for name, value in body.items() if name not in _LEFT_OUT}


def _usage(job: Job) -> _Body:
    usage = job.usage
    return {"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.total}


def _answer(job: Job) -> Reply:
    said = job.compose(openai_chat.ask(job.fields))
    body: _Body = {
        "id": new_id("msg_"),
        "choices": [{"role": "assistant", "content": said.text}],
        "sources": [],
    }
    return Reply({**body, "search_queries": None, "context_retrieved": True, "answer_in_context": True})


def _run(job: Job) -> Reply:
    """In progress when it is made, complete when it is looked at."""
    found = _found(job.request)
    identity = found["id"] if found else None
    said = job.compose(Ask(prompt=string(job.fields.get("input"))))
    status, result = ("in_progress", None) if identity is None else ("completed", said.text)
    return Reply({"id": identity or new_id(""), "status": status, "result": result})


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    "chat/completions": _chat,
    "conversational-rag": _answer,
    "maestro/runs": _run,
}
