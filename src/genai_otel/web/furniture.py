"""What an app gets beside its tracing: routes of ours, and headers that name the trace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genai_otel.web.checks import Check, Checks
from genai_otel.web.headers import RequestIds, TraceHeaders
from genai_otel.web.routes import Route, Routes, feedback, liveness, readiness
from genai_otel.web.stack import is_tracing, layers

_HEADER: Final = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, eq=False)
class Furniture:
    """``outside`` are routes that nobody traces, ``inside`` those that are traced; with ``headers`` answers name
    their trace; ``request_id`` is the header in which callers name their requests.
    """

    outside: Mapping[str, Route]
    inside: Mapping[str, Route]
    headers: bool
    request_id: str | None = None

    def into(self, stack: Any) -> Any:
        """The stack of an app with all this, put there once."""
        there = list(layers(stack))
        tracing = next((layer for layer in there if is_tracing(layer)), None)
        known = [layer.routes for layer in there if isinstance(layer, Routes)]
        if self.inside and self.inside not in known:
            if tracing is None:
                stack = Routes(stack, self.inside)
            else:
                tracing.app = Routes(tracing.app, self.inside)
        if self.headers and tracing is not None and not any(isinstance(each, TraceHeaders) for each in there):
            tracing.app = TraceHeaders(tracing.app)
        if self.request_id and tracing and not any(isinstance(each, RequestIds) for each in there):
            tracing.app = RequestIds(tracing.app, self.request_id)
        if self.outside and self.outside not in known:
            stack = Routes(stack, self.outside)
        return stack


def furniture(
    *,
    trace_headers: bool,
    health: str | None,
    ready: str | None,
    feedback_path: str | None,
    checks: Mapping[str, Check] | None,
    request_id: str | None,
) -> Furniture:
    """What was asked for.  Raises ValueError for a path, or the name of a header, that is none."""
    paths = (health, ready, feedback_path)
    wrong = [path for path in paths if path is not None and not path.startswith("/")]
    if wrong:
        raise ValueError(f"a path starts with /, {', '.join(map(repr, wrong))} does not")
    if checks and ready is None:
        raise ValueError("checks are asked by the route that ready names: instrument_app(…, ready='/ready')")
    if request_id is not None and not _HEADER.fullmatch(request_id):
        raise ValueError(f"request_id is the name of a header, which {request_id!r} is not")
    outside: dict[str, Route] = {}
    if health is not None:
        outside[health] = liveness()
    if ready is not None:
        outside[ready] = readiness(Checks(checks or {}))
    inside = {} if feedback_path is None else {feedback_path: feedback()}
    return Furniture(outside, inside, trace_headers, request_id)
