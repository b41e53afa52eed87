"""Google's Live API: one turn at a time over a WebSocket, set up by its first message.

The model's name with its directives stands in that message.  A text that comes while the model speaks interrupts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genai_otel.testing import google_api
from genai_otel.testing.answer import Answer, Ask, Tool, Usage
from genai_otel.testing.directives import DEFAULT_MODEL, Plan
from genai_otel.testing.job import Job, new_id
from genai_otel.testing.websocket import Dialogue, Jobs, Message
from genai_otel.testing.websocket import now as at_once
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

Fields = dict[str, object]

error = google_api.error


def serves(request: Request) -> bool:
    return request.method == "GET" and request.route.endswith("BidiGenerateContent")


def model(request: Request) -> str:
    """Not known before the set-up."""
    del request
    return DEFAULT_MODEL


def dialogue(request: Request, jobs: Jobs) -> Dialogue:
    del request
    return _Live(jobs)


class _Live:
    closed = False

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._setup: Message = {}
        self._asked = DEFAULT_MODEL
        self._prompt = ""
        self._turn = 0
        self._ended = 0
        self._rounds = 0

    def opened(self) -> Iterable[Event]:
        return ()

    def heard(self, message: Message) -> Iterable[tuple[Reply, Plan]]:
        if "setup" in message:
            self._setup = mapping(message["setup"])
            self._asked = string(self._setup.get("model")).rpartition("/")[2] or DEFAULT_MODEL
            yield at_once(Event({"setupComplete": {"sessionId": new_id("")}}))
            return
        given = mapping(message.get("client_content"))
        spoken = mapping(message.get("realtime_input"))
        if "tool_response" in message:
            self._rounds += 1
            yield self._answer()
        elif given:
            texts = [mapping(part).get("text") for turn in items(given.get("turns")) for part in _parts(turn)]
            self._prompt = " ".join(text for text in texts if isinstance(text, str))
            if given.get("turnComplete") or given.get("turn_complete"):
                yield self._new_turn()
        elif "text" in spoken or "activityEnd" in spoken or "audio" in spoken:
            self._prompt = string(spoken.get("text"))
            yield self._new_turn()

    def _new_turn(self) -> tuple[Reply, Plan]:
        self._rounds = 0
        self._turn += 1
        return self._answer()

    def _answer(self) -> tuple[Reply, Plan]:
        job = self._jobs(self._setup, self._asked)
        broken = Event({"error": {"code": 500, "message": "The model failed.", "status": "INTERNAL"}})
        return Reply(events=self._events(job, self._turn), broken=broken), job.plan

    def _events(self, job: Job, turn: int) -> Iterator[Event]:
        answer = job.compose(Ask(prompt=self._prompt, tools=_tools(self._setup), rounds=self._rounds))
        if answer.tool_calls:
            calls: list[Fields] = [
                {"id": new_id("fc_"), "name": call.name, "args": dict[str, object]()}
                for call in answer.tool_calls
            ]
            yield Event({"toolCall": {"functionCalls": calls}})
            return
        for piece in answer.pieces:
            if turn != self._turn and self._ended < turn:
                self._ended = turn
                yield Event({"serverContent": {"interrupted": True}})
                break
            yield Event({"serverContent": {"modelTurn": {"role": "model", "parts": [{"text": piece}]}}})
        else:
            yield Event({"serverContent": {"generationComplete": True}})
        if job.usage.searches is not None:
            queries = [f"query {number}" for number in range(job.usage.searches)]
            yield Event({"serverContent": {"groundingMetadata": {"webSearchQueries": queries}}})
        yield Event({"serverContent": _complete(answer), "usageMetadata": _usage(job.usage)})


def _parts(turn: object) -> list[object]:
    return items(mapping(turn).get("parts"))


def _complete(answer: Answer) -> Fields:
    filtered = answer.finish == "content_filter"
    return {"turnComplete": True, **({"turnCompleteReason": "RESPONSE_REJECTED"} if filtered else {})}


def _tools(setup: Message) -> tuple[Tool, ...]:
    declared = [
        mapping(function)
        for tool in items(setup.get("tools"))
        for function in items(mapping(tool).get("functionDeclarations"))
    ]
    return tuple(Tool(string(function.get("name")), {}) for function in declared)


def _usage(usage: Usage) -> Fields:
    return {
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cached,
        "responseTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.total,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": usage.input - usage.audio_input},
            {"modality": "AUDIO", "tokenCount": usage.audio_input},
        ],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": usage.cached}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": usage.output - usage.reasoning}],
    }
