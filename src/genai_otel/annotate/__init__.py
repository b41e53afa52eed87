"""The program's own steps: workflows, agents, tasks, tools, retrieval, look-ups in caches.

Each function here gives a decorator that is a context manager as well::

    @genai_otel.tool
    def weather(city: str) -> str: ...

    with genai_otel.agent("planner") as step: ...

A step has a span of the conventions, is measured at any sampling ratio, and passes results and exceptions on as the
very objects.  Arguments and results are recorded only where the content policy (``capture_content``) lets them stand
on spans.  Before ``setup()``, and without it, the program runs as if nothing was there.

Every step takes ``conversation_id``, ``stage`` and ``iteration``, which the steps inside it have as well, and further
``attributes``.  Without a name it is called what the function or class is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, overload

from genai_otel.annotate.annotation import Annotation
from genai_otel.annotate.kinds import AGENT, CACHE, RETRIEVAL, TASK, TOOL, WORKFLOW, Kind

if TYPE_CHECKING:
    from typing_extensions import Unpack

F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]")


class StepFacts(TypedDict, total=False):
    """What every step may be told."""

    conversation_id: str | None
    stage: str | None
    iteration: int | None
    attributes: Mapping[str, Any] | None


class AgentFacts(StepFacts, total=False):
    """What an agent may be told; ``id`` and ``version`` are for agents that live longer than the process."""

    id: str | None
    version: str | None
    description: str | None
    model: str | None


class ToolFacts(StepFacts, total=False):
    """What a tool may be told; ``type`` is ``function``, ``extension`` or ``datastore``."""

    type: str
    call_id: str | None
    description: str | None


class RetrievalFacts(StepFacts, total=False):
    """What a retrieval may be told; its name is the id of the data source."""

    provider: str | None
    top_k: int | None
    model: str | None


@overload
def workflow(name: str | None = None, **facts: Unpack[StepFacts]) -> Annotation: ...
@overload
def workflow(name: F, /) -> F: ...
def workflow(name: Any = None, **facts: Any) -> Any:
    """A run of steps that belong together: span ``invoke_workflow {name}``, measured in seconds."""
    return _annotated(WORKFLOW, name, facts)


@overload
def agent(name: str | None = None, **facts: Unpack[AgentFacts]) -> Annotation: ...
@overload
def agent(name: F, /) -> F: ...
def agent(name: Any = None, **facts: Any) -> Any:
    """One invocation of an agent: span ``invoke_agent {name}``, measured in seconds, calls of models and of tools."""
    return _annotated(AGENT, name, facts)


@overload
def task(name: str | None = None, **facts: Unpack[StepFacts]) -> Annotation: ...
@overload
def task(name: F, /) -> F: ...
def task(name: Any = None, **facts: Any) -> Any:
    """Any other step that is worth a span: ``task {name}``, measured in seconds.  The conventions know none."""
    return _annotated(TASK, name, facts)


@overload
def tool(name: str | None = None, **facts: Unpack[ToolFacts]) -> Annotation: ...
@overload
def tool(name: F, /) -> F: ...
def tool(name: Any = None, **facts: Any) -> Any:
    """One execution of a tool: span ``execute_tool {name}``, measured in seconds."""
    return _annotated(TOOL, name, {"type": "function", **facts})


@overload
def retrieval(name: str | None = None, **facts: Unpack[RetrievalFacts]) -> Annotation: ...
@overload
def retrieval(name: F, /) -> F: ...
def retrieval(name: Any = None, **facts: Any) -> Any:
    """One search in a data source: span ``retrieval {name}``, measured in seconds."""
    return _annotated(RETRIEVAL, name, facts)


@overload
def cache(name: str | None = None, **facts: Unpack[StepFacts]) -> Annotation: ...
@overload
def cache(name: F, /) -> F: ...
def cache(name: Any = None, **facts: Any) -> Any:
    """One look-up in a cache of the program's: span ``cache_lookup {name}``, counted by hit and miss.

    Of a function that it decorates None is a miss; a ``with`` block says ``step.hit()`` or ``step.miss()``.
    """
    return _annotated(CACHE, name, facts)


def _annotated(kind: Kind, name: Any, facts: dict[str, Any]) -> Any:
    attributes = dict(facts.pop("attributes", None) or {})
    unknown = facts.keys() - kind.words.keys()
    if unknown:
        raise TypeError(
            f"{kind.operation} has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(kind.words))}, attributes"
        )
    attributes.update({kind.words[word]: value for word, value in facts.items()})
    if name is None or isinstance(name, str):
        return Annotation(kind, name, attributes)
    return Annotation(kind, None, attributes)(name)
