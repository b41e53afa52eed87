"""OpenAI's APIs over a WebSocket: Realtime (also as it was in its beta), Responses and Live.

The model's name with its directives stands in the query (Realtime), in each request for a response (Responses), or in
the session's start (Live).  A session of Realtime whose turn detection is on answers each piece of audio by itself;
one of Live hands each piece on to a Responses model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from genai_otel.testing import openai_api, openai_responses
from genai_otel.testing.directives import DEFAULT_MODEL, Plan, UnknownDirective
from genai_otel.testing.job import new_id, now
from genai_otel.testing.openai_realtime import Realtime
from genai_otel.testing.openai_realtime import event as make
from genai_otel.testing.websocket import Dialogue, Jobs, Message
from genai_otel.testing.websocket import now as at_once
from genai_otel.testing.wire import Event, Reply, Request, mapping, string

Fields = dict[str, object]

_PATHS = re.compile(r"GET .*/(realtime|responses|live/sessions(/[^/]+(/\w+)?)?)")
error = openai_api.error


def serves(request: Request) -> bool:
    return _PATHS.fullmatch(f"{request.method} {request.route}") is not None


def model(request: Request) -> str:
    return request.query.get("model") or request.query.get("deployment") or DEFAULT_MODEL


def dialogue(request: Request, jobs: Jobs) -> Dialogue:
    if request.route.endswith("/responses"):
        return _Responses(jobs)
    if request.route.endswith("/realtime"):
        return Realtime(jobs, model(request), beta=request.headers.get("openai-beta") == "realtime=v1")
    return _Live(jobs, attached=not request.route.endswith("/sessions"))


# --- Responses, and Live, which passes their events on ----------------------------------------------


class _Responses:
    closed = False

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def opened(self) -> Iterable[Event]:
        return ()

    def heard(self, message: Message) -> Iterable[tuple[Reply, Plan]]:
        lane = {"stream_id": message["stream_id"]} if "stream_id" in message else {}
        try:
            job = self._jobs(message, string(message.get("model")) or DEFAULT_MODEL)
        except UnknownDirective as unknown:
            yield at_once(Event({"type": "error", "status": 400, "error": {"message": str(unknown)}, **lane}))
            return
        if job.plan.error is not None:
            body = mapping(error(job.request, job.plan.error, job.plan).payload)
            yield at_once(Event({"type": "error", "status": job.plan.error, **body, **lane}))
            return
        yield _with(openai_responses.events(job), lane), job.plan


def _with(reply: Reply, fields: Mapping[str, object]) -> Reply:
    events = (replace(event, data={**mapping(event.data), **fields}) for event in reply.events or ())
    wrong = mapping(reply.broken.data)
    failure = {"type": wrong.get("code"), "code": wrong.get("code"), "message": wrong.get("message")}
    return replace(
        reply, events=events, broken=Event({"type": "error", "status": 500, "error": failure, **fields})
    )


class _Live:
    closed = False

    def __init__(self, jobs: Jobs, *, attached: bool) -> None:
        self._jobs = jobs
        self._session: Fields = {"id": new_id("live_"), "expires_at": now() + 3600, "status": "active"}
        if attached:  # to a session that another connection has started
            self._session["delegation"] = {"type": "responses", "responses": {"model": DEFAULT_MODEL}}

    def opened(self) -> Iterable[Event]:
        return ()

    def heard(self, message: Message) -> Iterable[tuple[Reply, Plan]]:
        kind, cause = string(message.get("type")), {"client_event_id": message.get("event_id")}
        if kind in ("session.start", "session.update"):
            self._session.update(mapping(message.get("session")))
            name = "started" if kind == "session.start" else "updated"
            yield at_once(make(f"session.{name}", session=self._session, **cause))
        elif kind == "session.close":
            usage = {"seconds": 1.5}
            self.closed = True
            yield at_once(
                make("session.closed", reason="close_requested", session=self._session, usage=usage, **cause)
            )
        elif kind == "session.input_audio.append":
            delegation = {"id": new_id("dlg_"), "target": "responses", "type": "delegation"}
            yield at_once(
                Event({"type": "session.output_audio.delta", "delta": "AAAA"}),
                make("session.delegation.created", delegation=delegation, offset_ms=10),
            )
            yield self._delegated(delegation["id"])
        elif kind == "response.create":
            if not self._backend:
                wrong = {"code": "delegation_required", "message": "No backend.", **cause}
                yield at_once(make("error", error={"type": "invalid_request_error", **wrong}, **cause))
            else:
                yield self._delegated(new_id("dlg_"))

    @property
    def _backend(self) -> Mapping[str, object]:
        return mapping(mapping(self._session.get("delegation")).get("responses"))

    def _delegated(self, delegation: str) -> tuple[Reply, Plan]:
        job = self._jobs(self._backend, string(self._backend.get("model")) or DEFAULT_MODEL)
        reply = openai_responses.events(job)
        events = (self._passed(event, delegation) for event in reply.events or ())
        return replace(reply, events=events, broken=self._passed(reply.broken, delegation)), job.plan

    @staticmethod
    def _passed(event: Event, delegation: str) -> Event:
        return make("response.event", event=event.data, delegation_id=delegation)
