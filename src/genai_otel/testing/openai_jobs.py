"""OpenAI's jobs: batches and videos.  All that is known of one is in its id: the model, and what it is to do."""

from __future__ import annotations

from genai_otel.testing.answer import Usage
from genai_otel.testing.directives import DEFAULT_MODEL
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.wire import Reply, Request, mapping, string

Fields = dict[str, object]

_KINDS = ("file-", "batch_", "video_", "run_", "sess_")


def new_job_id(prefix: str, asked: str) -> str:
    """An id that carries the model and its directives; a batch takes them from the id of its input file."""
    return new_id(prefix) + asked.encode("utf-8", "replace").hex()


def model(request: Request) -> str:
    """The model of an agent, or the one behind the ids in a request; empty where there is none."""
    if named := string(mapping(request.fields.get("agent")).get("model")):
        return named
    named = (request.fields.get("input_file_id"), mapping(request.fields.get("video")).get("id"))
    for identity in (*named, *request.route.split("/")):
        text = string(identity)
        kind = next((kind for kind in _KINDS if text.startswith(kind)), None)
        if kind is not None:
            return _asked(text[len(kind) + 32 :])
    return ""


def _asked(text: str) -> str:
    try:
        return bytes.fromhex(text).decode() or DEFAULT_MODEL
    except ValueError:
        return DEFAULT_MODEL


# --- batches --------------------------------------------------------------------------------------


def create_batch(job: Job) -> Reply:
    return Reply(_batch(job, new_job_id("batch_", job.asked), "validating"))


def retrieve_batch(job: Job) -> Reply:
    """A finished batch with its usage, or a failed one."""
    identity = job.request.route.rpartition("/")[2]
    return Reply(_batch(job, identity, "failed" if job.plan.failed else "completed"))


def _batch(job: Job, identity: str, status: str) -> Fields:
    body: Fields = {
        "id": identity,
        "object": "batch",
        "endpoint": job.fields.get("endpoint") or "/v1/chat/completions",
        "input_file_id": job.fields.get("input_file_id") or new_job_id("file-", job.asked),
        "completion_window": "24h",
        "status": status,
        "created_at": now(),
        "model": job.dated_model,
    }
    if status == "completed":
        counts = {"total": 2, "completed": 2, "failed": 0}
        body |= {"completed_at": now(), "output_file_id": new_id("file-"), "request_counts": counts}
        body["usage"] = usage(job.usage)
    elif status == "failed":
        error = {"code": "invalid_json_line", "message": "A line is no JSON.", "line": 1, "param": None}
        body["errors"] = {"object": "list", "data": [error]}
    return body


def usage(took: Usage) -> Fields:
    """What a job took."""
    return {
        "input_tokens": took.input,
        "input_tokens_details": {"cached_tokens": took.cached},
        "output_tokens": took.output,
        "output_tokens_details": {"reasoning_tokens": took.reasoning},
        "total_tokens": took.total,
    }


# --- videos ---------------------------------------------------------------------------------------


def create_video(job: Job) -> Reply:
    return Reply(_video(job, new_job_id("video_", job.asked), "queued"))


def retrieve_video(job: Job) -> Reply:
    identity = job.request.route.rpartition("/")[2]
    return Reply(_video(job, identity, "failed" if job.plan.failed else "completed"))


def _video(job: Job, identity: str, status: str) -> Fields:
    body: Fields = {"id": identity, "object": "video", "created_at": now(), "model": job.model}
    body |= {"status": status, "progress": 100 if status == "completed" else 0}
    body |= {"seconds": "4", "size": "720x1280", "error": None}
    if status == "failed":
        body["error"] = {"code": "moderation_blocked", "message": "The prompt is not allowed."}
    return body
