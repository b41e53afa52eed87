"""OpenAI's Responses API: create, background, retrieve, resume, cancel, compact, count; decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genai_otel.testing.answer import THOUGHT, Answer, Ask, ToolCall, split
from genai_otel.testing.directives import DEFAULT_MODEL
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.openai_chat import content_text, tools
from genai_otel.testing.wire import Event, Reply, items, mapping, string

Fields = dict[str, object]

_ERROR = {"code": "server_error", "message": "The model failed."}
_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


def create(job: Job) -> Reply:
    return _reply(job, new_response_id(job.asked), queued=bool(job.fields.get("background")))


def events(job: Job) -> Reply:
    """A response as its events, wherever they are sent."""
    return _stream(_numbered(_events(job, new_response_id(job.asked), job.compose(ask(job.fields))), -1))


def retrieve(job: Job) -> Reply:
    """A stored response; all that is known of it is in its id, so the answer is the model's usual one.

    With `?stream=true` its events, those after `starting_after`.
    """
    return _reply(job, _id_in_path(job))


def cancel(job: Job) -> Reply:
    return Reply(_response(job, _id_in_path(job), "cancelled", []))


def compact(job: Job) -> Reply:
    item = {"id": new_id("cmp_"), "type": "compaction", "encrypted_content": "AAAA"}
    body = {"id": new_id("resp_"), "object": "response.compaction", "created_at": now(), "output": [item]}
    return Reply({**body, "usage": _usage(job)})


def count_tokens(job: Job) -> Reply:
    return Reply({"object": "response.input_tokens", "input_tokens": job.usage.input})


def decide(job: Job) -> Reply:
    """Every question is a yes-or-no question, and the answer is yes."""
    asked = [mapping(question).get("name") for question in items(job.fields.get("questions"))]
    answers = [{"type": "predicate", "name": name, "probability": 0.9} for name in asked]
    return Reply({"answers": answers, "model": job.dated_model, "usage": _usage(job)})


def new_response_id(asked: str) -> str:
    """An id that carries the model and its directives, so that a retrieve needs no memory."""
    return new_id("resp_") + asked.encode("utf-8", "replace").hex()


def model_of(response_id: str) -> str:
    try:
        return bytes.fromhex(response_id[len("resp_") + 32 :]).decode() or DEFAULT_MODEL
    except ValueError:
        return DEFAULT_MODEL


def _id_in_path(job: Job) -> str:
    return job.request.route.partition("/responses/")[2].partition("/")[0]


def _reply(job: Job, identity: str, *, queued: bool = False) -> Reply:
    answer = job.compose(ask(job.fields))
    if job.streams or job.request.query.get("stream") == "true":
        after = int(job.request.query.get("starting_after", -1))
        return _stream(_numbered(_events(job, identity, answer), after))
    if queued:
        return Reply(_response(job, identity, "queued", []))
    output = [item for item, _ in _output(job, answer)]
    return Reply(_response(job, identity, _status(job, answer), output, answer))


def _stream(events: Iterator[Event]) -> Reply:
    broken = {"type": "error", "code": "server_error", "message": "The model failed.", "param": None}
    strange = {"type": "response.future.delta", "delta": {"future": True}, "sequence_number": 9999}
    return Reply(
        events=events,
        broken=Event({**broken, "sequence_number": 9999}, "error"),
        strange=Event(strange, "response.future.delta"),
    )


def ask(fields: Mapping[str, object]) -> Ask:
    """Read a Responses request into the vendor-neutral one."""
    given = fields.get("input")
    inputs = [mapping(item) for item in items(given)]
    roles = [item.get("role") for item in inputs]
    last = max((index for index, role in enumerate(roles) if role == "user"), default=-1)
    results = [string(item.get("type")).endswith("_call_output") for item in inputs[last + 1 :]]
    rounds = sum(
        1 for before, result in zip([False, *results], results, strict=False) if result and not before
    )
    said = content_text(inputs[last].get("content")) if last >= 0 else ""
    wanted = mapping(mapping(fields.get("text")).get("format"))
    return Ask(
        prompt=given if isinstance(given, str) else said,
        tools=tools(fields),
        rounds=rounds,
        schema=mapping(wanted.get("schema")) or None,
    )


def _usage(job: Job) -> Fields:
    usage = job.usage
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }


def _status(job: Job, answer: Answer) -> str:
    if job.plan.failed:
        return "failed"
    return "incomplete" if answer.finish in _REASONS else "completed"


def _response(
    job: Job, identity: str, status: str, output: list[Fields], answer: Answer | None = None
) -> Fields:
    finished = status in ("completed", "incomplete", "failed")
    reason = _REASONS.get(answer.finish) if answer and status == "incomplete" else None
    fields = job.fields
    conversation = string(fields.get("conversation")) or mapping(fields.get("conversation")).get("id")
    return {
        "id": identity,
        "object": "response",
        "created_at": now(),
        "status": status,
        "background": bool(fields.get("background")),
        "error": _ERROR if status == "failed" else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": fields.get("instructions"),
        "max_output_tokens": fields.get("max_output_tokens"),
        "model": job.dated_model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": fields.get("previous_response_id"),
        "conversation": {"id": conversation} if conversation else None,
        "reasoning": {"effort": mapping(fields.get("reasoning")).get("effort"), "summary": None},
        "service_tier": string(fields.get("service_tier")).replace("auto", "") or "default",
        "store": True,
        "temperature": fields.get("temperature", 1.0),
        "text": {"format": mapping(fields.get("text")).get("format") or {"type": "text"}},
        "tool_choice": fields.get("tool_choice", "auto"),
        "tools": items(fields.get("tools")),
        "top_p": fields.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": _usage(job) if finished else None,
        "user": None,
        "metadata": mapping(fields.get("metadata")),
    }


def _output(job: Job, answer: Answer) -> Iterator[tuple[Fields, list[Fields]]]:
    """Every output item, finished, with the events that build it up between its `added` and its `done`."""
    if job.fields.get("reasoning"):
        yield _reasoning()
    for tool in items(job.fields.get("tools")):
        kind = string(mapping(tool).get("type"))
        search = _SEARCHES.get(kind.partition("_preview")[0])
        if search is not None:
            yield from [search(ask(job.fields).prompt) for _ in range(job.usage.searches or 1)]
    if job.usage.searches:
        yield _opened_page()
    if answer.pieces:
        yield _message(answer)
    for call in answer.tool_calls:
        yield _tool_call(call)


def _tool_call(call: ToolCall) -> tuple[Fields, list[Fields]]:
    kind, field = ("custom_tool_call", "input") if call.custom else ("function_call", "arguments")
    item: Fields = {"id": new_id("fc_"), "call_id": new_id("call_"), "type": kind}
    item.update({"name": call.name, field: call.arguments, "status": "completed"})
    name = f"response.{kind}_{field}"
    middle = len(call.arguments) // 2
    events: list[Fields] = [
        {"type": f"{name}.delta", "delta": call.arguments[:middle]},
        {"type": f"{name}.delta", "delta": call.arguments[middle:]},
        {"type": f"{name}.done", field: call.arguments, "name": call.name},
    ]
    return item, events


def _web_search(query: str) -> tuple[Fields, list[Fields]]:
    """A tool that the vendor runs by itself."""
    return _search("web_search_call", {"action": {"type": "search", "query": query}})


def _opened_page() -> tuple[Fields, list[Fields]]:
    """A page that was found."""
    return _search("web_search_call", {"action": {"type": "open_page", "url": "https://example.com/"}})


def _file_search(query: str) -> tuple[Fields, list[Fields]]:
    return _search("file_search_call", {"queries": [query], "results": None})


def _search(kind: str, said: Fields) -> tuple[Fields, list[Fields]]:
    steps = ("in_progress", "searching", "completed")
    item: Fields = {"id": new_id("ws_"), "type": kind, "status": "completed", **said}
    return item, [{"type": f"response.{kind}.{step}"} for step in steps]


_SEARCHES = {"web_search": _web_search, "file_search": _file_search}


def _reasoning() -> tuple[Fields, list[Fields]]:
    part = {"type": "summary_text", "text": THOUGHT}
    item: Fields = {"id": new_id("rs_"), "type": "reasoning", "summary": [part], "status": "completed"}
    kind = "response.reasoning_summary"
    deltas: list[Fields] = [{"type": f"{kind}_text.delta", "delta": piece} for piece in split(THOUGHT)]
    events: list[Fields] = [
        {"type": f"{kind}_part.added", "part": {**part, "text": ""}},
        *deltas,
        {"type": f"{kind}_text.done", "text": THOUGHT},
        {"type": f"{kind}_part.done", "part": part},
    ]
    return item, [{**event, "summary_index": 0} for event in events]


def _message(answer: Answer) -> tuple[Fields, list[Fields]]:
    kind, field = ("refusal", "refusal") if answer.refused else ("output_text", "text")
    extra: Fields = {} if answer.refused else {"annotations": [], "logprobs": []}
    part: Fields = {"type": kind, field: answer.text, **extra}
    status = "incomplete" if answer.finish in _REASONS else "completed"
    item: Fields = {"id": new_id("msg_"), "type": "message", "role": "assistant", "status": status}
    item["content"] = [part]
    logprobs: Fields = {} if answer.refused else {"logprobs": []}
    delta: Fields = {"type": f"response.{kind}.delta", **logprobs}
    deltas: list[Fields] = [{**delta, "delta": piece} for piece in answer.pieces]
    events: list[Fields] = [
        {"type": "response.content_part.added", "part": {**part, field: ""}},
        *deltas,
        {"type": f"response.{kind}.done", field: answer.text, **logprobs},
        {"type": "response.content_part.done", "part": part},
    ]
    return item, [{**event, "content_index": 0} for event in events]


def _events(job: Job, identity: str, answer: Answer) -> Iterator[Fields]:
    started = _response(job, identity, "in_progress", [])
    yield {"type": "response.created", "response": started}
    if job.fields.get("background"):
        yield {"type": "response.queued", "response": {**started, "status": "queued"}}
    yield {"type": "response.in_progress", "response": started}
    output: list[Fields] = []
    for index, (item, parts) in enumerate(_output(job, answer)):
        yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
        for part in parts:
            yield {**part, "item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
        output.append(item)
    status = _status(job, answer)
    yield {"type": f"response.{status}", "response": _response(job, identity, status, output, answer)}


def _begun(item: Fields) -> Fields:
    """The item as its `added` event shows it: what the stream will fill in is still empty."""
    empty: Fields = {"content": [], "summary": [], "arguments": "", "input": "", "status": "in_progress"}
    return {name: empty.get(name, value) for name, value in item.items()}


def _numbered(events: Iterator[Fields], after: int) -> Iterator[Event]:
    for number, event in enumerate(events):
        if number > after:
            yield Event({**event, "sequence_number": number}, str(event["type"]))
