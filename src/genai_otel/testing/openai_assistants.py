"""OpenAI's assistants: runs of threads.  All that is known of a run is in its id: the model, and what it is to do.

A run that is asked for is queued, one that is looked at has ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.openai_chat import content_text, tools
from genai_otel.testing.openai_jobs import new_job_id
from genai_otel.testing.wire import Event, Reply, items, mapping, string

Fields = dict[str, object]


def create(job: Job) -> Reply:
    """A run of a thread, or of one that is made with it."""
    return _reply(job, new_job_id("run_", job.asked))


def go_on(job: Job) -> Reply:
    """What the program's tools answered: the run needs no more of them."""
    return _reply(job, _in_path(job))


def retrieve(job: Job) -> Reply:
    return Reply(_run(job, _in_path(job), _status(job, job.compose(Ask()))))


def cancel(job: Job) -> Reply:
    return Reply(_run(job, _in_path(job), "cancelled"))


ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    r"POST .*/threads(/[^/]+)?/runs": create,
    r"POST .*/threads/[^/]+/runs/[^/]+/submit_tool_outputs": go_on,
    r"POST .*/threads/[^/]+/runs/[^/]+/cancel": cancel,
    r"GET .*/threads/[^/]+/runs/[^/]+": retrieve,
}


def _in_path(job: Job) -> str:
    return job.request.route.partition("/runs/")[2].partition("/")[0]


def _reply(job: Job, identity: str) -> Reply:
    if not job.streams:
        return Reply(_run(job, identity, "queued"))
    return Reply(events=_events(job, identity, job.compose(_ask(job))))


def _ask(job: Job) -> Ask:
    said = mapping(job.fields.get("thread")).get("messages") or job.fields.get("additional_messages")
    asked = [content_text(mapping(one).get("content")) for one in items(said)]
    done = "tool_outputs" in job.fields
    return Ask(prompt=asked[-1] if asked else "", tools=() if done else tools(job.fields))


def _status(job: Job, answer: Answer) -> str:
    if job.plan.failed:
        return "failed"
    return {"stop": "completed", "tool_calls": "requires_action"}.get(answer.finish, "incomplete")


def _run(job: Job, identity: str, status: str, answer: Answer | None = None) -> Fields:
    found = re.search(r"/threads/([^/]+)/runs", job.request.route)
    body: Fields = {
        "id": identity,
        "object": "thread.run",
        "created_at": now(),
        "assistant_id": string(job.fields.get("assistant_id")) or "asst_1",
        "thread_id": found.group(1) if found else "thread_1",
        "status": status,
        "model": job.dated_model,
        "instructions": "",
        "tools": [],
        "metadata": {},
        "parallel_tool_calls": True,
        "usage": None,
    }
    if status == "failed":
        body["last_error"] = {"code": "server_error", "message": "The model failed."}
    if status == "incomplete":
        body["incomplete_details"] = {"reason": "max_completion_tokens"}
    if status == "requires_action" and answer is not None:
        calls = [
            {
                "id": new_id("call_"),
                "type": "function",
                "function": {"name": each.name, "arguments": each.arguments},
            }
            for each in answer.tool_calls
        ]
        body["required_action"] = {
            "type": "submit_tool_outputs",
            "submit_tool_outputs": {"tool_calls": calls},
        }
    elif status not in ("queued", "in_progress", "requires_action"):
        usage = job.usage
        body["usage"] = {
            "prompt_tokens": usage.input,
            "prompt_token_details": {"cached_tokens": usage.cached},
            "completion_tokens": usage.output,
            "total_tokens": usage.total,
        }
    return body


def _events(job: Job, identity: str, answer: Answer) -> Iterator[Event]:
    for status in ("created", "queued", "in_progress"):
        yield _event(f"thread.run.{status}", _run(job, identity, "queued" if status == "created" else status))
    status = _status(job, answer)
    if answer.pieces:
        said = new_id("msg_")
        yield _event("thread.message.created", _message(said, "in_progress", []))
        for piece in answer.pieces:
            delta: Fields = {
                "id": said,
                "object": "thread.message.delta",
                "delta": {"content": [_text(piece)]},
            }
            yield _event("thread.message.delta", delta)
        yield _event("thread.message.completed", _message(said, "completed", [_text(answer.text)]))
    yield _event(f"thread.run.{status}", _run(job, identity, status, answer))
    yield Event("[DONE]", "done")


def _text(value: str) -> Fields:
    return {"index": 0, "type": "text", "text": {"value": value, "annotations": []}}


def _message(identity: str, status: str, content: list[Fields]) -> Fields:
    body: Fields = {"id": identity, "object": "thread.message", "role": "assistant", "status": status}
    return {**body, "content": content, "attachments": [], "metadata": {}, "created_at": now()}


def _event(kind: str, data: Fields) -> Event:
    return Event(data, kind)
