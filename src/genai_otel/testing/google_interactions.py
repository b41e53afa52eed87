"""Google's interactions: steps instead of candidates, and streams of events with a type."""

from __future__ import annotations

import json
from collections.abc import Iterator

from genai_otel.testing.answer import Answer, Ask, Tool, Usage
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import Event, Reply, items, mapping, string

_STATUS = {
    "stop": "completed",
    "length": "incomplete",
    "content_filter": "incomplete",
    "tool_calls": "requires_action",
}
_NAMES = {"choices": "steps", "finish_reason": "status"}


def create(job: Job) -> Reply:
    said = job.compose(_ask(job))
    if job.streams:
        broken = Event(
            {"event_type": "error", "error": {"code": "server_error", "message": "asked for"}}, "error"
        )
        strange = Event({"event_type": "event.of.the.future"}, "event.of.the.future")
        return Reply(events=_events(job, said), broken=broken, strange=strange, names=_NAMES)
    return Reply({**_head(job), **_end(job, said), "steps": _steps(said)}, names=_NAMES)


def _ask(job: Job) -> Ask:
    said = job.fields.get("input")
    steps = [mapping(step) for step in items(said)]
    tools = [mapping(tool) for tool in items(job.fields.get("tools"))]
    return Ask(
        string(said),
        tuple(Tool(string(tool.get("name")), mapping(tool.get("parameters"))) for tool in tools),
        sum(step.get("type") == "function_result" for step in steps),
    )


def _head(job: Job) -> dict[str, object]:
    return {"id": new_id("resp_"), "model": job.dated_model, "status": "in_progress", "object": "interaction"}


def _end(job: Job, said: Answer) -> dict[str, object]:
    return {"status": _STATUS[said.finish], "usage": _usage(job.usage)}


def _usage(usage: Usage) -> dict[str, object]:
    """Thoughts are counted beside the output, as everywhere at Google."""
    thoughts = min(usage.reasoning, usage.output)
    searches = [{"type": "google_search", "count": usage.searches}]
    return {
        **({} if usage.searches is None else {"grounding_tool_count": searches}),
        "total_input_tokens": usage.input,
        "total_output_tokens": usage.output - thoughts,
        "total_thought_tokens": thoughts,
        "total_cached_tokens": usage.cached,
        "total_tokens": usage.total,
        "input_tokens_by_modality": [{"modality": "text", "tokens": usage.input}],
    }


def _steps(said: Answer) -> list[dict[str, object]]:
    calls: list[dict[str, object]] = [
        {
            "type": "function_call",
            "id": new_id("call_"),
            "name": call.name,
            "arguments": json.loads(call.arguments),
        }
        for call in said.tool_calls
    ]
    if not said.pieces:
        return calls
    return [{"type": "model_output", "content": [{"type": "text", "text": said.text}]}, *calls]


def _events(job: Job, said: Answer) -> Iterator[Event]:
    head = _head(job)
    yield _event("interaction.created", interaction=head)
    for index, step in enumerate(_steps(said)):
        whole = step if step["type"] == "function_call" else {"type": step["type"]}
        yield _event("step.start", index=index, step=whole)
        if step["type"] == "model_output":
            for piece in said.pieces:
                yield _event("step.delta", index=index, delta={"type": "text", "text": piece})
        yield _event("step.stop", index=index)
    yield _event("interaction.completed", interaction={**head, **_end(job, said)})


def _event(kind: str, **fields: object) -> Event:
    return Event({"event_type": kind, **fields}, kind)
