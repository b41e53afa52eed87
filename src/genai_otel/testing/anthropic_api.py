"""Anthropic's API: messages, token counts and batches; also as Bedrock and Vertex carry it.

Paths are matched at their end.  What the platforms change is the path, the place of the model's name, and Bedrock's
framing of a stream.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from genai_otel.testing import anthropic_batches as batches
from genai_otel.testing.answer import THOUGHT, Answer, Ask, Tool, ToolCall, split
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.openai_chat import content_text
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

Fields = dict[str, object]

_BEDROCK = r"/model/(?P<model>[^/]+)/invoke(-with-response-stream)?"
_VERTEX = r"/models/(?P<model>[^/]+):(stream)?[rR]awPredict"

_ERRORS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key may not use this model."),
    404: ("not_found_error", "The model does not exist."),
    413: ("request_too_large", "The request is too large."),
    429: ("rate_limit_error", "Number of requests has exceeded your rate limit."),
    529: ("overloaded_error", "Overloaded"),
}
_SERVER_ERROR = ("api_error", "Internal server error")
_STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
    "tool_calls": "tool_use",
}
# What the directives of a model name call otherwise.
_NAMES = {"choices": "content", "finish_reason": "stop_reason"}
_BROKEN = Event({"type": "error", "error": {"type": "api_error", "message": "The model failed."}}, "error")
_STRANGE = Event({"type": "content_block_future", "index": 0, "future": True}, "content_block_future")


def _messages(job: Job) -> Reply:
    answer = job.compose(_ask(job.fields))
    if not _streams(job):
        return _reply(_message(job, answer))
    framing = _eventstream if "/invoke-with" in job.request.route else None
    reply = Reply(
        events=_events(job, answer), broken=_BROKEN, strange=_STRANGE, headers=_headers(), names=_NAMES
    )
    if framing is None:
        return reply
    return replace(reply, framing=framing, content_type="application/vnd.amazon.eventstream")


def _count_tokens(job: Job) -> Reply:
    return _reply({"input_tokens": job.usage.input})


def _create_batch(job: Job) -> Reply:
    requests = [mapping(mapping(one).get("params")) for one in items(job.fields.get("requests"))]
    return _reply(batches.batch(batches.new_id(job.asked), "in_progress", len(requests)))


def _retrieve_batch(job: Job) -> Reply:
    return _reply(batches.batch(batches.in_path(job.request), "ended", 1))


def _results(job: Job) -> Reply:
    """The lines of a finished batch: one message, one request that failed."""
    lines: list[Fields] = [
        {"custom_id": "1", "result": {"type": "succeeded", "message": _message(job, job.compose(Ask()))}},
        {"custom_id": "2", "result": {"type": "errored", "error": _error_body(529, "Overloaded")}},
    ]
    events = [Event(line) for line in lines]
    return Reply(events=events, headers=_headers(), framing=_line, content_type="application/x-jsonl")


_ENDPOINTS: dict[str, Callable[[Job], Reply]] = {
    r"POST .*/messages": _messages,
    r"POST .*/messages/count_tokens": _count_tokens,
    r"POST .*/count-tokens:rawPredict": _count_tokens,
    rf"POST .*{_VERTEX}": _messages,
    rf"POST .*{_BEDROCK}": _messages,
    r"POST .*/messages/batches": _create_batch,
    rf"GET .*{batches.PATH}": _retrieve_batch,
    rf"GET .*{batches.PATH}/results": _results,
}
_COMPILED = [(re.compile(pattern), endpoint) for pattern, endpoint in _ENDPOINTS.items()]


def _find(request: Request) -> Callable[[Job], Reply] | None:
    line = f"{request.method} {request.route}"
    if "/invoke" in line and "anthropic_version" not in request.fields:
        return None  # another family of models on Bedrock
    return next((endpoint for pattern, endpoint in _COMPILED if pattern.fullmatch(line)), None)


def serves(request: Request) -> bool:
    return _find(request) is not None


def model(request: Request) -> str:
    """The model name with its directives: a field of the body, a part of the path, or of a batch's id."""
    if name := string(request.fields.get("model")):
        return name
    for path in (_VERTEX, _BEDROCK):
        if (found := re.search(path, request.route)) and found["model"] != "count-tokens":
            return found["model"]
    if found := re.search(batches.PATH, request.route):
        return batches.model_of(found["batch"])
    for one in items(request.fields.get("requests")):
        return string(mapping(mapping(one).get("params")).get("model"))
    return DEFAULT_MODEL


def answer(job: Job) -> Reply:
    endpoint = _find(job.request)
    return endpoint(job) if endpoint else error(job.request, 404, Plan())


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    """Anthropic's error body, and the headers that make its client retry at once."""
    text = message or _ERRORS.get(status, _SERVER_ERROR)[1]
    if plan.leak:
        said = [mapping(one).get("content") for one in items(request.fields.get("messages"))]
        text += f" Key: {request.headers.get('x-api-key')}. Text: {request.fields.get('system')} {said}"
    retry = {"retry-after": "0", "retry-after-ms": "1"} if status >= 429 else {}
    return Reply(_error_body(status, text), status, headers={**_headers(), **retry})


def _error_body(status: int, text: str) -> Fields:
    kind, _ = _ERRORS.get(status, _SERVER_ERROR if status >= 500 else _ERRORS[400])
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": new_id("req_")}


def _reply(body: Fields) -> Reply:
    return Reply(body, headers=_headers(), names=_NAMES)


def _headers() -> dict[str, str]:
    return {"request-id": new_id("req_")}


def _streams(job: Job) -> bool:
    route = job.request.route
    return job.streams or "/invoke-with" in route or ":streamRawPredict" in route


# --- requests and messages -------------------------------------------------------------------------


def _ask(fields: Mapping[str, object]) -> Ask:
    """Read a request into the vendor-neutral one."""
    messages = [mapping(message) for message in items(fields.get("messages"))]
    contents = [message.get("content") for message in messages if message.get("role") == "user"]
    results = [_has_result(content) for content in contents]
    asked = max((index for index, result in enumerate(results) if not result), default=-1)
    form = mapping(mapping(fields.get("output_config")).get("format")) or mapping(fields.get("output_format"))
    return Ask(
        prompt=content_text(contents[asked]) if asked >= 0 else "",
        tools=_tools(fields),
        rounds=len(results) - asked - 1,
        schema=mapping(form.get("schema")) or None,
    )


def _has_result(content: object) -> bool:
    return any(string(mapping(block).get("type")).endswith("tool_result") for block in items(content))


def _tools(fields: Mapping[str, object]) -> tuple[Tool, ...]:
    choice = mapping(fields.get("tool_choice"))
    if choice.get("type") == "none":
        return ()
    found = [mapping(tool) for tool in items(fields.get("tools"))]
    tools = [Tool(string(tool.get("name")), mapping(tool.get("input_schema"))) for tool in found]
    return tuple(tool for tool in tools if choice.get("name") in (None, tool.name))


def _usage(job: Job) -> Fields:
    """Input without what was read from the cache and written to it: at this vendor the three add up."""
    usage = job.usage
    return {
        "input_tokens": usage.input - usage.cached - usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.written_1h,
            "ephemeral_1h_input_tokens": usage.written_1h,
        },
        "server_tool_use": None if usage.searches is None else {"web_search_requests": usage.searches},
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "service_tier": "standard",
    }


def _message(job: Job, answer: Answer) -> Fields:
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": job.dated_model,
        "content": [block for block, _ in _blocks(job, answer)],
        "stop_reason": "refusal" if answer.refused else _STOP[answer.finish],
        "stop_sequence": None,
        "usage": _usage(job),
    }


def _blocks(job: Job, answer: Answer) -> Iterator[tuple[Fields, list[Fields]]]:
    """Every block of the content, whole, with the deltas that build it up."""
    if mapping(job.fields.get("thinking")).get("type") in ("enabled", "adaptive"):
        deltas: list[Fields] = [{"type": "thinking_delta", "thinking": piece} for piece in split(THOUGHT)]
        deltas.append({"type": "signature_delta", "signature": "AAAA"})
        yield {"type": "thinking", "thinking": THOUGHT, "signature": "AAAA"}, deltas
    if answer.pieces:
        said: list[Fields] = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
        yield {"type": "text", "text": answer.text, "citations": None}, said
    for call in answer.tool_calls:
        yield _tool_use(call)


def _tool_use(call: ToolCall) -> tuple[Fields, list[Fields]]:
    block: Fields = {"type": "tool_use", "id": new_id("toolu_"), "name": call.name}
    middle = len(call.arguments) // 2
    parts = (call.arguments[:middle], call.arguments[middle:])
    deltas: list[Fields] = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return {**block, "input": json.loads(call.arguments)}, deltas


def _events(job: Job, answer: Answer) -> Iterator[Event]:
    message = _message(job, answer)
    reason, usage = message["stop_reason"], _usage(job)
    begun: Fields = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield _event({"type": "message_start", "message": begun})
    for index, (block, deltas) in enumerate(_blocks(job, answer)):
        yield _event({"type": "content_block_start", "index": index, "content_block": _begun(block)})
        if index == 0:
            yield _event({"type": "ping"})  # which the client keeps to itself
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    last = {"output_tokens": usage["output_tokens"], "output_tokens_details": usage["output_tokens_details"]}
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield _event({"type": "message_delta", "delta": delta, "usage": last})
    yield _event({"type": "message_stop"})


def _begun(block: Fields) -> Fields:
    empty: Fields = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {name: empty.get(name, value) for name, value in block.items()}


def _event(data: Fields) -> Event:
    return Event(data, str(data["type"]))


# --- framings --------------------------------------------------------------------------------------


def _line(event: Event) -> bytes:
    """JSON lines."""
    return (event.data if isinstance(event.data, str) else json.dumps(event.data)).encode() + b"\n"


def _eventstream(event: Event) -> bytes:
    """One event of a model on Bedrock: its JSON in base64 inside a frame of AWS."""
    data = event.data if isinstance(event.data, str) else json.dumps(event.data)
    payload = json.dumps({"bytes": base64.b64encode(data.encode()).decode()}).encode()
    names = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in names.items()
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))
