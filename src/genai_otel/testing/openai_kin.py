"""Vendors who speak OpenAI's API with a few words of their own; who is asked is what the client calls itself.

All of them report the usage of a stream in its last chunk without being asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from genai_otel.testing import openai_api
from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Event, Reply, Request, mapping

Body = dict[str, object]


@dataclass(frozen=True)
class Kin:
    """A wire format: OpenAI's, with what `whole` makes of an answer and `last` of the last chunk of a stream.

    `agent` stands in the client's User-Agent, in small letters. `first` makes the first chunk.
    """

    agent: str
    whole: Callable[[Job, Body], Body]
    last: Callable[[Job, Body], Body]
    first: Callable[[Job, Body], Body] = lambda _, body: body

    def serves(self, request: Request) -> bool:
        return self.agent in request.headers.get("user-agent", "").lower() and openai_api.serves(request)

    def model(self, request: Request) -> str:
        return openai_api.model(request)

    def answer(self, job: Job) -> Reply:
        reply = openai_api.answer(job)
        if reply.events is not None:
            return replace(reply, events=self._chunks(job, iter(reply.events)))
        body = dict(mapping(reply.payload))
        return replace(reply, payload=self.whole(job, body)) if body else reply

    def error(self, request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
        return openai_api.error(request, status, plan, message)

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


GROQ = Kin("groq", _groq_whole, _groq_last, _groq_first)
FORMATS = (GROQ,)
