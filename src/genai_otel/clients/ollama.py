"""Ollama: chat, generate, embeddings, scores; the functions of the module, which are methods of a client of its own.

The vendor counts tokens of the whole prompt and of the whole answer, thinking included, and has no response id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _ollama_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._stainless import connection, is_mapping, peer
from genai_otel.spec import ClientSpec, Endpoint, Facts, Streaming, both

# --- requests ------------------------------------------------------------------------------------


def _limit(facts: Facts, value: Any) -> None:
    if isinstance(value, int) and value >= 0:  # below it means no limit, or the context's
        facts[semconv.REQUEST_MAX_TOKENS] = value


_SAMPLING: Final = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop")
_options = requests.request(
    {
        **{name: requests.CHAT[name] for name in _SAMPLING},
        "top_k": semconv.REQUEST_TOP_K,
        "num_predict": _limit,
    }
)


def _sampling(facts: Facts, value: Any) -> None:
    facts.update(_options(value if is_mapping(value) else getattr(value, "__dict__", {})))


def _format(facts: Facts, value: Any) -> None:
    if value:  # "json", or a schema
        facts[semconv.OUTPUT_TYPE] = "json"


def _think(facts: Facts, value: Any) -> None:
    if isinstance(value, str):
        facts[semconv.REQUEST_REASONING_LEVEL] = value


_CHAT: Final = {
    "options": _sampling,
    "format": _format,
    "think": _think,
    "stream": requests.CHAT["stream"],
}

# --- results -------------------------------------------------------------------------------------


def _named(facts: Facts, result: Any) -> None:
    if result.model:
        facts[semconv.RESPONSE_MODEL] = result.model


def _ended(facts: Facts, result: Any) -> None:
    # Whether tools were called is told by the chunks before, the reason is "stop" all the same.
    facts.setdefault(semconv.RESPONSE_FINISH_REASONS, (result.done_reason or "error",))
    _counted(facts, result)


def _counted(facts: Facts, result: Any) -> None:
    if result.prompt_eval_count is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = result.prompt_eval_count
    if result.eval_count is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = result.eval_count


def _generate_chunk(facts: Facts, chunk: Any) -> None:
    if chunk.done:
        _ended(facts, chunk)


def _chat_chunk(facts: Facts, chunk: Any) -> None:
    if chunk.message.tool_calls:
        facts[semconv.RESPONSE_FINISH_REASONS] = ("tool_call",)
    if chunk.done:
        _ended(facts, chunk)


def _generate_response(result: Any) -> Facts:
    facts: Facts = {}
    _named(facts, result)
    _ended(facts, result)
    return facts


def _chat_response(result: Any) -> Facts:
    called = {semconv.RESPONSE_FINISH_REASONS: ("tool_call",)} if result.message.tool_calls else {}
    return {**_generate_response(result), **called}


def _embed_response(result: Any) -> Facts:
    facts: Facts = {}
    _named(facts, result)
    _counted(facts, result)
    return facts


def _scores_response(result: Any) -> Facts:
    facts: Facts = {}
    _named(facts, result)
    if result.usage is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = result.usage.input_tokens
        facts[semconv.USAGE_OUTPUT_TOKENS] = result.usage.output_tokens
    return facts


def _errors(error: BaseException) -> Facts:
    status = getattr(error, "status_code", None)
    return {semconv.HTTP_STATUS: status} if isinstance(status, int) and status > 0 else {}


# --- the endpoints -------------------------------------------------------------------------------

_METHODS: Final[Mapping[str, Mapping[str, Any]]] = {
    "chat": {
        "operation": semconv.CHAT,
        "request": requests.request(_CHAT),
        "response": _chat_response,
        "first": _named,
        "chunk": _chat_chunk,
        "content": messages.CHAT,
        "positional": ("model", "messages"),
    },
    "generate": {
        "operation": semconv.TEXT_COMPLETION,
        "request": requests.request(_CHAT),
        "response": _generate_response,
        "first": _named,
        "chunk": _generate_chunk,
        "content": messages.GENERATE,
        "positional": ("model", "prompt", "suffix"),
    },
    "embed": {
        "operation": semconv.EMBEDDINGS,
        "request": requests.request({"dimensions": semconv.EMBEDDINGS_DIMENSION_COUNT}),
        "response": _embed_response,
        "positional": ("model", "input", "truncate", "options", "keep_alive", "dimensions"),
    },
    "embeddings": {  # the older form, which tells nothing but the vector
        "operation": semconv.EMBEDDINGS,
        "positional": ("model", "prompt"),
    },
    "systemone": {
        "operation": semconv.GENERATE_CONTENT,
        "request": requests.request({}, **requests.output("json")),
        "response": _scores_response,
        "positional": ("model", "state", "questions"),
    },
}

SPEC: Final = ClientSpec(
    name="ollama",
    requires="ollama >= 0.4, < 1",
    connection=connection,
    peer=peer("ollama"),
    streaming=Streaming(),
    errors=_errors,
    endpoints=(
        *(
            endpoint
            for name, facts in _METHODS.items()
            for endpoint in both("ollama._client", f"Client.{name}", **facts)
        ),
        # Methods that were bound when the module was imported, so perhaps before ours were in their class.
        *(Endpoint(f"ollama:{name}", **facts) for name, facts in _METHODS.items()),
    ),
)
