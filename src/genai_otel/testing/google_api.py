"""The Gemini API and Vertex AI: paths ``models/{model}:{method}``, camel case, streams without an end marker."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator

from genai_otel.testing import google_interactions, google_jobs
from genai_otel.testing.answer import THOUGHT, Ask, Tool, ToolCall, Usage
from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

_METHOD = re.compile(r"POST .*/models/(?P<model>.+):(?P<method>[a-zA-Z]+)")
_FINISH = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "tool_calls": "STOP",
}
# What the directives of a model name call otherwise.
_NAMES = {
    "usage": "usageMetadata",
    "choices": "candidates",
    "finish_reason": "finishReason",
    "id": "responseId",
    "model": "modelVersion",
}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def serves(request: Request) -> bool:
    found = _METHOD.fullmatch(f"{request.method} {request.route}")
    return (
        _interacts(request)
        or google_jobs.serves(request)
        or (found is not None and found["method"] in _ENDPOINTS)
    )


def _interacts(request: Request) -> bool:
    return request.method == "POST" and request.route.endswith("/interactions")


def model(request: Request) -> str:
    """The model name with its directives: a part of the path, or of the body."""
    if _interacts(request):
        return string(request.fields.get("model")) or string(request.fields.get("agent"))
    found = _METHOD.fullmatch(f"{request.method} {request.route}")
    return found["model"] if found else google_jobs.model(request)


def answer(job: Job) -> Reply:
    if _interacts(job.request):
        return google_interactions.create(job)
    if google_jobs.serves(job.request):
        return google_jobs.looked_at(job, _generate)
    return _ENDPOINTS[job.request.route.rpartition(":")[2]](job)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    """Google's error body; streams break with the same one."""
    text = message or "The local model server was asked to fail."
    if plan.leak:
        text += (
            f" Key: {request.headers.get('x-goog-api-key')}. Body: {request.body.decode(errors='replace')}"
        )
    return Reply(_failure(status, text), status)


def _failure(status: int, message: str) -> dict[str, object]:
    name = _STATUS.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    return {"error": {"code": status, "message": message, "status": name}}


# --- generateContent ------------------------------------------------------------------------------------------------


def _ask(job: Job) -> Ask:
    contents = [mapping(content) for content in items(job.fields.get("contents"))]
    prompt, rounds = "", 0
    for content in contents:
        parts = [mapping(part) for part in items(content.get("parts"))]
        if any("functionResponse" in part for part in parts):
            rounds += 1
        elif content.get("role", "user") == "user":
            prompt, rounds = "".join(string(part.get("text")) for part in parts), 0
    config = mapping(job.fields.get("generationConfig"))
    schema = config.get("responseJsonSchema") or _lowered(config.get("responseSchema"))
    return Ask(prompt, tuple(_tools(job)), rounds, mapping(schema) or None)


def _tools(job: Job) -> Iterator[Tool]:
    for tool in items(job.fields.get("tools")):
        for function in items(mapping(tool).get("functionDeclarations")):
            said = mapping(function)
            schema = said.get("parametersJsonSchema") or _lowered(said.get("parameters"))
            yield Tool(string(said.get("name")), mapping(schema))


def _lowered(schema: object) -> object:
    """A schema in JSON's own words, which Google writes in capitals."""
    if listed := items(schema):
        return [_lowered(part) for part in listed]
    if named := mapping(schema):
        return {
            name: part.lower() if name == "type" and isinstance(part, str) else _lowered(part)
            for name, part in named.items()
        }
    return schema


def _usage(usage: Usage, output: int | None = None) -> dict[str, object]:
    """Thoughts are counted beside the candidates here; ``output`` is what there is so far in a stream."""
    thoughts = min(usage.reasoning, usage.output)
    said = usage.output - thoughts if output is None else min(output, usage.output - thoughts)
    audio = min(usage.audio_input, usage.input)
    return {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": said,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": usage.cached,
        "totalTokenCount": usage.input + said + thoughts,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": usage.input - audio},
            {"modality": "AUDIO", "tokenCount": audio},
        ],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": said}],
    }


def _candidate(job: Job, number: int, parts: list[object], finish: str | None) -> dict[str, object]:
    found: dict[str, object] = {"content": {"role": "model", "parts": parts}, "index": number}
    if finish is not None and job.usage.searches is not None:
        # Some of them say nothing, and are not billed.
        queries = ["", *(f"query {number}" for number in range(job.usage.searches))]
        found["groundingMetadata"] = {"webSearchQueries": queries}
    return found if finish is None else {**found, "finishReason": _FINISH[finish]}


def _call(call: ToolCall) -> dict[str, object]:
    return {"functionCall": {"name": call.name, "args": json.loads(call.arguments)}}


def _count(job: Job) -> int:
    count = mapping(job.fields.get("generationConfig")).get("candidateCount")
    return count if isinstance(count, int) else 1


def _thoughts(job: Job) -> list[object]:
    """A summary of the thoughts where it was asked for."""
    thinking = mapping(mapping(job.fields.get("generationConfig")).get("thinkingConfig"))
    return [{"text": THOUGHT, "thought": True}] if thinking.get("includeThoughts") else []


def _generate(job: Job) -> Reply:
    said = job.compose(_ask(job))
    parts: list[object] = [*_thoughts(job), *([{"text": said.text}] if said.pieces else [])]
    parts += [_call(call) for call in said.tool_calls]
    body = {
        "candidates": [_candidate(job, number, parts, said.finish) for number in range(_count(job))],
        "usageMetadata": _usage(job.usage),
        "modelVersion": job.dated_model,
        "responseId": new_id("resp_"),
    }
    return Reply(body, names=_NAMES)


def _stream(job: Job) -> Reply:
    broken = Event(_failure(500, "The local model server was asked to fail."))
    # Chunks have no kind; a newer one has fields that are not known yet.
    strange = Event({"chunkOfTheFuture": {}})
    return Reply(events=_chunks(job), broken=broken, strange=strange, names=_NAMES)


def _chunks(job: Job) -> Iterator[Event]:
    said = job.compose(_ask(job))
    identity = {"modelVersion": job.dated_model, "responseId": new_id("resp_")}
    parts = [[part] for part in (*_thoughts(job), *({"text": piece} for piece in said.pieces))]
    parts += [[_call(call)] for call in said.tool_calls]
    for number, part in enumerate(parts, 1):
        last = number == len(parts)
        usage = _usage(job.usage, None if last else number)
        for index in range(_count(job)):
            candidate = _candidate(job, index, list[object](part), said.finish if last else None)
            yield Event({"candidates": [candidate], "usageMetadata": usage, **identity})


# --- the others -----------------------------------------------------------------------------------------------------


def _vector(config: object) -> list[float]:
    size = mapping(config).get("outputDimensionality")
    return [0.5] * (size if isinstance(size, int) else 8)


def _embeddings(job: Job) -> Reply:
    vectors = [{"values": _vector(each)} for each in items(job.fields.get("requests"))]
    usage = {"promptTokenCount": job.usage.input, "totalTokenCount": job.usage.input}
    return Reply({"embeddings": vectors, "usageMetadata": usage}, names=_NAMES)


def _predict(job: Job) -> Reply:
    """Vertex AI's embeddings, and the images of both: what is asked for shows in the request."""
    instances = [mapping(instance) for instance in items(job.fields.get("instances"))]
    parameters = job.fields.get("parameters")
    if any("content" in instance for instance in instances):
        counts = _shares(job.usage.input, len(instances))
        return Reply(
            {
                "predictions": [
                    {"embeddings": {"values": _vector(parameters), "statistics": {"token_count": count}}}
                    for count in counts
                ]
            },
            names=_NAMES,
        )
    count = mapping(parameters).get("sampleCount")
    picture = {"bytesBase64Encoded": base64.b64encode(b"picture").decode(), "mimeType": "image/png"}
    return Reply({"predictions": [picture] * (count if isinstance(count, int) else 1)}, names=_NAMES)


def _shares(total: int, parts: int) -> list[int]:
    """Whole numbers that make ``total`` together."""
    return [total // parts + (1 if number < total % parts else 0) for number in range(parts)]


def _tokens(job: Job) -> Reply:
    return Reply({"totalTokens": job.usage.input, "cachedContentTokenCount": job.usage.cached})


def _token_ids(_job: Job) -> Reply:
    return Reply({"tokensInfo": [{"role": "user", "tokens": ["aGk="], "tokenIds": ["1"]}]})


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    "generateContent": _generate,
    "streamGenerateContent": _stream,
    "batchEmbedContents": _embeddings,
    "predict": _predict,
    "countTokens": _tokens,
    "computeTokens": _token_ids,
    "batchGenerateContent": google_jobs.create_batch,
    "predictLongRunning": google_jobs.create_video,
    "fetchPredictOperation": google_jobs.fetch_video,
}
