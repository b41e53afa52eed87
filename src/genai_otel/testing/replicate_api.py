"""Replicate's API: predictions of models, versions and deployments, made, looked at and streamed.

A prediction is finished at once where the client waits for it, else when it is looked at.  Its id holds the model's
name with its directives; those of a stream are left to the stream.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from genai_otel.testing.answer import Ask
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job
from genai_otel.testing.wire import Event, Reply, Request, mapping, string

_CREATE = re.compile(r"(?P<root>.*)/v1/((models|deployments)/(?P<model>[^/]+/[^/]+)/)?predictions")
_LOOK = re.compile(r"(?P<root>.*)/v1/(?P<what>predictions|streams)/(?P<id>[^/]+)")
_VERSION = re.compile(r".*/v1/models/(?P<model>[^/]+/[^/]+)/versions/(?P<version>[^/]+)")
_OF_REQUESTS = re.compile("error|fail|leak")
_NAMES = {"usage": "metrics", "choices": "output", "finish_reason": "error"}
_TITLES = {400: "Bad request", 401: "Unauthenticated", 404: "Not found", 429: "Too many requests"}


def serves(request: Request) -> bool:
    return _match(request) is not None


def _match(request: Request) -> re.Match[str] | None:
    if request.method == "POST":
        return _CREATE.fullmatch(request.route)
    return _LOOK.fullmatch(request.route) or _VERSION.fullmatch(request.route)


def _found(request: Request, name: str) -> str:
    found = _match(request)
    return (found.groupdict().get(name) or "") if found else ""


def _asked(request: Request) -> str:
    """The model's name with all its directives."""
    identity = _found(request, "id")
    if identity:
        try:
            return bytes.fromhex(identity.rpartition("-")[2]).decode() or DEFAULT_MODEL
        except ValueError:
            return DEFAULT_MODEL
    return _found(request, "model") or string(request.fields.get("version"))


def model(request: Request) -> str:
    name, *directives = _asked(request).split("+")
    if request.fields.get("stream") is True:
        directives = [each for each in directives if _OF_REQUESTS.match(each)]
    elif request.method == "GET":  # a request that was refused is none that made it
        directives = [each for each in directives if not _OF_REQUESTS.match(each)]
    return "+".join([name, *directives])


def answer(job: Job) -> Reply:
    if _found(job.request, "what") == "streams":
        return _stream(job)
    if _found(job.request, "version"):
        return Reply(_version(job))
    made = job.request.method == "POST"
    waits = "wait" in job.request.headers.get("prefer", "") and not job.streams
    ended = waits or not made
    return Reply(_prediction(job, ended=ended), 201 if made else 200, names=_NAMES)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    detail = message or "The local model server was asked to fail."
    if plan.leak:
        detail += (
            f" Key: {request.headers.get('authorization')}. Body: {request.body.decode(errors='replace')}"
        )
    problem = {"title": _TITLES.get(status, "Error"), "detail": detail, "status": status}
    return Reply(problem, status, content_type="application/problem+json")


# --- predictions -----------------------------------------------------------------------------------------------------


def _identity(job: Job) -> str:
    """Of a prediction: made of all that was asked, so that a program that runs twice sees the same."""
    if identity := _found(job.request, "id"):
        return identity
    digest = hashlib.sha256(job.request.path.encode() + job.request.body).hexdigest()[:20]
    return f"{digest}-{_asked(job.request).encode('utf-8', 'replace').hex()}"


def _prediction(job: Job, *, ended: bool) -> dict[str, object]:
    identity, request = _identity(job), job.request
    root = f"http://{request.headers.get('host')}{_found(request, 'root')}/v1"
    urls = {"get": f"{root}/predictions/{identity}", "cancel": f"{root}/predictions/{identity}/cancel"}
    if job.streams:
        urls["stream"] = f"{root}/streams/{identity}"
    body: dict[str, object] = {
        "id": identity,
        "model": job.model,
        "version": string(request.fields.get("version")) or "hidden",
        "status": "succeeded" if ended else "starting",
        "input": mapping(request.fields.get("input")),
        "output": list(job.compose(_ask(job)).pieces) if ended else None,
        "logs": "",
        "error": None,
        "created_at": "2024-07-18T12:00:00.000Z",
        "urls": urls,
    }
    return {**body, "metrics": _metrics(job)} if ended else body


def _ask(job: Job) -> Ask:
    return Ask(prompt=string(mapping(job.fields.get("input")).get("prompt")))


def _metrics(job: Job) -> dict[str, object]:
    huge = job.plan.huge_usage
    return {
        "predict_time": 0.25,
        "total_time": 0.5,
        "input_token_count": 2**70 if huge else job.usage.input,
        "output_token_count": 2**70 if huge else job.usage.output,
        "tokens_per_second": 28.0,
    }


def _version(job: Job) -> dict[str, object]:
    """A version whose output is one text."""
    output = {"components": {"schemas": {"Output": {"type": "string", "title": "Output"}}}}
    return {
        "id": _found(job.request, "version"),
        "created_at": "2024-07-18T12:00:00.000Z",
        "cog_version": "0.9.0",
        "openapi_schema": output,
    }


# --- streams ---------------------------------------------------------------------------------------------------------


def _stream(job: Job) -> Reply:
    return Reply(events=_events(job), broken=Event("The model failed.", "error"), framing=_framed)


def _events(job: Job) -> Iterator[Event]:
    for piece in job.compose(_ask(job)).pieces:
        yield Event(piece, "output")
    yield Event("{}", "done")


def _framed(event: Event) -> bytes:
    lines = [
        f"event: {event.name}",
        "id: 1721304000000:0",
        *(f"data: {line}" for line in str(event.data).split("\n")),
    ]
    return "\n".join([*lines, "", ""]).encode("utf-8", "replace")
