"""The middlewares of an app, as they stand around each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def is_tracing(layer: Any) -> bool:
    """Whether a middleware is OpenTelemetry's."""
    return type(layer).__name__ == "OpenTelemetryMiddleware"


def layers(stack: Any) -> Iterator[Any]:
    """The middlewares of an app, the outermost first."""
    seen = set[int]()
    while stack is not None and id(stack) not in seen:
        seen.add(id(stack))
        yield stack
        stack = getattr(stack, "app", None)
