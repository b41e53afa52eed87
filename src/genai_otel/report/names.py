"""Names that a report reads, beside those of ``semconv``."""

from __future__ import annotations

from typing import Final

# The convention's.
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"
RETRIEVAL: Final = "retrieval"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"

# Ours.
TASK: Final = "task"
TASK_NAME: Final = "genai_otel.task.name"
