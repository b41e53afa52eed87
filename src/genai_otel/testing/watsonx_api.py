"""IBM watsonx.ai: chat, generation, embeddings, reranking, of models and of deployments, and the tokens of its IAM.

A generation counts its input once, in a stream's first event, and its output from the beginning on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.openai_api import words
from genai_otel.testing.openai_chat import ask
from genai_otel.testing.wire import Event, Reply, Request, items, string

_ROUTE = re.compile(r".*/ml/v1/(?:deployments/([^/]+)/)?text/(\w+)|.*/identity/token")
_STOPS = {"stop": "eos_token", "length": "max_tokens", "content_filter": "error"}
_ERRORS = {
    400: ("invalid_request_entity", "The request is not valid."),
    401: ("authentication_token_not_valid", "Failed to authenticate the request."),
    404: ("model_not_supported", "The model is not supported."),
    429: ("consumption_limit_reached", "Too many requests."),
}
_INTERNAL = ("downstream_request_failed", "The model failed.")
_BROKEN = Event({"errors": [{"code": _INTERNAL[0], "message": _INTERNAL[1]}], "status_code": 500}, "error")


def serves(request: Request) -> bool:
    return bool(_ROUTE.fullmatch(request.route))


def model(request: Request) -> str:
    found = _ROUTE.fullmatch(request.route)
    return string(request.fields.get("model_id")) or (found and found[1]) or DEFAULT_MODEL


def answer(job: Job) -> Reply:
    task = job.request.route.rpartition("/")[2]
    if task == "token":
        token = {"access_token": "sk-test", "token_type": "Bearer", "expires_in": 3600}
        return Reply({**token, "expiration": now() + 3600})
    if task == "chat":
        return Reply(_chat(job))
    if task == "chat_stream":
        return Reply(events=_named(_chat_chunks(job)), broken=_BROKEN)
    if task == "generation":
        said = job.compose(Ask(prompt=string(job.fields.get("input"))))
        return Reply(_generation(job, said.text, _STOPS[said.finish], job.usage.input, job.usage.output))
    if task == "generation_stream":
        return Reply(events=_named(_generation_chunks(job)), broken=_BROKEN)
    return _vectors(job) if task == "embeddings" else _ranks(job)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    code, usual = _ERRORS.get(status, _INTERNAL if status >= 500 else _ERRORS[400])
    said = message or usual
    if plan.leak:
        said += f" Key: {request.headers.get('authorization')}. Text: {words(request)}"
    trace = new_id("")
    body = {"errors": [{"code": code, "message": said}], "trace": trace, "status_code": status}
    return Reply(body, status, headers={"x-global-transaction-id": trace})


def _named(events: Iterator[Mapping[str, object]]) -> Iterator[Event]:
    return (Event(data, "message") for data in events)


def _count(job: Job) -> int:
    count = job.fields.get("n")
    return count if isinstance(count, int) else 1


# --- chat ----------------------------------------------------------------------------------------


def _envelope(job: Job) -> dict[str, object]:
    return {
        "id": new_id("chatcmpl-"),
        "model_id": job.dated_model,
        "model": job.dated_model,
        "created": now(),
    }


def _usage(job: Job) -> dict[str, object]:
    usage = job.usage
    counts = {"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.total}
    return {"usage": counts}


def _message(said: Answer) -> dict[str, object]:
    calls = [
        {
            "id": new_id("call_"),
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in said.tool_calls
    ]
    return {"role": "assistant", "content": said.text, **({"tool_calls": calls} if calls else {})}


def _chat(job: Job) -> dict[str, object]:
    said = job.compose(ask(job.fields))
    choices = [
        {"index": index, "message": _message(said), "finish_reason": said.finish}
        for index in range(_count(job))
    ]
    return {**_envelope(job), "choices": choices, **_usage(job)}


def _chat_chunks(job: Job) -> Iterator[Mapping[str, object]]:
    said, envelope = job.compose(ask(job.fields)), _envelope(job)

    def choice(index: int, delta: Mapping[str, object], finish: str | None) -> list[object]:
        return [{"index": index, "delta": delta, "finish_reason": finish}]

    for number, piece in enumerate(said.pieces):
        for index in range(_count(job)):
            role = {} if number else {"role": "assistant"}
            yield {**envelope, "choices": choice(index, {**role, "content": piece}, None)}
    for index in range(_count(job)):
        delta = {name: part for name, part in _message(said).items() if name == "tool_calls"}
        yield {**envelope, "choices": choice(index, {**delta, "content": ""}, said.finish)}
    yield {**envelope, "choices": [], **_usage(job)}


# --- generation ----------------------------------------------------------------------------------


def _counted(job: Job, **counts: int) -> dict[str, int]:
    """Counts stand in no object of their own here, so what is asked of that is done to each."""
    if "usage" in (*job.plan.no, *job.plan.null):
        return {}
    return dict.fromkeys(counts, 2**70) if job.plan.huge_usage else counts


def _generation(job: Job, text: str, stop: str, asked: int, generated: int) -> dict[str, object]:
    counts = _counted(job, generated_token_count=generated, input_token_count=asked)
    result = {"generated_text": text, **counts, "stop_reason": stop}
    return {"model_id": job.dated_model, "created_at": "2024-07-18T00:00:00Z", "results": [result]}


def _generation_chunks(job: Job) -> Iterator[Mapping[str, object]]:
    said, usage = job.compose(Ask(prompt=string(job.fields.get("input")))), job.usage
    for number, piece in enumerate(said.pieces):
        last = number + 1 == len(said.pieces)
        stop = _STOPS[said.finish] if last else "not_finished"
        generated = usage.output if last else min(number + 1, usage.output)
        yield _generation(job, piece, stop, 0 if number else usage.input, generated)


# --- vectors and ranks ---------------------------------------------------------------------------


def _listed(job: Job, results: list[object]) -> Reply:
    body = {"model_id": job.dated_model, "created_at": "2024-07-18T00:00:00Z", "results": results}
    return Reply({**body, **_counted(job, input_token_count=job.usage.input)})


def _vectors(job: Job) -> Reply:
    return _listed(
        job, [{"embedding": [0.5, -0.25, index]} for index, _ in enumerate(items(job.fields["inputs"]))]
    )


def _ranks(job: Job) -> Reply:
    found = enumerate(items(job.fields["inputs"]))
    return _listed(job, [{"index": index, "score": 0.5 / (index + 1)} for index, _ in found])
