"""What a test reads of the telemetry in memory."""

from __future__ import annotations

from typing import Any, Protocol

from genai_otel.testing import Point


class Recorded(Protocol):
    """``genai_otel.testing.Telemetry`` with untyped spans: the SDK's attributes may be anything or None."""

    def span(self) -> Any: ...
    def spans(self) -> list[Any]: ...
    def calls(self) -> list[Any]: ...
    def metrics(self) -> dict[str, list[Point]]: ...
