"""Voyage AI's API: embeddings of three kinds, and reranking.

Its client names itself nowhere; what tells its requests from OpenAI's and others' of the same path is a field that it
always sends.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Mapping

from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job
from genai_otel.testing.wire import Reply, Request, items, string

_ROUTE = re.compile(r"POST .*/(embeddings|multimodalembeddings|contextualizedembeddings|rerank)")
_SENT = {"embeddings": "input_type", "rerank": "truncation"}
_NAMES = {"choices": "data"}


def serves(request: Request) -> bool:
    endpoint = _endpoint(request)
    return endpoint is not None and (endpoint not in _SENT or _SENT[endpoint] in request.fields)


def _endpoint(request: Request) -> str | None:
    found = _ROUTE.fullmatch(f"{request.method} {request.route}")
    return found[1] if found else None


def model(request: Request) -> str:
    return string(request.fields.get("model"))


def answer(job: Job) -> Reply:
    return _ENDPOINTS[_endpoint(job.request) or "embeddings"](job)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    said = message or "The local model server was asked to fail."
    if plan.leak:
        said += f" Key: {request.headers.get('authorization')}. Body: {request.body.decode(errors='replace')}"
    return Reply({"detail": said}, status)


def _listed(job: Job, data: list[object], **usage: int) -> Reply:
    counts = {**usage, "total_tokens": job.usage.input}
    return Reply({"object": "list", "data": data, "model": job.model, "usage": counts}, names=_NAMES)


def _embedding(job: Job, index: int, **more: object) -> Mapping[str, object]:
    size = job.fields.get("output_dimension")
    vector: list[float] = [(index + 1) / (place + 2) for place in range(size if isinstance(size, int) else 8)]
    coded = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    asked = job.fields.get("encoding_format") == "base64"
    return {"object": "embedding", "embedding": coded if asked else vector, "index": index, **more}


def _texts(job: Job) -> Reply:
    given = job.fields.get("input")
    return _listed(
        job, [_embedding(job, n) for n in range(1 if isinstance(given, str) else len(items(given)))]
    )


def _media(job: Job) -> Reply:
    """What are no texts are images, as far as it is counted."""
    data: list[object] = [_embedding(job, number) for number in range(len(items(job.fields.get("inputs"))))]
    usage = job.usage
    pixels = {"image_pixels": usage.image_input * 560, "video_pixels": 0}
    return _listed(job, data, text_tokens=usage.input - usage.image_input, **pixels)


def _chunks(job: Job) -> Reply:
    documents = [items(document) for document in items(job.fields.get("inputs"))]
    data: list[object] = [
        {
            "object": "list",
            "data": [_embedding(job, place) for place in range(len(document))],
            "index": number,
        }
        for number, document in enumerate(documents)
    ]
    return _listed(job, data)


def _ranks(job: Job) -> Reply:
    count = len(items(job.fields.get("documents")))
    return _listed(job, [{"index": number, "relevance_score": 1 / (number + 2)} for number in range(count)])


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    "embeddings": _texts,
    "multimodalembeddings": _media,
    "contextualizedembeddings": _chunks,
    "rerank": _ranks,
}
