"""What a test reads of the telemetry in memory."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import Any, Protocol

from genai_otel.engine import call as calls
from genai_otel.testing import Point
from tests.harness.patience import collect


class Recorded(Protocol):
    """``genai_otel.testing.Telemetry`` with untyped spans: the SDK's attributes may be anything or None."""

    def span(self) -> Any: ...
    def spans(self) -> list[Any]: ...
    def calls(self) -> list[Any]: ...
    def metrics(self) -> dict[str, list[Point]]: ...
    def logs(self) -> list[Any]: ...


def facts(telemetry: Recorded) -> dict[str, Any]:
    """The attributes of the only span."""
    return dict(telemetry.span().attributes or {})


def outcome(span: Any) -> tuple[str, str, Any]:
    """How a call ended, by our word, by the status and by the error."""
    return (
        span.attributes["genai_otel.outcome"],
        span.status.status_code.name,
        span.attributes.get("error.type"),
    )


async def dropped(telemetry: Recorded) -> Any:
    """The only span, after the garbage collector and the event loop have done their part."""
    await collected()
    return telemetry.span()


async def collected(seconds: float = 2.0) -> None:
    """Let the garbage collector and the event loop do their part; generators in generators go one by one.

    A client's own thread may hold a dropped stream for a moment, so calls that are still open get some time.
    """
    end = time.monotonic() + seconds
    for attempt in count():
        collect()
        for _ in range(5):
            await asyncio.sleep(0)
        calls.drain()
        if attempt >= 2 and (not calls.open_calls() or time.monotonic() > end):
            return
        await asyncio.sleep(0.01 if attempt >= 2 else 0)
