"""What a developer sees in the terminal: the live tree of each trace, and a table of the derived metrics."""

from __future__ import annotations

from genai_otel.console.table import metrics_table
from genai_otel.console.view import ConsoleView

__all__ = ["ConsoleView", "metrics_table"]
