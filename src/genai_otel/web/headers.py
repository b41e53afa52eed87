"""Which request is meant: the trace id in the answer, and the id that the caller has given it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from genai_otel import fence, semconv
from genai_otel.manual.told import context

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TraceHeaders:
    """ASGI: every answer of ``app`` names the trace of its request.

    ``traceresponse`` and ``Server-Timing: traceparent`` have the W3C's form, which browsers and their tracers read,
    ``X-Trace-Id`` the id alone, for people.  It belongs inside the middleware that traces; an answer of a request that
    nobody traces has none.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = _headers() if scope["type"] == "http" else []
        if not ours:
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                with fence.contain("web.headers"):
                    given = {name.lower() for name, _ in message.get("headers", ())} - {b"server-timing"}
                    added = [header for header in ours if header[0] not in given]
                    message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        await self.app(scope, receive, answer)


_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
"""What a caller may call his request; anything else is left out, because it would stand in logs and headers."""


class RequestIds:
    """ASGI: what a caller calls his request, in the header ``name``, is on every span of it and in the answer."""

    def __init__(self, app: App, name: str) -> None:
        self.app = app
        self._name = name.lower().encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(self._name, b"") if scope["type"] == "http" else b""
        if not _ID.fullmatch(given):
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if self._name not in {name.lower() for name, _ in headers}:
                    headers.append((self._name, given))
                message = {**message, "headers": headers}
            await send(message)

        get_current_span().set_attribute(semconv.CALLERS_REQUEST_ID, given.decode())
        with context(request_id=given.decode()):
            await self.app(scope, receive, answer)


def _headers() -> list[tuple[bytes, bytes]]:
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return []
    trace_id = format_trace_id(context.trace_id)
    parent = f"00-{trace_id}-{format_span_id(context.span_id)}-{context.trace_flags & 1:02x}"
    return [
        (b"traceresponse", parent.encode()),
        (b"x-trace-id", trace_id.encode()),
        (b"server-timing", f'traceparent;desc="{parent}"'.encode()),
    ]
