"""xAI's API, which is gRPC: chat, streams, deferred answers, compaction, images, videos, tokens.

    Client(api_host=f"127.0.0.1:{server.port}", use_insecure_channel=True)

Messages are written in their JSON form and become those of the client library.  The vendor counts reasoning beside the
completion, says in each chunk of a stream how much was used so far, and knows no filter.  Something deferred is done
when it is asked for; its id says what it is.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping

from genai_otel.testing.answer import Answer, Ask, Tool
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.wire import STATUS, Event, Reply, Request, items, mapping, string

PROTOS = {"xai_api": "xai_sdk.proto"}
_ROUTE = re.compile(r"/xai_api\.(Chat|Image|Video|Tokenize)/(\w+)")
_FINISH = {
    "stop": "REASON_STOP",
    "length": "REASON_MAX_LEN",
    "tool_calls": "REASON_TOOL_CALLS",
    "content_filter": "REASON_STOP",
}
_ERRORS = {
    400: "Invalid request content.",
    401: "Incorrect API key provided.",
    403: "The team is not allowed to do that.",
    404: "The model does not exist or the team has no access to it.",
    429: "Too many requests.",
}
_BROKEN = Event({"status": 500, "message": "The model failed."}, STATUS)
_STRANGE = Event({"field_of_the_future": True})
_NAMES = {"choices": "outputs"}
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def serves(request: Request) -> bool:
    return bool(_ROUTE.fullmatch(request.route))


def model(request: Request) -> str:
    return string(_fields(request).get("model")) or DEFAULT_MODEL


def _fields(request: Request) -> Mapping[str, object]:
    """The fields of a request, or of the one that was deferred."""
    deferred = string(request.fields.get("request_id"))
    return mapping(json.loads(base64.urlsafe_b64decode(deferred))) if deferred else request.fields


def answer(job: Job) -> Reply:
    service, method = job.request.route.removeprefix("/xai_api.").split("/")
    fields = _fields(job.request)
    if method in ("StartDeferredCompletion", "GenerateVideo", "ExtendVideo"):
        return Reply({"request_id": base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()})
    if method == "CompactContext":
        return Reply(
            {"id": new_id(""), "encrypted_content": "b3BhcXVl", "dropped_message_count": 2, **_usage(job)}
        )
    if method == "GetDeferredVideo":
        video = {"url": "http://127.0.0.1/video.mp4", "duration": 6, "respect_moderation": True}
        return _done({"video": video, "model": job.dated_model, **_usage(job)})
    if service == "Image":
        held = fields.get("format") == "IMG_FORMAT_BASE64"
        where = (
            {"base64": f"data:image/png;base64,{_PIXEL}"} if held else {"url": "http://127.0.0.1/image.png"}
        )
        image = {**where, "respect_moderation": True}
        return Reply({"images": [image] * _count(fields), "model": job.dated_model, **_usage(job)})
    if service == "Tokenize":
        words = string(fields.get("text")).split()
        tokens = [{"token_id": number, "string_token": word} for number, word in enumerate(words, 1)]
        return Reply({"tokens": tokens, "model": job.dated_model})
    answers = [job.compose(_ask(fields))] * _count(fields)
    if method == "GetCompletionChunk":
        return Reply(events=_chunks(job, answers), broken=_BROKEN, strange=_STRANGE, names=_NAMES)
    outputs = [
        {"index": index, "finish_reason": _FINISH[said.finish], "message": _message(said)}
        for index, said in enumerate(answers)
    ]
    completion = {**_envelope(job), "outputs": outputs, **_usage(job)}
    return _done(completion) if method == "GetDeferredCompletion" else Reply(completion, names=_NAMES)


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    said = message or _ERRORS.get(status, "Internal server error." if status >= 500 else _ERRORS[400])
    if plan.leak:
        said += f" Key: {request.headers.get('authorization')}. Text: {_words(request)}"
    return Reply({"message": said}, status)


def _words(request: Request) -> str:
    said = [_text(mapping(message)) for message in items(request.fields.get("messages"))]
    return " ".join([*said, string(request.fields.get("prompt"))])


def _done(response: object) -> Reply:
    return Reply({"status": "DONE", "response": response})


def _count(fields: Mapping[str, object]) -> int:
    count = fields.get("n")
    return count if isinstance(count, int) else 1


def _envelope(job: Job) -> dict[str, object]:
    return {"id": new_id(""), "model": job.dated_model, "system_fingerprint": "fp_2024"}


def _usage(job: Job, *, done: bool = True) -> dict[str, object]:
    usage = job.usage
    reasoning = min(usage.reasoning, usage.output)
    counted = {
        "prompt_tokens": usage.input,
        "prompt_text_tokens": usage.input,
        "cached_prompt_text_tokens": usage.cached,
        "completion_tokens": usage.output - reasoning if done else 0,
        "reasoning_tokens": reasoning,
        "total_tokens": usage.total if done else usage.input + reasoning,
        **({} if usage.cost is None else {"cost_in_usd_ticks": round(usage.cost * 1e10)}),
    }
    return {"usage": counted}


# --- chat ----------------------------------------------------------------------------------------


def _ask(fields: Mapping[str, object]) -> Ask:
    messages = [mapping(message) for message in items(fields.get("messages"))]
    roles = [message.get("role") for message in messages]
    last = max((index for index, role in enumerate(roles) if role == "ROLE_USER"), default=-1)
    wanted = mapping(fields.get("response_format"))
    schema = mapping(json.loads(string(wanted.get("schema")) or "{}"))
    if wanted.get("format_type") == "FORMAT_TYPE_JSON_OBJECT":
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    return Ask(
        prompt=_text(messages[last]) if last >= 0 else "",
        tools=tuple(_tools(fields)),
        rounds=sum(1 for message in messages[last + 1 :] if message.get("tool_calls")),
        schema=schema or None,
    )


def _text(message: Mapping[str, object]) -> str:
    return " ".join(string(mapping(part).get("text")) for part in items(message.get("content")))


def _tools(fields: Mapping[str, object]) -> Iterator[Tool]:
    choice = mapping(fields.get("tool_choice"))
    for entry in items(fields.get("tools")):
        function = mapping(mapping(entry).get("function"))
        name = string(function.get("name"))
        if name and choice.get("mode") != "TOOL_MODE_NONE" and choice.get("function_name", name) == name:
            yield Tool(name, mapping(json.loads(string(function.get("parameters")) or "{}")))


def _message(said: Answer) -> dict[str, object]:
    calls = [
        {
            "id": new_id("call_"),
            "type": "TOOL_CALL_TYPE_CLIENT_SIDE_TOOL",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in said.tool_calls
    ]
    return {"role": "ROLE_ASSISTANT", "content": said.text, "tool_calls": calls}


def _chunks(job: Job, answers: list[Answer]) -> Iterator[Event]:
    """What is said, piece by piece and choice by choice; a last chunk of each choice says why it ended."""
    envelope = _envelope(job)
    for number in range(max(len(said.pieces) for said in answers)):
        for index, said in enumerate(answers):
            delta = {"role": "ROLE_ASSISTANT", "content": said.pieces[number]}
            yield Event(
                {**envelope, "outputs": [{"index": index, "delta": delta}], **_usage(job, done=False)}
            )
    for index, said in enumerate(answers):
        delta = {**_message(said), "content": ""}
        output = {"index": index, "delta": delta, "finish_reason": _FINISH[said.finish]}
        yield Event({**envelope, "outputs": [output], **_usage(job)})
