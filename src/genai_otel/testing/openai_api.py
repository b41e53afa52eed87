"""The OpenAI API: which path is which endpoint, where the model name stands, and how errors look.

Paths are matched at their end, so that `/v1`, `/openai/v1` and Azure's `/openai/deployments/{name}` all work.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from genai_otel.testing import (
    openai_agents,
    openai_assistants,
    openai_chat,
    openai_jobs,
    openai_media,
    openai_responses,
)
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job
from genai_otel.testing.wire import Reply, Request, items, mapping, string

_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    r"POST .*/chat/completions": openai_chat.chat,
    r"POST .*/completions": openai_chat.completion,
    r"POST .*/responses": openai_responses.create,
    r"POST .*/responses/(?P<id>[^/]+)/cancel": openai_responses.cancel,
    r"POST .*/responses/compact": openai_responses.compact,
    r"POST .*/responses/input_tokens": openai_responses.count_tokens,
    r"GET .*/responses/(?P<id>[^/]+)": openai_responses.retrieve,
    r"POST .*/embeddings": openai_media.embeddings,
    r"POST .*/moderations": openai_media.moderations,
    r"POST .*/images/(generations|edits|variations)": openai_media.images,
    r"POST .*/audio/speech": openai_media.speech,
    r"POST .*/audio/transcriptions": openai_media.transcription,
    r"POST .*/audio/translations": openai_media.translation,
    r"POST .*/decisions": openai_responses.decide,
    r"POST .*/batches": openai_jobs.create_batch,
    r"GET .*/batches/(?P<id>batch_[^/]+)": openai_jobs.retrieve_batch,
    r"POST .*/videos(/(edits|extensions|(?P<id>[^/]+)/remix))?": openai_jobs.create_video,
    r"GET .*/videos/(?P<id>[^/]+)": openai_jobs.retrieve_video,
    r"GET .*/models(/(?P<model>[^/]+))?": openai_media.models,
    **openai_agents.ENDPOINTS,
    **openai_assistants.ENDPOINTS,
}
_COMPILED = [(re.compile(pattern), endpoint) for pattern, endpoint in _ENDPOINTS.items()]

_ERRORS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "The request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "You may not use this model."),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
    ),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
}
_SERVER_ERROR = ("server_error", None, "The server had an error while processing your request.")


def _find(request: Request) -> tuple[re.Match[str], Callable[[Job], Reply]] | None:
    line = f"{request.method} {request.route}"
    found = ((pattern.fullmatch(line), endpoint) for pattern, endpoint in _COMPILED)
    return next(((match, endpoint) for match, endpoint in found if match), None)


def serves(request: Request) -> bool:
    return _find(request) is not None


def model(request: Request) -> str:
    """The model name with its directives: a field of the body, Azure's deployment, or part of a response id."""
    if name := string(request.fields.get("model")):
        return name
    if deployment := re.search(r"/deployments/([^/]+)/", request.route):
        return deployment.group(1)
    if response := re.search(r"/responses/(resp_[^/]+)", request.route):
        return openai_responses.model_of(response.group(1))
    return openai_jobs.model(request) or DEFAULT_MODEL


def answer(job: Job) -> Reply:
    found = _find(job.request)
    return found[1](job) if found else error(job.request, 404, Plan())


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    """The error body of OpenAI, and the headers that make its client retry at once."""
    kind, code, usual = _ERRORS.get(status, _SERVER_ERROR if status >= 500 else _ERRORS[400])
    text = message or usual
    if plan.leak:
        text += f" Key: {request.headers.get('authorization')}. Text: {words(request)}"
    body = {"error": {"message": text, "type": kind, "param": None, "code": code}}
    return Reply(body, status, headers={"retry-after": "0", "retry-after-ms": "1"} if status >= 429 else {})


def words(request: Request) -> str:
    """What the user said, in any endpoint: everything that a careless error message could repeat."""
    fields = request.fields
    said = [mapping(message).get("content") for message in items(fields.get("messages"))]
    return " ".join(str(part) for part in [*said, fields.get("input"), fields.get("prompt")] if part)
