"""Vendors who speak OpenAI's API with a few words of their own; who is asked is what the client calls itself.

All of them report the usage of a stream in its last chunk without being asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from genai_otel.testing import openai_api, openai_chat
from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Event, Reply, Request, items, mapping

Body = dict[str, object]


@dataclass(frozen=True)
class Kin:
    """A wire format: OpenAI's, with what `whole` makes of an answer and `last` of the last chunk of a stream.

    `agent` stands in the client's User-Agent, in small letters. `first` makes the first chunk. `more` are endpoints of
    the vendor's own by the last two parts of their paths; one that gives None leaves the request to OpenAI's.
    """

    agent: str
    whole: Callable[[Job, Body], Body]
    last: Callable[[Job, Body], Body]
    first: Callable[[Job, Body], Body] = lambda _, body: body
    more: Mapping[str, Callable[[Job], Reply | None]] = field(default_factory=dict[str, Any])

    def serves(self, request: Request) -> bool:
        if self.agent not in request.headers.get("user-agent", "").lower():
            return False
        return openai_api.serves(request) or self._path(request) in self.more

    def model(self, request: Request) -> str:
        return openai_api.model(request)

    def answer(self, job: Job) -> Reply:
        own = self.more.get(self._path(job.request))
        reply = (own(job) if own is not None else None) or openai_api.answer(job)
        if own is not None and reply.events is not None:
            return reply
        if reply.events is not None:
            return replace(reply, events=self._chunks(job, iter(reply.events)))
        body = dict(mapping(reply.payload))
        return replace(reply, payload=self.whole(job, body)) if body else reply

    def error(self, request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
        return openai_api.error(request, status, plan, message)

    def _path(self, request: Request) -> str:
        return "/".join(request.route.rsplit("/", 2)[-2:]) if request.method == "POST" else ""

    def _chunks(self, job: Job, events: Iterator[Event]) -> Iterator[Event]:
        bodies = [dict(mapping(event.data)) for event in events]
        for number, body in enumerate(bodies, 1):
            made = self.first(job, body) if number == 1 else body
            yield Event(self.last(job, made) if number == len(bodies) else made)


def _usage(job: Job, **more: object) -> Body:
    usage = job.usage
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        **more,
    }


# --- Groq: its request id in the first and in the last chunk, the usage beside it ------------------

_TIMES: Mapping[str, object] = {
    "queue_time": 0.01,
    "prompt_time": 0.02,
    "completion_time": 0.03,
    "total_time": 0.05,
}


def _groq_whole(job: Job, body: Body) -> Body:
    if "choices" in body:
        body = {**body, "usage": _usage(job, **_TIMES), "service_tier": "on_demand"}
    elif "text" in body:
        body = {"text": body["text"]}
    return _groq_first(job, body)


def _groq_first(_: Job, body: Body) -> Body:
    return {**body, "x_groq": {"id": new_id("req_")}}


def _groq_last(job: Job, body: Body) -> Body:
    return {**body, "x_groq": {"id": new_id("req_"), "usage": _usage(job, **_TIMES)}}


# --- Together ------------------------------------------------------------------------------------------


def _together_whole(job: Job, body: Body) -> Body:
    if "choices" in body:
        return {**_without(body, "service_tier", "system_fingerprint"), "prompt": [], "usage": _usage(job)}
    if "text" in body:
        return {"text": body["text"]}
    if job.request.route.endswith("/images/generations"):
        data = [{"index": 0, "type": "b64_json", "b64_json": "AAAA"}]
        return {"id": new_id("resp_"), "model": job.model, "object": "list", "data": data}
    return body


def _together_last(job: Job, body: Body) -> Body:
    return {**body, "usage": _usage(job)}


def _together_rerank(job: Job) -> Reply:
    documents = items(job.fields.get("documents"))
    ranks = [{"index": n, "relevance_score": 0.5, "document": {"text": "x"}} for n in range(len(documents))]
    body = {
        "id": new_id("resp_"),
        "model": job.model,
        "object": "rerank",
        "results": ranks,
        "usage": _usage(job),
    }
    return Reply(body)


def _together_speech(job: Job) -> Reply | None:
    if not job.streams:
        return None
    chunks = [Event({"object": "audio.tts.chunk", "model": job.model, "b64": "AAAA"}) for _ in range(5)]
    return Reply(events=chunks, end=openai_chat.DONE, broken=openai_chat.BROKEN)


def _without(body: Body, *names: str) -> Body:
    return {name: value for name, value in body.items() if name not in names}


GROQ = Kin("groq", _groq_whole, _groq_last, _groq_first)
TOGETHER = Kin(
    "together",
    _together_whole,
    _together_last,
    more={"v1/rerank": _together_rerank, "audio/speech": _together_speech},
)

# --- Cerebras and Fireworks ------------------------------------------------------------------------------


def _cerebras_last(job: Job, body: Body) -> Body:
    return {**body, "usage": _usage(job), "time_info": {**_TIMES, "created": 1.5}}


def _fireworks_last(job: Job, body: Body) -> Body:
    """Its usage tells nothing of the output; its measurements come only where they are asked for."""
    told = _without(_usage(job), "completion_tokens_details")
    return {**_without(body, "service_tier", "system_fingerprint"), "usage": told}


CEREBRAS = Kin("cerebras", _cerebras_last, _cerebras_last)
FIREWORKS = Kin("fireworks", _fireworks_last, _fireworks_last)
FORMATS = (GROQ, TOGETHER, CEREBRAS, FIREWORKS)
