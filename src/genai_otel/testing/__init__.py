"""For tests, dashboards and benchmarks: a local model server and in-memory telemetry."""

from genai_otel.testing.server import ModelServer
from genai_otel.testing.wire import Event, Reply, Request

__all__ = ["Event", "ModelServer", "Reply", "Request"]
