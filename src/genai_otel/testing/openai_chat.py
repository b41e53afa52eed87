"""OpenAI's chat completions and legacy completions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from genai_otel.testing.answer import Answer, Ask, Tool, ToolCall
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.wire import Event, Reply, items, mapping, string

DONE = Event("[DONE]")
_FAILURE = {"message": "The model failed.", "type": "server_error", "param": None, "code": "overloaded"}
BROKEN = Event({"error": _FAILURE})
STRANGE = Event({"object": "chat.completion.future", "choices": [], "future": True})


def chat(job: Job, *, streams: bool = False) -> Reply:
    answers = [job.compose(ask(job.fields))] * _count(job.fields)
    if streams or job.streams:
        return Reply(events=_chunks(job, answers), end=DONE, broken=BROKEN, strange=STRANGE)
    choices = [
        {
            "index": index,
            "message": _message(job, answer),
            "finish_reason": answer.finish,
            "logprobs": _logprobs(job, answer.pieces),
        }
        for index, answer in enumerate(answers)
    ]
    return Reply({**_envelope(job, "chat.completion"), "choices": choices, "usage": _usage(job)})


def ask(fields: Mapping[str, object]) -> Ask:
    """Read a chat request into the vendor-neutral one."""
    messages = [mapping(message) for message in items(fields.get("messages"))]
    roles = [message.get("role") for message in messages]
    last = max((index for index, role in enumerate(roles) if role == "user"), default=-1)
    done = sum(1 for message in messages[last + 1 :] if message.get("tool_calls"))
    wanted = mapping(fields.get("response_format"))
    schema = mapping(mapping(wanted.get("json_schema")).get("schema"))
    if wanted.get("type") == "json_object":
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    return Ask(
        prompt=content_text(messages[last].get("content")) if last >= 0 else "",
        tools=tools(fields),
        rounds=done,
        schema=schema or None,
    )


def content_text(content: object) -> str:
    """The text of a message's content, a string or a list of parts."""
    parts = (string(mapping(part).get("text")) for part in items(content))
    return content if isinstance(content, str) else " ".join(filter(None, parts))


def tools(fields: Mapping[str, object]) -> tuple[Tool, ...]:
    """The functions that may be called; `tool_choice` names one, or forbids all."""
    choice = fields.get("tool_choice")
    found: list[Tool] = []
    for entry in map(mapping, items(fields.get("tools"))):
        tool = _nested(entry)
        if name := string(tool.get("name")):
            found.append(Tool(name, mapping(tool.get("parameters")), entry.get("type") == "custom"))
    chosen = _nested(mapping(choice)).get("name")
    if choice == "none":
        return ()
    return tuple(tool for tool in found if chosen in (None, tool.name))


def _nested(entry: Mapping[str, object]) -> Mapping[str, object]:
    """A tool's own fields: one level down in chat completions, on top in the Responses API."""
    return mapping(entry.get("function")) or mapping(entry.get("custom")) or entry


def _count(fields: Mapping[str, object]) -> int:
    count = fields.get("n")
    return count if isinstance(count, int) else 1


def _usage(job: Job) -> dict[str, object]:
    usage = job.usage
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": usage.audio_input,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
        },
        **({} if usage.cost is None else {"cost": usage.cost}),  # as OpenRouter says it
    }


def _envelope(job: Job, kind: str) -> dict[str, object]:
    tier = string(job.fields.get("service_tier"))
    return {
        "id": new_id("chatcmpl-"),
        "object": kind,
        "created": now(),
        "model": job.dated_model,
        "service_tier": tier if tier and tier != "auto" else "default",
        "system_fingerprint": "fp_44709d6fcb",
    }


def _message(job: Job, answer: Answer) -> dict[str, object]:
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if answer.refused or answer.tool_calls else answer.text,
        "refusal": answer.text if answer.refused else None,
        "annotations": [],
    }
    if answer.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in answer.tool_calls]
    if "audio" in items(job.fields.get("modalities")):
        audio = {"id": new_id("audio_"), "data": "AAAA", "expires_at": now() + 3600}
        audio["transcript"] = answer.text
        message.update(content=None, audio=audio)
    return message


def _tool_call(call: ToolCall) -> dict[str, object]:
    if call.custom:
        custom = {"name": call.name, "input": call.arguments}
        return {"id": new_id("call_"), "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": new_id("call_"), "type": "function", "function": function}


def _logprobs(job: Job, pieces: tuple[str, ...]) -> dict[str, object] | None:
    if not job.fields.get("logprobs"):
        return None
    return {"content": [_logprob(piece) for piece in pieces], "refusal": None}


def _logprob(piece: str) -> dict[str, object]:
    octets = list(piece.encode("utf-8", "replace"))
    return {"token": piece, "logprob": -0.25, "bytes": octets, "top_logprobs": []}


def _chunks(job: Job, answers: list[Answer]) -> Iterator[Event]:
    """Role, text and tool call fragments of all choices in turn, finish reasons, usage where it was asked for."""
    envelope = _envelope(job, "chat.completion.chunk")
    with_usage = bool(mapping(job.fields.get("stream_options")).get("include_usage"))
    usage: dict[str, object] = {"usage": None} if with_usage else {}
    per_choice = [_deltas(job, answer, index) for index, answer in enumerate(answers)]
    for choice in filter(None, itertools.chain(*itertools.zip_longest(*per_choice))):
        yield Event({**envelope, "choices": [choice], **usage})
    if with_usage:
        yield Event({**envelope, "choices": [], "usage": _usage(job)})


def _deltas(job: Job, answer: Answer, index: int) -> Iterator[dict[str, object]]:
    def choice(delta: object, finish: str | None = None, pieces: tuple[str, ...] = ()) -> dict[str, object]:
        logprobs = _logprobs(job, pieces) if pieces else None
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    content = None if answer.refused or answer.tool_calls else ""
    yield choice({"role": "assistant", "content": content, "refusal": None})
    for piece in answer.pieces:
        yield choice({"refusal" if answer.refused else "content": piece}, pieces=(piece,))
    for number, call in enumerate(answer.tool_calls):
        whole = {**_tool_call(call), "index": number}
        if call.custom:
            yield choice({"tool_calls": [whole]})
            continue
        yield choice({"tool_calls": [{**whole, "function": {"name": call.name, "arguments": ""}}]})
        middle = len(call.arguments) // 2
        for part in (call.arguments[:middle], call.arguments[middle:]):
            yield choice({"tool_calls": [{"index": number, "function": {"arguments": part}}]})
    yield choice({}, answer.finish)


def completion(job: Job) -> Reply:
    """The legacy endpoint: `prompt` in, `text` out."""
    prompt = job.fields.get("prompt")
    count = _count(job.fields) * max(1, len(items(prompt)))
    answers = [job.compose(Ask(prompt=string(prompt)))] * count
    envelope = {**_envelope(job, "text_completion"), "id": new_id("cmpl-")}
    if job.streams:
        events = _completion_chunks(job, envelope, answers)
        return Reply(events=events, end=DONE, broken=BROKEN, strange=STRANGE)
    choices = [_completion_choice(index, answer.text, answer.finish) for index, answer in enumerate(answers)]
    return Reply({**envelope, "choices": choices, "usage": _usage(job)})


def _completion_choice(index: int, text: str, finish: str | None) -> dict[str, object]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def _completion_chunks(job: Job, envelope: Mapping[str, object], answers: list[Answer]) -> Iterator[Event]:
    for index, answer in enumerate(answers):
        for piece in answer.pieces:
            yield Event({**envelope, "choices": [_completion_choice(index, piece, None)]})
        yield Event({**envelope, "choices": [_completion_choice(index, "", answer.finish)]})
    if mapping(job.fields.get("stream_options")).get("include_usage"):
        yield Event({**envelope, "choices": [], "usage": _usage(job)})
