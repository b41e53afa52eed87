"""Which names stand for content (what was said to a model, and what it said), in any dialect.

A closed list would miss the next attribute of the next library.  In the namespaces of GenAI libraries a name is
content when one of its words says so (``prompt``, ``output``, ``arguments`` …), unless another word says that it is
a fact about it (``gen_ai.prompt.name``, ``llm.token_count.prompt``).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

from genai_otel.safe import REDACTED

EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"

EXCEPTION_TEXTS: Final = frozenset(
    {EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, "error.message", "error.stack_trace"}
)
"""Texts of an exception; the last two are litellm's, on the span itself."""

MLFLOW: Final = "mlflow.spanType"
"""On the spans of MLflow, which have every argument of a request under the argument's own name."""

CREWAI: Final = "crewai.event_name"
"""On CrewAI's own spans, where the description of an agent is the goal that the model is told."""

GENAI: Final = (
    "gen_ai.", "llm.", "traceloop.", "openinference.", "embedding.", "retrieval.", "reranker.", "langfuse.",
    "langsmith.", "mlflow.", "gcp.vertex.agent.", "pydantic_ai.", "haystack.", "crewai.", "litellm.", "mcp.",
    "ai.", "anthropic.", "openlit.", "agent_framework.",
)  # fmt: skip
NAMES: Final = frozenset({
    # OpenInference
    "input.value", "output.value", "input.images", "output.images", "input.documents", "output.documents",
    "llm.function_call", "message.content", "document.content", "document.metadata", "tool.parameters",
    "tool.json_schema", "tool_call.function.arguments", "tool.task_name", "agent.goal", "agent.backstory",
    # pydantic-ai and logfire
    "all_messages_events", "events", "final_result", "model_request_parameters", "request_data", "response_data",
    "tool_arguments", "tool_response",
    # Vercel's AI SDK
    "ai.response.object", "ai.response.reasoning", "ai.response.files", "ai.embedding", "ai.embeddings", "ai.values",
    # others
    "mlflow.spanInputs", "mlflow.spanOutputs", "langfuse.observation.status_message", "gen_ai.choice",
    "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response",
    "adk.fn.return", "adk.fn.exc_repr", "crewai.task.name",
    "gen_ai.evaluation.explanation",
    "db.query.result.document", "db.query.result.metadata", "db.query.embeddings.vector", "db.search.embeddings.vector",
    "db.search.result.entity",
})  # fmt: skip
# Arguments that say nothing that was said.
FACTS: Final = frozenset(
    """
    dimensions encoding_format frequency_penalty logprobs max_completion_tokens max_output_tokens max_tokens model n
    parallel_tool_calls presence_penalty seed service_tier store stream temperature top_k top_logprobs top_p
    """.split()  # noqa: SIM905 - twenty quoted words are harder to read
)
_WORD_ENDS: Final = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
_CREWAI: Final = "crewai."
FREE: Final = frozenset({"crew_agents", "crew_tasks", "task_description"})
"""Arguments of CrewAI's that say by no word of theirs that they hold what was said."""
_SHORTEST: Final = 4  # characters of what was said that are looked for in the name of a span
ALWAYS: Final = frozenset({"base64", "variable", "variables"})
_MEDIA: Final = frozenset({"image", "video", "audio"})
SAID: Final = frozenset({
    "args", "argument", "arguments", "calls", "choices", "completion", "completions", "content", "contents", "context",
    "data", "definitions", "document", "documents", "functions", "goal", "headers", "input", "inputs", "instruction",
    "instructions", "message", "messages", "output", "outputs", "parameters", "params", "prompt", "prompts", "queries",
    "query", "raw", "records", "result", "results", "schema", "text", "texts", "thinking", "thought", "tools", "value",
    "vector",
})  # fmt: skip
ABOUT: Final = frozenset({
    "cost", "count", "counts", "dimension", "duration", "finish", "format", "id", "ids", "index", "kind", "length",
    "level", "limit", "max", "mime", "min", "model", "name", "names", "reason", "reasons", "ref", "role", "score",
    "size", "status", "time", "token", "tokens", "top", "type", "types", "usage", "version",
})  # fmt: skip
CREWAI_ABOUT: Final = ABOUT | {
    "execution",
    "key",
    "llm",
    "mcp",
    "origin",
    "policy",
    "process",
    "subject",
    "uuid",
}

# Packages whose exceptions and debug lines quote what was sent.
CLIENTS: Final = (
    r"openai|anthropic|mistralai|cohere|groq|together|cerebras|fireworks|ollama|litellm|botocore|huggingface_hub"
    r"|voyageai|xai_sdk|ibm_watsonx_ai"
    r"|langchain\w*|llama_index|pydantic_ai|semantic_kernel|strands|google[./\\](?:genai|adk)|genai_otel[./\\]engine"
)


@functools.lru_cache(maxsize=4096)
def is_content(name: str) -> bool:
    """Whether an attribute, or an event, of this name holds what was said."""
    if name in NAMES:
        return True
    if name.startswith(_CREWAI):  # most of what it notes are texts of the program's
        return _says(name) or CREWAI_ABOUT.isdisjoint(_words(name))
    return name.startswith(GENAI) and _says(name)


@functools.lru_cache(maxsize=4096)
def is_argument(name: str) -> bool:
    """Whether an attribute without a namespace holds what was said, where it stands on a GenAI span."""
    return name in FREE or ("." not in name and name not in FACTS and _says(name))


def _says(name: str) -> bool:
    words = _words(name)
    if not ALWAYS.isdisjoint(words) or ("url" in words and not _MEDIA.isdisjoint(words)):
        return True
    return not SAID.isdisjoint(words) and ABOUT.isdisjoint(words)


def _words(name: str) -> list[str]:
    return _WORD_ENDS.sub(".", name).lower().split(".")


def is_genai(attributes: Mapping[Any, Any]) -> bool:
    """Whether the names are those of a span or record of a GenAI library."""
    return any(isinstance(name, str) and str.startswith(name, GENAI) for name in attributes)


def unquoted(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Attributes of a GenAI span without what may quote what was said and does not show it by its name."""
    kept = {name: value for name, value in attributes.items() if name not in EXCEPTION_TEXTS}
    if MLFLOW in attributes:
        kept = {name: value for name, value in kept.items() if "." in name or name in FACTS}
    elif is_genai(attributes):
        kept = {name: value for name, value in kept.items() if not is_argument(name)}
        if CREWAI in attributes:
            kept.pop("gen_ai.agent.description", None)
    return attributes if len(kept) == len(attributes) else kept


def unsaid(name: str, attributes: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """A span's name up to a text of its ``attributes`` that is not ``kept``: some name a span by what was said."""
    for key, value in attributes.items():
        if type(value) is not str or key in kept or len(value) < _SHORTEST:
            continue
        if value in name and value not in kept.values():
            name = name.partition(value)[0] + REDACTED
    return name


def is_client(name: str) -> bool:
    """Whether a module, a logger or the class of an exception belongs to a client of models."""
    return re.match(rf"(?:{CLIENTS})(?:\.|$)", name) is not None


def quotes(attributes: Mapping[str, Any]) -> bool:
    """Whether the exception in ``attributes`` comes from a client of models, or has passed through one.

    Its message and stack trace may quote the request: vendors do, and so does pydantic when an answer does not parse.
    """
    kind = attributes.get(EXCEPTION_TYPE)
    if type(kind) is str and is_client(kind):
        return True
    trace = attributes.get(EXCEPTION_STACKTRACE)
    if type(trace) is not str:
        return False
    return re.search(rf"[/\\](?:{CLIENTS})[/\\]|^(?:{CLIENTS})\.", trace, re.MULTILINE) is not None
