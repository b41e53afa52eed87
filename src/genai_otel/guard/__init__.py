"""The last look at telemetry before it leaves: secrets, the content policy, byte budgets."""

from genai_otel.guard.logs import LogGuard
from genai_otel.guard.spans import Guard

__all__ = ["Guard", "LogGuard"]
