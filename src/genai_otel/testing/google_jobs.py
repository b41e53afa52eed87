"""Google's jobs: batches and videos.  All that is known of one is in its name: the model with its directives."""

from __future__ import annotations

import re
from collections.abc import Callable

from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Reply, Request

Fields = dict[str, object]

_NAME = re.compile(r"GET .*/batches/job-[0-9a-f]{32}(?P<model>[0-9a-f]*)")


def new_job_name(kind: str, asked: str) -> str:
    """``batches/…`` or ``operations/…`` with the model and its directives in it."""
    return f"{kind}/{new_id('job-')}{asked.encode('utf-8', 'replace').hex()}"


def serves(request: Request) -> bool:
    return _NAME.fullmatch(f"{request.method} {request.route}") is not None


def model(request: Request) -> str:
    found = _NAME.fullmatch(f"{request.method} {request.route}")
    return bytes.fromhex(found["model"]).decode("utf-8", "replace") if found else ""


def looked_at(job: Job, generate: Callable[[Job], Reply]) -> Reply:
    """A finished batch with two answers, one of them an error."""
    name = job.request.route[job.request.route.index("batches/") :]
    answers: list[Fields] = [{"response": generate(job).payload}, {"error": {"code": 8, "message": "full"}}]
    return Reply(_batch(job, name, "SUCCEEDED", {"inlinedResponses": {"inlinedResponses": answers}}))


def fetch_video(job: Job) -> Reply:
    """Vertex AI's look at an operation, whose name is in the request."""
    name = job.fields.get("operationName")
    if job.plan.failed:
        return Reply({"name": name, "done": True, "error": {"code": 3, "message": "The model failed."}})
    videos = [{"gcsUri": "gs://a.mp4", "mimeType": "video/mp4"}]
    return Reply({"name": name, "done": True, "response": {"videos": videos}})


def create_batch(job: Job) -> Reply:
    return Reply(_batch(job, new_job_name("batches", job.asked), "PENDING"))


def _batch(job: Job, name: str, state: str, output: Fields | None = None) -> Fields:
    metadata: Fields = {"state": f"BATCH_STATE_{state}", "model": f"models/{job.dated_model}", "name": name}
    if output is not None:
        metadata["output"] = output
    return {"name": name, "metadata": metadata}


def create_video(job: Job) -> Reply:
    """The operation stands under the model, as the path of the request names that."""
    under = job.request.route.rpartition(":")[0].partition("/v1beta1/")[2] or f"models/{job.asked}"
    return Reply({"name": f"{under}/{new_job_name('operations', '')}"})
