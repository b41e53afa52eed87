"""A local model server for tests, dashboards and benchmarks: real sockets, no network, no keys.

    with ModelServer() as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="test")
        client.chat.completions.create(model="gpt-4o-mini+slow-first-500ms", messages=[...])
        assert server.requests[0].route == "/v1/chat/completions"

What the server does is asked for in the model name (`directives.py` has the table), or scripted with
`reply()`, or decided by a function given as `hook`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from genai_otel.testing import (
    ai21_api,
    anthropic_api,
    bedrock_api,
    cohere_api,
    google_api,
    google_live,
    huggingface_api,
    mistral_api,
    ollama_api,
    openai_api,
    openai_kin,
    openai_sessions,
    replicate_api,
    voyage_api,
    watsonx_api,
    writer_api,
    xai_api,
)
from genai_otel.testing.answer import Answer, Ask, ToolCall, compose
from genai_otel.testing.directives import Plan, UnknownDirective, parse
from genai_otel.testing.distort import distort
from genai_otel.testing.http_server import HttpServer
from genai_otel.testing.job import Job
from genai_otel.testing.websocket import Dialogue, Jobs, upgrades
from genai_otel.testing.wire import Event, Reply, Request

Hook = Callable[[Request], "Reply | None"]


class WireFormat(Protocol):
    """What a vendor's module offers: which requests are its own, and how they are answered."""

    def serves(self, request: Request) -> bool: ...

    def model(self, request: Request) -> str: ...

    def answer(self, job: Job) -> Reply: ...

    def error(self, request: Request, status: int, plan: Plan, message: str | None = None) -> Reply: ...


class TalkFormat(Protocol):
    """What a vendor's module offers that talks over WebSockets."""

    def serves(self, request: Request) -> bool: ...

    def model(self, request: Request) -> str: ...

    def dialogue(self, request: Request, jobs: Jobs) -> Dialogue: ...

    def error(self, request: Request, status: int, plan: Plan, message: str | None = None) -> Reply: ...


_TALKS: tuple[TalkFormat, ...] = (openai_sessions, google_live)
_FORMATS: tuple[WireFormat, ...] = (
    bedrock_api,  # before the vendors whose form it speaks
    ai21_api,
    anthropic_api,
    cohere_api,
    google_api,
    huggingface_api,
    mistral_api,
    ollama_api,
    replicate_api,
    voyage_api,
    watsonx_api,
    writer_api,
    xai_api,
    *openai_kin.FORMATS,
    openai_api,
)  # a further vendor is one more module


@dataclass(frozen=True)
class _Script:
    """What `reply()` left for a request: a finished reply, or what the model says in any wire format."""

    plan: Plan
    whole: Reply | None = None
    said: Answer | None = None


class ModelServer(HttpServer):
    """An HTTP server on `host`:`port` (0: any free port) that answers like a model vendor.

    `hook` is asked first, with each request: a `Reply` from it is sent, None means the normal answer. It also talks
    over WebSockets, for which it needs the `websockets` library, as the clients that do so need it themselves.
    `keep` is the number of requests that the log holds (the last ones).
    """

    protos = xai_api.PROTOS

    def __init__(
        self, hook: Hook | None = None, *, host: str = "127.0.0.1", port: int = 0, keep: int = 10_000
    ) -> None:
        super().__init__(host=host, port=port, keep=keep)
        self._hook = hook
        self._scripts: deque[_Script] = deque()
        self._attempts: dict[bytes, int] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """What OpenAI clients want: with `/v1`."""
        return self.url + "/v1"

    def clear(self) -> None:
        """Forget the requests, the scripted answers and the attempts counted so far."""
        self._log.clear()
        self._scripts.clear()
        self._attempts.clear()

    def reply(
        self,
        answer: str | Mapping[str, object] | Reply | None = None,
        *,
        tool_calls: Mapping[str, object] | None = None,
        events: Iterable[object] | None = None,
        status: int = 200,
        directives: str = "",
    ) -> None:
        """Script the answer to the next request; call again for the one after it.

        `answer` is the model's text, a whole JSON body, or a `Reply`; `tool_calls` are the model's calls, name
        to arguments; `events` is a whole stream, each element a JSON value or an `Event`. `status` is that of
        a JSON body, alone it means an error of the vendor. `directives` are those of a model name
        (`"slow-first-500ms+length"`); those in the request's model name do not count then.
        """
        _, plan = parse("+" + directives if directives else "")
        whole, said = None, None
        if isinstance(answer, Reply):
            whole = answer
        elif events is not None:
            stream = [event if isinstance(event, Event) else Event(event) for event in events]
            whole = Reply(events=stream, status=status)
        elif isinstance(answer, Mapping):
            whole = Reply(dict(answer), status=status)
        elif tool_calls is not None:
            calls = [ToolCall(name, json.dumps(arguments)) for name, arguments in tool_calls.items()]
            said = Answer(tool_calls=tuple(calls), finish="tool_calls")
        elif answer is not None:
            said = compose(Ask(), plan, text=answer)
        elif status >= 400:
            plan = replace(plan, error=status)
        self._scripts.append(_Script(plan, whole, said))

    def respond(self, request: Request) -> tuple[Reply, Plan]:
        if self._hook is not None and (reply := self._hook(request)) is not None:
            return reply, Plan()
        script = self._next_script()
        if script is not None and script.whole is not None:
            return distort(script.whole, script.plan), script.plan
        for talk in _TALKS:
            if upgrades(request) and talk.serves(request):
                return self._refuse(talk, request)
        for vendor in _FORMATS:
            if vendor.serves(request):
                return self._speak(vendor, request, script)
        lost = f"no endpoint: {request.method} {request.route}"
        return openai_api.error(request, 404, Plan(), lost), Plan()

    def converse(self, request: Request) -> Dialogue | None:
        talk = next((talk for talk in _TALKS if talk.serves(request)), None)
        if talk is None:
            return None
        try:
            _, plan = parse(talk.model(request))
        except UnknownDirective:
            return None
        if plan.error is not None or plan.reset or plan.hang:
            return None
        return talk.dialogue(request, partial(self._job, request))

    def _refuse(self, talk: TalkFormat, request: Request) -> tuple[Reply, Plan]:
        """What a handshake gets whose model name says so."""
        try:
            _, plan = parse(talk.model(request))
        except UnknownDirective as unknown:
            return talk.error(request, 400, Plan(), str(unknown)), Plan()
        return talk.error(request, plan.error or 500, plan), plan

    def _job(self, request: Request, fields: Mapping[str, object], asked: str) -> Job:
        """One answer in a conversation. Raises UnknownDirective."""
        model, plan = parse(asked)
        script = self._next_script()
        message = Request(request.method, request.path, request.headers, json.dumps(fields).encode())
        return Job(message, model, asked, script.plan if script else plan, script.said if script else None)

    def _speak(self, vendor: WireFormat, request: Request, script: _Script | None) -> tuple[Reply, Plan]:
        try:
            asked = vendor.model(request)
            model, plan = parse(asked)
        except UnknownDirective as unknown:
            return vendor.error(request, 400, Plan(), str(unknown)), Plan()
        if script is not None:
            plan = script.plan
        status = self._failure(request, plan)
        if status is not None:
            return distort(vendor.error(request, status, plan), plan), plan
        job = Job(request, model, asked, plan, script.said if script is not None else None)
        return distort(vendor.answer(job), plan), plan

    def _next_script(self) -> _Script | None:
        with self._lock:
            return self._scripts.popleft() if self._scripts else None

    def _failure(self, request: Request, plan: Plan) -> int | None:
        if plan.fail is None:
            return plan.error
        return (plan.error or 429) if self._attempts_before(request, plan.fail) < plan.fail else None

    def _attempts_before(self, request: Request, limit: int) -> int:
        """How often this was tried before. Some clients say it; of others, equal requests are counted to `limit`."""
        said = request.headers.get("x-stainless-retry-count")
        if said is not None:
            return int(said)
        key = hashlib.sha256(request.path.encode() + request.body).digest()
        with self._lock:
            before = self._attempts.pop(key, 0)
            if before < limit:
                self._attempts[key] = before + 1
            return before
