"""Small ASGI routes in front of an app: is the process alive, is it ready, what do its users think."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Final, NamedTuple

from opentelemetry.trace import get_current_span

from genai_otel import fence, semconv
from genai_otel.web.checks import MODELS, Checks, last
from genai_otel.web.headers import App, Receive, Scope, Send

MOST_BYTES: Final = 16_384
"""Of the body of a feedback."""


class Route(NamedTuple):
    """What answers a path: status and JSON (None is no body) for the body of a request."""

    methods: tuple[str, ...]
    answer: Callable[[bytes], Awaitable[tuple[int, Any]]]


class Routes:
    """ASGI: answers some paths, and hands all other requests to ``app``."""

    def __init__(self, app: App, routes: Mapping[str, Route]) -> None:
        self.app = app
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.routes.get(_path(scope)) if scope["type"] == "http" else None
        if route is None or scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        _name(scope, _path(scope))
        headers: list[tuple[bytes, bytes]] = []
        if scope["method"] not in route.methods:
            status, said = 405, None
            headers = [(b"allow", ", ".join(route.methods).encode())]
        else:
            body = await _body(receive) if "POST" in route.methods else b""
            status, said = (413, None) if body is None else await _answered(route, body)
        text = b"" if said is None else json.dumps(said).encode()
        headers += [(b"cache-control", b"no-store")]
        if status != 204:  # which has no body to describe
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})


def liveness() -> Route:
    """That the process answers, and nothing else: no dependency is asked."""

    async def answer(_: bytes) -> tuple[int, Any]:
        return 200, {"status": "ok", "time": _now(), **_version()}

    return Route(("GET", "HEAD"), answer)


def readiness(checks: Checks) -> Route:
    """503 while a dependency is not there.  That telemetry is off is said, and makes no service unready."""

    async def answer(_: bytes) -> tuple[int, Any]:
        found = await checks.results()
        ready = all(result == "ok" for result in found.values())
        status = "ready" if ready else "unready"
        said = {"status": status, "time": _now(), **_version(), "telemetry": _telemetry()}
        models = {"models": probed} if (probed := last(MODELS)) else {}
        return 200 if ready else 503, {**said, "checks": found, **models}

    return Route(("GET", "HEAD"), answer)


def feedback() -> Route:
    """Takes ``{"ref", "value", "comment"?, "idempotency_key"?}``; see :func:`genai_otel.feedback`."""

    async def answer(body: bytes) -> tuple[int, Any]:
        from genai_otel.quality.feedbacks import feedback as recorded

        try:
            return recorded(json.loads(body)), None
        except (ValueError, RecursionError):
            return 400, None

    return Route(("POST",), answer)


async def _answered(route: Route, body: bytes) -> tuple[int, Any]:
    with fence.contain("web.routes"):
        return await route.answer(body)
    return 500, None


def _name(scope: Scope, path: str) -> None:
    """Say on the span of the request which route it is, as a framework would."""
    span = get_current_span()
    if span.is_recording():
        span.update_name(f"{scope['method']} {path}")
        span.set_attribute(semconv.HTTP_ROUTE, path)


def _path(scope: Scope) -> str:
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None where it is too long or the caller has gone."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        more = message.get("more_body", False)
    return body


def _telemetry() -> str:
    from genai_otel import runtime

    handle = runtime.current()
    if handle is None or handle.pipeline is None:
        return "off"
    return "ended" if handle.ended else "on"


def _version() -> dict[str, str]:
    """The ``service.version`` of the resource, where the program says one."""
    from genai_otel import runtime

    handle = runtime.current()
    resource = getattr(None if handle is None else handle.tracer_provider, "resource", None)
    known = None if resource is None else resource.attributes.get("service.version")
    return {} if known is None else {"version": str(known)}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
