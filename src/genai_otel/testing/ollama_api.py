"""Ollama's API: paths under ``/api/``, one JSON object per line in a stream, counts in the last of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from genai_otel.testing.answer import THOUGHT, Answer, Ask
from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job
from genai_otel.testing.openai_chat import content_text, tools
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

_Body = dict[str, object]

_PATH = re.compile(r"POST .*/(api/(chat|generate|embed|embeddings)|v1/systemone)")
_CREATED = "2024-07-18T12:00:00.000000Z"
_BROKEN = Event({"error": "an error was encountered while running the model"})
_STRANGE = Event(
    {"model": "of the future", "created_at": _CREATED, "done": False, "message": {"role": "assistant"}}
)
# What the directives of a model name call otherwise; the counts stand in no object of their own.
_NAMES = {"finish_reason": "done_reason", "choices": "message"}


def serves(request: Request) -> bool:
    return _PATH.fullmatch(f"{request.method} {request.route}") is not None


def model(request: Request) -> str:
    return string(request.fields.get("model"))


def answer(job: Job) -> Reply:
    return _ENDPOINTS[job.request.route.rpartition("/")[2]](job)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    text = message or "the local model server was asked to fail"
    if plan.leak:
        text += f": {request.headers.get('authorization')} {request.body.decode(errors='replace')}"
    return Reply({"error": text}, status)


def _lines(event: Event) -> bytes:
    return (event.data if isinstance(event.data, str) else json.dumps(event.data)).encode() + b"\n"


# --- chat and generate -------------------------------------------------------------------------------


def _ask(job: Job) -> Ask:
    messages = [mapping(message) for message in items(job.fields.get("messages"))]
    roles = [message.get("role") for message in messages]
    last = max((index for index, role in enumerate(roles) if role == "user"), default=-1)
    prompt = content_text(messages[last].get("content")) if last >= 0 else string(job.fields.get("prompt"))
    schema = job.fields.get("format")
    return Ask(
        prompt=prompt,
        tools=tools(job.fields),
        rounds=sum(1 for message in messages[last + 1 :] if message.get("tool_calls")),
        schema=mapping(schema) or ({"type": "object", "properties": {}} if schema == "json" else None),
    )


def _message(said: _Body) -> _Body:
    return {"message": {"role": "assistant", "content": "", **said}}


def _response(said: _Body) -> _Body:
    return {"response": said.get("content", ""), **{name: said[name] for name in said if name != "content"}}


def _chat(job: Job) -> Reply:
    return _reply(job, _message)


def _generate(job: Job) -> Reply:
    return _reply(job, _response)


def _reply(job: Job, say: Callable[[_Body], _Body]) -> Reply:
    said = job.compose(_ask(job))
    if job.streams:
        return Reply(
            events=_chunks(job, said, say),
            content_type="application/x-ndjson",
            broken=_BROKEN,
            strange=_STRANGE,
            framing=_lines,
            names=_NAMES,
        )
    whole: _Body = {"content": said.text, **_thinking(job)}
    if said.tool_calls:
        whole["tool_calls"] = _calls(said)
    return Reply({**_head(job), **say(whole), **_last(job, said)}, names=_NAMES)


def _chunks(job: Job, said: Answer, say: Callable[[_Body], _Body]) -> Iterator[Event]:
    thoughts: list[_Body] = [_thinking(job)] if _thinking(job) else []
    texts: list[_Body] = [{"content": piece} for piece in said.pieces]
    calls: list[_Body] = [{"tool_calls": [call]} for call in _calls(said)]
    for piece in (*thoughts, *texts, *calls):
        yield Event({**_head(job), **say(piece), "done": False})
    yield Event({**_head(job), **say({}), **_last(job, said)})


def _head(job: Job) -> _Body:
    return {"model": job.model, "created_at": _CREATED}


def _thinking(job: Job) -> _Body:
    return {"thinking": THOUGHT} if job.fields.get("think") else {}


def _calls(said: Answer) -> list[object]:
    return [
        {"function": {"name": call.name, "arguments": json.loads(call.arguments)}} for call in said.tool_calls
    ]


def _last(job: Job, said: Answer) -> _Body:
    reason = "stop" if said.tool_calls else said.finish
    return {"done": True, "done_reason": reason, **_durations(), **_counts(job, eval_count=job.usage.output)}


def _durations() -> _Body:
    """In nanoseconds."""
    return {
        "total_duration": 50_000_000,
        "load_duration": 10_000_000,
        "prompt_eval_duration": 20_000_000,
        "eval_duration": 20_000_000,
    }


def _counts(job: Job, **more: int) -> Mapping[str, object]:
    counts = {"prompt_eval_count": job.usage.input, **more}
    if "usage" in job.plan.no:
        return {}
    if "usage" in job.plan.null:
        return dict.fromkeys(counts)
    return {name: 2**70 if job.plan.huge_usage else count for name, count in counts.items()}


# --- the others --------------------------------------------------------------------------------------


def _vector(job: Job) -> list[float]:
    size = job.fields.get("dimensions")
    return [0.5] * (size if isinstance(size, int) else 8)


def _embed(job: Job) -> Reply:
    given = job.fields.get("input")
    vectors = [_vector(job)] * (1 if isinstance(given, str) else len(items(given)))
    times = {"total_duration": 30_000_000, "load_duration": 10_000_000}
    return Reply({"model": job.model, "embeddings": vectors, **times, **_counts(job)}, names=_NAMES)


def _embeddings(job: Job) -> Reply:
    return Reply({"embedding": _vector(job)}, names=_NAMES)


def _scores(job: Job) -> Reply:
    answer = {"type": "noul", "noul": 0.75}
    usage = {"input_tokens": job.usage.input, "output_tokens": job.usage.output}
    return Reply(
        {
            "model": job.model,
            "answers": dict.fromkeys(mapping(job.fields.get("questions")), answer),
            "usage": usage,
        },
        names=_NAMES,
    )


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    "chat": _chat,
    "generate": _generate,
    "embed": _embed,
    "embeddings": _embeddings,
    "systemone": _scores,
}
