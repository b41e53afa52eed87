"""The trace id in the answer, for whoever has to say which request he means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from genai_otel import fence

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
