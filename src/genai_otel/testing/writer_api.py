"""Writer's API: chat, completions, applications, vision, translation, questions to knowledge graphs.

Only a chat has a usage, with the cached tokens in a field whose name is nearly OpenAI's.  Where a request names no
model, the application or the graph that it names may have directives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from genai_otel.testing import openai_api, openai_chat
from genai_otel.testing.answer import Ask
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

_Body = dict[str, object]

_ROUTE = re.compile(
    r"POST .*/v1/(chat|completions|vision|translation|graphs/question|applications)(?:/(?P<id>[^/]+))?"
)
_NAMES = {"prompt_tokens_details": "prompt_token_details"}
_BROKEN = Event({"message": "The model failed.", "code": "overloaded"}, "error")


def _found(request: Request) -> re.Match[str] | None:
    return _ROUTE.fullmatch(f"{request.method} {request.route}")


def serves(request: Request) -> bool:
    return "writer/python" in request.headers.get("user-agent", "").lower() and _found(request) is not None


def model(request: Request) -> str:
    found = _found(request)
    graphs = [string(each) for each in items(request.fields.get("graph_ids"))]
    named = string(request.fields.get("model")) or (found["id"] if found else None)
    return named or next(iter(graphs), "") or DEFAULT_MODEL


def answer(job: Job) -> Reply:
    found = _found(job.request)
    endpoint = found[1] if found else ""
    return _chat(job) if endpoint == "chat" else _text(job, *_TEXTS[endpoint])


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    return openai_api.error(request, status, plan, message)


# --- chat ------------------------------------------------------------------------------------------------------------


def _chat(job: Job) -> Reply:
    reply = openai_chat.chat(job)
    if reply.events is not None:
        events = (Event(_own(job, mapping(event.data))) for event in reply.events)
        return replace(reply, events=events, broken=_BROKEN, names=_NAMES)
    return replace(reply, payload=_own(job, mapping(reply.payload)), names=_NAMES)


def _own(job: Job, body: Mapping[str, object]) -> _Body:
    kept = {name: value for name, value in body.items() if name != "service_tier"}
    if not body.get("usage"):
        return kept
    usage = job.usage
    kept["usage"] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_token_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
    return kept


# --- what gives one text ---------------------------------------------------------------------------------------------


def _text(job: Job, whole: Callable[[Job, str], _Body], piece: Callable[[Job, str], _Body]) -> Reply:
    asked = next(filter(None, (string(job.fields.get(name)) for name in ("prompt", "question", "text"))), "")
    said = job.compose(Ask(prompt=asked))
    if not job.streams:
        return Reply(whole(job, said.text))
    events: Iterator[Event] = (Event(piece(job, each)) for each in said.pieces)
    return Reply(
        events=events, end=openai_chat.DONE, broken=_BROKEN, strange=Event({"future": True}, "future")
    )


def _completion(job: Job, text: str) -> _Body:
    return {"choices": [{"text": text, "log_probs": None}], "model": job.model}


def _question(job: Job, text: str) -> _Body:
    return {"question": job.fields.get("question"), "answer": text, "sources": []}


def _data(_: Job, text: str) -> _Body:
    return {"data": text}


_TEXTS: dict[str, tuple[Callable[[Job, str], _Body], Callable[[Job, str], _Body]]] = {
    "completions": (_completion, lambda _, text: {"value": text}),
    "applications": (
        lambda _, text: {"title": "Title", "suggestion": text},
        lambda _, text: {"delta": {"title": None, "content": text, "stages": None}},
    ),
    "graphs/question": (_question, lambda job, text: {"data": _question(job, text)}),
    "vision": (_data, _data),
    "translation": (_data, _data),
}
