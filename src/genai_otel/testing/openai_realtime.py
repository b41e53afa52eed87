"""OpenAI's Realtime API, also as it was in its beta: one conversation, with as many responses beside it as asked for.

A session whose turn detection is on answers each piece of audio by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.openai_chat import content_text, tools
from genai_otel.testing.websocket import Jobs, Message
from genai_otel.testing.websocket import now as at_once
from genai_otel.testing.wire import Event, Reply, items, mapping, string

Fields = dict[str, object]


def _refusal(kind: str, message: str, cause: object, **more: object) -> Event:
    """An error that ends nothing: the client may go on."""
    said = {"type": kind, "code": None, "message": message, "param": None, "event_id": cause}
    return Event({"type": "error", "event_id": new_id("event_"), "error": {**said, **more}})


class Realtime:
    """One session."""

    closed = False

    def __init__(self, jobs: Jobs, asked: str, *, beta: bool) -> None:
        self._jobs = jobs
        self._asked = asked
        self._beta = beta
        self._cancelled: set[str] = set()
        self._active: list[str] = []
        self._rounds = 0
        self._prompt = ""
        modalities = "modalities" if beta else "output_modalities"
        self._session: Fields = {
            "id": new_id("sess_"),
            "object": "realtime.session",
            "type": "realtime",
            "model": asked.split("+", maxsplit=1)[0] + "-2025-08-28",
            modalities: ["audio"],
            "instructions": "Be brief.",
            "tools": [],
            "temperature": 0.8,
            "turn_detection": None,
        }

    def opened(self) -> Iterable[Event]:
        yield event("session.created", session=self._session)

    def heard(self, message: Message) -> Iterable[tuple[Reply, Plan]]:
        kind = string(message.get("type"))
        if kind == "session.update":
            self._session.update(mapping(message.get("session")))
            yield at_once(event("session.updated", session=self._session))
        elif kind == "conversation.item.create":
            yield at_once(*self._added(mapping(message.get("item"))))
        elif kind == "input_audio_buffer.append":
            if self._session.get("turn_detection"):
                yield at_once(*(event(f"input_audio_buffer.{step}", item_id="item_1") for step in _HEARD))
                yield self._response({}, None)
        elif kind == "response.create":
            yield self._response(mapping(message.get("response")), message.get("event_id"))
        elif kind == "response.cancel":
            named = string(message.get("response_id")) or next(iter(self._active), "")
            if named in self._active:
                self._cancelled.add(named)
            else:
                text = "Cancellation failed: no active response found"
                yield at_once(_refusal("invalid_request_error", text, message.get("event_id")))
        elif kind not in _SILENT:
            text = f"Invalid value: {kind!r}."
            yield at_once(
                _refusal("invalid_request_error", text, message.get("event_id"), code="invalid_value")
            )

    def _added(self, item: Mapping[str, object]) -> Iterator[Event]:
        if string(item.get("type")).endswith("_call_output"):
            self._rounds += 1
        else:
            self._rounds, self._prompt = 0, content_text(item.get("content"))
        kept = {"id": new_id("item_"), "object": "realtime.item", "status": "completed", **item}
        for name in ("created",) if self._beta else ("added", "done"):
            yield event(f"conversation.item.{name}", previous_item_id=None, item=kept)

    def _response(self, asked: Mapping[str, object], cause: object) -> tuple[Reply, Plan]:
        aside = asked.get("conversation") == "none"
        if not aside and self._active:
            text = "Conversation already has an active response"
            code = "conversation_already_has_active_response"
            return at_once(_refusal("invalid_request_error", text, cause, code=code))
        job = self._jobs({**self._session, **asked}, self._asked)
        identity = new_id("resp_")
        if not aside:
            self._active.append(identity)
        broken = _refusal("server_error", "The model failed.", cause)
        strange = event("response.future.delta", response_id=identity)
        return Reply(events=self._events(job, identity), broken=broken, strange=strange), job.plan

    def _events(self, job: Job, identity: str) -> Iterator[Event]:
        answer = job.compose(Ask(prompt=self._prompt, tools=tools(job.fields), rounds=self._rounds))
        start: Fields = {"id": identity, "object": "realtime.response", "conversation_id": "conv_1"}
        start |= {"status": "in_progress", "status_details": None, "output": [], "usage": None}
        yield event("response.created", response=start)
        output: list[Fields] = []
        status: Fields = {"status": "completed"}
        for index, (item, parts) in enumerate(self._output(job, answer)):
            place: Fields = {"response_id": identity, "output_index": index}
            yield event("response.output_item.added", **place, item={**item, "content": [], "arguments": ""})
            for part in parts:
                if identity in self._cancelled:
                    reason = {"type": "cancelled", "reason": "client_cancelled"}
                    status = {"status": "cancelled", "status_details": reason}
                    break
                yield Event({**part, "event_id": new_id("event_"), **place, "item_id": item["id"]})
            output.append(item)
            yield event("response.output_item.done", **place, item=item)
        if status["status"] == "completed":
            status = _status(job, answer)
        if identity in self._active:
            self._active.remove(identity)
        yield event("response.done", response={**start, **status, "output": output, "usage": _usage(job)})
        yield event("rate_limits.updated", rate_limits=[])

    def _output(self, job: Job, answer: Answer) -> Iterator[tuple[Fields, list[Fields]]]:
        asked = items(job.fields.get("modalities" if self._beta else "output_modalities"))
        item: Fields = {"id": new_id("item_"), "object": "realtime.item", "status": "completed"}
        if answer.pieces:
            spoken = "audio" in asked
            names = _NAMES[self._beta, spoken]
            part = {"type": names[0], "transcript" if spoken else "text": answer.text}
            message: Fields = {**item, "type": "message", "role": "assistant", "content": [part]}
            deltas: list[Fields] = []
            for piece in answer.pieces:
                deltas.append({"type": f"{names[1]}.delta", "content_index": 0, "delta": piece})
                if spoken:
                    deltas.append({"type": f"{names[2]}.delta", "content_index": 0, "delta": "AAAA"})
            told: Fields = {
                "type": f"{names[1]}.done",
                "content_index": 0,
                "transcript" if spoken else "text": answer.text,
            }
            yield message, [*deltas, told]
        for call in answer.tool_calls:
            called: Fields = {
                **item,
                "id": new_id("item_"),
                "type": "function_call",
                "call_id": new_id("call_"),
            }
            called |= {"name": call.name, "arguments": call.arguments}
            name = "response.function_call_arguments"
            delta: Fields = {"type": f"{name}.delta", "call_id": called["call_id"], "delta": call.arguments}
            yield called, [delta, {"type": f"{name}.done", "arguments": call.arguments, "name": call.name}]


_HEARD = ("speech_started", "speech_stopped", "committed")
_SILENT = ("input_audio_buffer.commit", "input_audio_buffer.clear", "conversation.item.truncate")
_NAMES = {  # (beta, spoken): content part, text or transcript, audio
    (True, True): ("audio", "response.audio_transcript", "response.audio"),
    (True, False): ("text", "response.text", ""),
    (False, True): ("output_audio", "response.output_audio_transcript", "response.output_audio"),
    (False, False): ("output_text", "response.output_text", ""),
}


def event(kind: str, **fields: object) -> Event:
    """An event with an id."""
    return Event({"type": kind, "event_id": new_id("event_"), **fields})


def _status(job: Job, answer: Answer) -> Fields:
    if job.plan.failed:
        failure = {"type": "server_error", "code": "server_error", "message": "The model failed."}
        return {"status": "failed", "status_details": {"type": "failed", "error": failure}}
    if answer.finish in ("length", "content_filter"):
        reason = "max_output_tokens" if answer.finish == "length" else answer.finish
        return {"status": "incomplete", "status_details": {"type": "incomplete", "reason": reason}}
    return {"status": "completed", "status_details": {"type": "completed"}}


def _usage(job: Job) -> Fields:
    usage = job.usage
    return {
        "total_tokens": usage.total,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "input_token_details": {
            "text_tokens": usage.input - usage.audio_input,
            "audio_tokens": usage.audio_input,
            "image_tokens": 0,
            "cached_tokens": usage.cached,
            "cached_tokens_details": {"text_tokens": usage.cached, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {
            "text_tokens": usage.output - usage.audio_output,
            "audio_tokens": usage.audio_output,
        },
    }
