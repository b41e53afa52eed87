"""Bedrock: conversations, models in their vendors' own form, agents and knowledge bases.

Which vendor's form `InvokeModel` speaks is told by the model's id, as with the service.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from genai_otel.testing import bedrock_models as models
from genai_otel.testing import eventstream
from genai_otel.testing.answer import THOUGHT, Answer, Ask, Tool, split
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.openai_api import words
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

_MODEL = re.compile(
    r".*/model/(?P<model>.+)/(?P<operation>converse|converse-stream|invoke|invoke-with-response-stream)"
)
_AGENT = re.compile(r".*/agents/(?P<agent>[^/]+)(/agentAliases/[^/]+/sessions/[^/]+/text)?")
_GENERATE = re.compile(r".*/retrieveAndGenerate(Stream)?")

_ERRORS: dict[int, tuple[str, str]] = {
    400: ("ValidationException", "The request is not valid."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "Could not resolve the foundation model."),
    408: ("ModelTimeoutException", "The model took too long."),
    424: ("ModelErrorException", "The model failed."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    503: ("ServiceUnavailableException", "The service is not available."),
}
_SERVER_ERROR = ("InternalServerException", "The service failed.")
_STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "content_filtered",
    "tool_calls": "tool_use",
}
_BROKEN = Event({"message": "The model failed."}, "!internalServerException")
_STRANGE = Event({"future": True}, "eventOfTheFuture")


def serves(request: Request) -> bool:
    """Whatever an AWS client sends to one of the paths; the client of a vendor has the vendor's form of errors."""
    return "otocore" in request.headers.get("user-agent", "") and any(
        pattern.fullmatch(request.route) for pattern in (_MODEL, _AGENT, _GENERATE)
    )


def model(request: Request) -> str:
    """The model in the path, the agent where an agent is asked, or what the request's body names."""
    if found := _MODEL.fullmatch(request.route):
        return found["model"]
    if named := string(request.fields.get("foundationModel")) or string(
        _knowledge(request.fields).get("modelArn")
    ):
        return named
    found = _AGENT.fullmatch(request.route)
    return found["agent"] if found else DEFAULT_MODEL


def _knowledge(fields: Mapping[str, object]) -> Mapping[str, object]:
    return mapping(mapping(fields.get("retrieveAndGenerateConfiguration")).get("knowledgeBaseConfiguration"))


def answer(job: Job) -> Reply:
    route = job.request.route
    if found := _MODEL.fullmatch(route):
        reply = _OPERATIONS[found["operation"]](job)
    elif _GENERATE.fullmatch(route):
        reply = _generate(job)
    else:
        reply = _agent(job)
    return replace(reply, headers={**_headers(), **reply.headers})


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    """The service's error: its code stands in a header."""
    code, usual = _ERRORS.get(status, _SERVER_ERROR if status >= 500 else _ERRORS[400])
    text = message or usual
    if plan.leak:
        text += f" Key: {request.headers.get('authorization')}. Text: {words(request)}"
    kind = f"{code}:http://internal.amazon.com/coral/com.amazon.bedrock/"
    return Reply({"message": text}, status, headers={**_headers(), "x-amzn-ErrorType": kind})


def _headers() -> dict[str, str]:
    return {"x-amzn-RequestId": new_id("req_")}


# --- conversations ---------------------------------------------------------------------------------


def _converse(job: Job) -> Reply:
    answer = job.compose(ask(job.fields))
    message = {"role": "assistant", "content": [block for block, _ in _blocks(job, answer)]}
    return Reply({"output": {"message": message}, "stopReason": _reason(job, answer), **_told(job)})


def _converse_stream(job: Job) -> Reply:
    return _streamed(_events(job, job.compose(ask(job.fields))))


def _streamed(events: Iterator[Event], framing: Callable[[Event], bytes] = eventstream.frame) -> Reply:
    return Reply(
        events=events,
        broken=_BROKEN,
        strange=_STRANGE,
        framing=framing,
        content_type=eventstream.MEDIA_TYPE,
    )


def ask(fields: Mapping[str, object]) -> Ask:
    """Read a conversation into the vendor-neutral request."""
    said = [mapping(message) for message in items(fields.get("messages"))]
    asked = [
        [mapping(block) for block in items(message.get("content"))] for message in said if _asks(message)
    ]
    results = [any("toolResult" in block for block in blocks) for blocks in asked]
    last = max((index for index, result in enumerate(results) if not result), default=-1)
    texts = (string(block.get("text")) for block in asked[last]) if last >= 0 else ()
    found = [
        mapping(mapping(tool).get("toolSpec"))
        for tool in items(mapping(fields.get("toolConfig")).get("tools"))
    ]
    tools = [
        Tool(string(one.get("name")), mapping(mapping(one.get("inputSchema")).get("json")))
        for one in found
        if one
    ]
    return Ask(prompt=" ".join(filter(None, texts)), tools=tuple(tools), rounds=len(results) - last - 1)


def _asks(message: Mapping[str, object]) -> bool:
    return message.get("role") == "user"


def _reason(job: Job, answer: Answer) -> str | None:
    if "finish_reason" in job.plan.null:
        return None
    return "guardrail_intervened" if answer.refused else _STOP[answer.finish]


def _blocks(job: Job, answer: Answer) -> Iterator[tuple[dict[str, object], list[dict[str, object]]]]:
    """Every block of the content, whole, with the deltas that build it up."""
    if mapping(job.fields.get("additionalModelRequestFields")).get("thinking"):
        thoughts: list[dict[str, object]] = [
            {"reasoningContent": {"text": piece}} for piece in split(THOUGHT)
        ]
        thoughts.append({"reasoningContent": {"signature": "AAAA"}})
        yield {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "AAAA"}}}, thoughts
    if answer.pieces:
        yield {"text": answer.text}, [{"text": piece} for piece in answer.pieces]
    for call in answer.tool_calls:
        use: dict[str, object] = {"toolUseId": new_id("tooluse_"), "name": call.name}
        middle = len(call.arguments) // 2
        parts = (call.arguments[:middle], call.arguments[middle:])
        whole = {**use, "input": json.loads(call.arguments)}
        yield {"toolUse": whole}, [{"toolUse": {"input": part}} for part in parts]


def _told(job: Job) -> dict[str, object]:
    """Usage, whose input is without what the cache served or took."""
    usage = job.usage
    written = min(usage.cache_write, usage.input - usage.cached)
    tokens: dict[str, object] = {
        "inputTokens": usage.input - usage.cached - written,
        "outputTokens": usage.output,
        "totalTokens": usage.total,
        "cacheReadInputTokens": usage.cached,
        "cacheWriteInputTokens": written,
    }
    if usage.written_1h:
        tokens["cacheDetails"] = [
            {"ttl": "1h", "inputTokens": usage.written_1h},
            {"ttl": "5m", "inputTokens": written - usage.written_1h},
        ]
    return {"usage": tokens, "metrics": {"latencyMs": 21}}


def _events(job: Job, answer: Answer) -> Iterator[Event]:
    yield Event({"role": "assistant", "p": "abcd"}, "messageStart")
    for index, (block, deltas) in enumerate(_blocks(job, answer)):
        if "toolUse" in block:
            use = {name: value for name, value in mapping(block["toolUse"]).items() if name != "input"}
            start = {"toolUse": use}
            yield Event({"contentBlockIndex": index, "start": start}, "contentBlockStart")
        for delta in deltas:
            yield Event({"contentBlockIndex": index, "delta": delta, "p": "abc"}, "contentBlockDelta")
        yield Event({"contentBlockIndex": index}, "contentBlockStop")
    yield Event({"stopReason": _reason(job, answer)}, "messageStop")
    yield Event(_told(job), "metadata")


# --- models in their vendors' form -----------------------------------------------------------------


def _invoke(job: Job) -> Reply:
    return Reply(models.body(job), headers=_counts(job))


def _invoke_stream(job: Job) -> Reply:
    return _streamed(_with_metrics(job, models.events(job)), eventstream.chunk)


def _counts(job: Job) -> dict[str, str]:
    if "usage" in (*job.plan.no, *job.plan.null) or job.plan.huge_usage:
        return {"x-amzn-bedrock-input-token-count": str(2**70)} if job.plan.huge_usage else {}
    return {
        "x-amzn-bedrock-input-token-count": str(job.usage.input),
        "x-amzn-bedrock-output-token-count": str(job.usage.output),
        "x-amzn-bedrock-invocation-latency": "21",
    }


def _with_metrics(job: Job, events: Iterator[dict[str, object]]) -> Iterator[Event]:
    """The last event tells the usage in the service's own words, too."""
    before = next(events, None)
    for event in events:
        yield Event(before, "event")
        before = event
    metrics = {
        "inputTokenCount": job.usage.input,
        "outputTokenCount": job.usage.output,
        "invocationLatency": 21,
        "firstByteLatency": 12,
    }
    told = {} if "usage" in (*job.plan.no, *job.plan.null) else {"amazon-bedrock-invocationMetrics": metrics}
    yield Event({**(before or {}), **told}, "event")


_OPERATIONS: dict[str, Callable[[Job], Reply]] = {
    "converse": _converse,
    "converse-stream": _converse_stream,
    "invoke": _invoke,
    "invoke-with-response-stream": _invoke_stream,
}


# --- agents ----------------------------------------------------------------------------------------


def _agent(job: Job) -> Reply:
    answer = job.compose(Ask(prompt=string(job.fields.get("inputText"))))
    reply = _streamed(_agent_events(job, answer))
    return replace(reply, headers={"x-amz-bedrock-agent-session-id": "session-1"})


def _agent_events(job: Job, answer: Answer) -> Iterator[Event]:
    if job.fields.get("enableTrace"):
        for step in ("preProcessingTrace", "orchestrationTrace"):
            usage = {"inputTokens": job.usage.input, "outputTokens": job.usage.output}
            said = {"metadata": {"usage": usage}, "traceId": "trace-1"}
            yield Event({"sessionId": "session-1", "trace": {step: {"modelInvocationOutput": said}}}, "trace")
    for piece in answer.pieces:
        yield Event({"bytes": base64.b64encode(piece.encode(errors="replace")).decode()}, "chunk")


def _generate(job: Job) -> Reply:
    answer = job.compose(Ask(prompt=string(mapping(job.fields.get("input")).get("text"))))
    if not job.request.route.endswith("Stream"):
        return Reply({"sessionId": "session-1", "citations": [], "output": {"text": answer.text}})
    events = (Event({"text": piece}, "output") for piece in answer.pieces)
    return replace(_streamed(events), headers={"x-amzn-bedrock-knowledge-base-session-id": "session-1"})
