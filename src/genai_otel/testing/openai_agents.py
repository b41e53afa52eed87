"""OpenAI's agents: sessions, and the events of one turn of them.  All that is known of one is in its id: the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.openai_jobs import new_job_id
from genai_otel.testing.openai_jobs import usage as usage_of
from genai_otel.testing.wire import Event, Reply, mapping, string

Fields = dict[str, object]


def create(job: Job) -> Reply:
    identity = new_job_id("sess_", job.asked)
    if job.streams:
        return Reply(events=_events(job, identity, job.compose(Ask())))
    return Reply(_session(job, identity, "idle"))


def retrieve(job: Job) -> Reply:
    return Reply(_session(job, _in_path(job), "idle"))


def submit(_: Job) -> Reply:
    return Reply({}, 202)


def follow(job: Job) -> Reply:
    """What goes on in a session: one turn of it."""
    return Reply(events=_events(job, _in_path(job), job.compose(Ask())))


def retrieve_turn(job: Job) -> Reply:
    status = "failed" if job.plan.failed else "completed"
    return Reply(_turn(job, _in_path(job), job.request.route.rpartition("/")[2], status))


ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    r"POST .*/agents/sessions": create,
    r"GET .*/agents/sessions/[^/]+": retrieve,
    r"POST .*/agents/sessions/[^/]+/events": submit,
    r"GET .*/agents/sessions/[^/]+/events": follow,
    r"GET .*/agents/sessions/[^/]+/turns/[^/]+": retrieve_turn,
}


def _in_path(job: Job) -> str:
    return job.request.route.partition("/sessions/")[2].partition("/")[0]


def _session(job: Job, identity: str, status: str) -> Fields:
    agent = mapping(job.fields.get("agent"))
    return {
        "id": identity,
        "object": "agent.session",
        "agent": {
            "id": string(job.fields.get("agent_id")) or "agent_1",
            "name": agent.get("name"),
            "model": job.dated_model,
            "tools": [],
        },
        "status": status,
        "created_at": now(),
        "last_active_at": now(),
        "metadata": {},
        "required_actions": [],
        "usage": None if status == "in_progress" else usage_of(job.usage),
        "vault_ids": [],
    }


def _turn(job: Job, session: str, identity: str, status: str) -> Fields:
    ended = status in ("completed", "failed")
    error = {"code": "server_error", "message": "The model failed."} if status == "failed" else None
    return {
        "id": identity,
        "object": "agent.session.turn",
        "agent_id": "agent_1",
        "session_id": session,
        "status": status,
        "created_at": now(),
        "error": error,
        "usage": usage_of(job.usage) if ended else None,
    }


def _events(job: Job, session: str, answer: Answer) -> Iterator[Event]:
    identity = new_id("turn_")
    said: Fields = {"session_id": session, "turn_id": identity, "item_id": new_id("msg_")}
    said |= {"output_index": 0, "content_index": 0}

    def turn(kind: str, status: str) -> Event:
        body = _turn(job, session, identity, status)
        about = {"session_id": session, "turn_id": identity, "turn": body, "usage": body["usage"]}
        return _event(f"agent.session.turn.{kind}", about)

    yield _event("agent.session.created", {"session": _session(job, session, "in_progress")})
    yield turn("created", "queued")
    yield turn("in_progress", "in_progress")
    for piece in answer.pieces:
        yield _event("agent.session.turn.output_text.delta", {**said, "delta": piece})
    yield _event("agent.session.turn.output_text.done", {**said, "text": answer.text})
    ended = "failed" if job.plan.failed else "completed"
    yield turn(ended, ended)
    yield _event("agent.session.idle", {"session": _session(job, session, "idle")})


def _event(kind: str, data: Fields) -> Event:
    return Event({"type": kind, "event_id": new_id("event_"), **data}, kind)
