"""The kinds of steps that a program names itself, as data.

What the conventions name keeps their names; a task and a look-up in a cache are ours, because they know none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from opentelemetry.trace import SpanKind

from genai_otel import semconv

Facts = dict[str, Any]

Said = Literal["messages", "call", "query"]
"""How the conventions tell what a step was given and what it gave."""


_COMMON: Final = {
    "conversation_id": semconv.CONVERSATION_ID,
    "stage": semconv.STAGE,
    "iteration": semconv.ITERATION,
}


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of step.

    Its spans are called ``{operation} {name}``, its metric stands with the operation in ``processing/steps.py``.

    :ivar operation: ``gen_ai.operation.name``.
    :ivar named: the attribute that holds its name.
    :ivar said: in whose attributes arguments and results stand, where the content policy lets them.
    :ivar span_kind: CLIENT where the work is done by another service.
    :ivar words: what else a program may say of it, and the attribute that holds it.
    :ivar answered: facts that a result tells.
    """

    operation: str
    named: str
    said: Said = "messages"
    span_kind: SpanKind = SpanKind.INTERNAL
    words: Mapping[str, str] = field(default_factory=lambda: _COMMON)
    answered: Callable[[Any], Facts] | None = None


def _found(result: Any) -> Facts:
    return {semconv.CACHE_RESULT: "miss" if result is None else "hit"}


WORKFLOW: Final = Kind(semconv.INVOKE_WORKFLOW, semconv.WORKFLOW_NAME)
AGENT: Final = Kind(
    semconv.INVOKE_AGENT,
    semconv.AGENT_NAME,
    words={
        **_COMMON,
        "id": semconv.AGENT_ID,
        "version": semconv.AGENT_VERSION,
        "description": semconv.AGENT_DESCRIPTION,
        "model": semconv.REQUEST_MODEL,
    },
)
TASK: Final = Kind(semconv.TASK, semconv.TASK_NAME)
TOOL: Final = Kind(
    semconv.EXECUTE_TOOL,
    semconv.TOOL_NAME,
    said="call",
    words={
        **_COMMON,
        "type": semconv.TOOL_TYPE,
        "call_id": semconv.TOOL_CALL_ID,
        "description": semconv.TOOL_DESCRIPTION,
    },
)
RETRIEVAL: Final = Kind(
    semconv.RETRIEVAL,
    semconv.DATA_SOURCE_ID,
    said="query",
    span_kind=SpanKind.CLIENT,
    words={
        **_COMMON,
        "provider": semconv.PROVIDER_NAME,
        "top_k": semconv.RETRIEVAL_TOP_K,
        "model": semconv.REQUEST_MODEL,
    },
)
CACHE: Final = Kind(semconv.CACHE_LOOKUP, semconv.CACHE_NAME, said="query", answered=_found)

HANDED: Final = (semconv.AGENT_NAME, semconv.CONVERSATION_ID, semconv.STAGE, semconv.ITERATION)
"""What the steps inside a step are told of it, unless they say something else."""
