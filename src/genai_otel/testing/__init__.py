"""For tests, dashboards and benchmarks: a local model server and telemetry kept in memory."""

from genai_otel.testing.in_memory import Point, Telemetry, telemetry
from genai_otel.testing.server import ModelServer
from genai_otel.testing.wire import Event, Reply, Request

__all__ = ["Event", "ModelServer", "Point", "Reply", "Request", "Telemetry", "telemetry"]
