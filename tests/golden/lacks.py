"""What the spans of a package do not say of a call, or say otherwise, so that no table can translate it.

``*`` is any call.  The tests fail where an entry is true no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv

_SERVER = (semconv.SERVER_ADDRESS, semconv.SERVER_PORT)
_PARAMETERS = (semconv.REQUEST_TEMPERATURE, semconv.REQUEST_MAX_TOKENS)
_STREAM = (semconv.REQUEST_STREAM,)
_FIRST = (semconv.RESPONSE_TIME_TO_FIRST_CHUNK,)
_PROVIDER = (semconv.PROVIDER_NAME,)
_ASKED = (semconv.REQUEST_MODEL,)
_MODEL = (semconv.RESPONSE_MODEL,)
_ID = (semconv.RESPONSE_ID,)
_REASONS = (semconv.RESPONSE_FINISH_REASONS,)
_READ = (semconv.USAGE_CACHE_READ_INPUT_TOKENS,)
_WRITE = (semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,)
_REASONING = (semconv.USAGE_REASONING_OUTPUT_TOKENS,)
_AUDIO = (semconv.USAGE_AUDIO_INPUT_TOKENS, semconv.USAGE_AUDIO_OUTPUT_TOKENS)

Lacks = Mapping[str, tuple[str, ...]]

_LANGFUSE = (*_PROVIDER, *_SERVER)
_USAGE = (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS, *_READ, *_WRITE, *_REASONING)
_MLFLOW_STREAM = (*_ID, *_REASONS, *_FIRST, *_USAGE)  # it ends when the stream begins
_PLAIN = (*_ID, *_REASONS, *_READ, *_WRITE, *_AUDIO, *_REASONING)
_LOGFIRE_STREAM = (*_SERVER, *_ID, *_REASONS, *_FIRST)

INSTRUMENTED: Final[Mapping[str, Lacks]] = {
    "openllmetry": {
        "chat": (*_WRITE, *_AUDIO),
        "stream": (*_WRITE, *_AUDIO, *_REASONING),
        "tools": (*_WRITE, *_AUDIO),
        "responses": (*_WRITE, *_SERVER),
    },
    "openllmetry_anthropic": {
        "chat": (*_SERVER, *_REASONING),
        "stream": (*_SERVER, *_REASONING, *_FIRST),
        "stream_helper": (*_SERVER, *_REASONING, *_FIRST, *_STREAM),
        "tools": (*_SERVER, *_REASONING),
        "error": _SERVER,
    },
    "openinference": {"*": _SERVER, "responses": _REASONS},
    "openinference_anthropic": {"*": _SERVER, "stream": _FIRST, "stream_helper": _FIRST},
    "openinference_genai": {"*": _SERVER},
    "genai_openai": {},
    "genai_anthropic": {"stream_helper": _FIRST},
    "anthropic_native": {},
    "mistral_native": {"stream": (*_STREAM, *_FIRST)},
    "xai_native": {"image": _SERVER},
    "logfire": {"*": _SERVER, "responses": _REASONS, "stream": _LOGFIRE_STREAM},
    "logfire_anthropic": {"*": _SERVER, "stream": _LOGFIRE_STREAM, "stream_helper": _LOGFIRE_STREAM},
    "langfuse": {
        "*": _LANGFUSE,
        "chat": (*_ASKED, *_ID, *_REASONS),
        "tools": (*_ASKED, *_ID, *_REASONS),
        "responses": (*_ASKED, *_ID, *_REASONS),
        "stream": (*_ASKED, *_ID),
        "embeddings": _ASKED,
    },
    "openlit": {
        "chat": (*_AUDIO, *_REASONING),
        "stream": (*_AUDIO, *_REASONING),
        "tools": (*_AUDIO, *_REASONING),
    },
    "openlit_anthropic": {
        "chat": _REASONING,
        "stream": _REASONING,
        "stream_helper": _REASONING,
        "tools": _REASONING,
    },
    "botocore": {"stream": (*_STREAM, *_FIRST), "invoke": (*_ID, *_MODEL, *_READ, *_WRITE, *_REASONING)},
    "mlflow": {"*": (*_PROVIDER, *_SERVER), "responses": _REASONS},
    "vercel_ai": {
        "*": _SERVER,
        "chat": _AUDIO,
        "stream": _AUDIO,
        "tools": _AUDIO,
        "embeddings": _MODEL,
    },
    "mlflow_anthropic": {"*": _SERVER, "stream": _MLFLOW_STREAM},
}
"""Spans of calls that the program makes with a model's client."""

FRAMEWORKS: Final[Mapping[str, Lacks]] = {
    "pydantic_ai": {"chat": _PARAMETERS},
    "agent_framework": {"chat": (*_PARAMETERS, *_AUDIO)},
    "semantic_kernel": {"chat": (*_PARAMETERS, *_MODEL, *_READ, *_WRITE, *_AUDIO, *_REASONING)},
    "strands": {
        "*": _SERVER,
        "chat": (*_PARAMETERS, *_MODEL, *_ID, *_REASONS, *_AUDIO, *_REASONING),
    },
    "strands_anthropic": {
        "*": (*_SERVER, *_PARAMETERS),
        "chat": (*_MODEL, *_ID, *_REASONS, *_AUDIO, *_REASONING),
    },
    "google_adk": {"*": _SERVER, "chat": (*_PARAMETERS, *_MODEL, *_ID, *_WRITE, *_AUDIO)},
    "smolagents": {
        "*": (*_SERVER, *_ASKED),
        "chat": _PLAIN,
        "stream": (*_PLAIN, *_STREAM, *_FIRST),
        "error": _PROVIDER,
    },
    "crewai": {"*": _SERVER, "chat": (*_WRITE, *_AUDIO)},
    "openllmetry_crewai": {"*": _SERVER, "chat": (*_ID, *_REASONS, *_USAGE, *_AUDIO)},
    "openinference_crewai": {
        "*": (*_SERVER, *_PROVIDER),
        "chat": (*_PARAMETERS, *_ASKED, *_ID, *_REASONS, *_WRITE, *_AUDIO, *_REASONING),
    },
    "openinference_langchain": {
        "*": _SERVER,
        "chat": (*_PARAMETERS, *_ID, *_WRITE),
        "stream": (*_STREAM, *_FIRST, *_ID),
    },
    "openllmetry_langchain": {
        "*": _SERVER,
        "chat": (*_PARAMETERS, *_AUDIO, *_REASONING),
        "stream": (*_STREAM, *_FIRST, *_ID, *_AUDIO, *_REASONING),
    },
    "openinference_haystack": {
        "*": (*_SERVER, *_ASKED),
        "chat": (*_PARAMETERS, *_PLAIN),
        "error": _PROVIDER,
    },
    "litellm": {
        "chat": (*_PARAMETERS, *_READ, *_WRITE, *_AUDIO, *_REASONING),
        "error": _SERVER,
    },
}
"""Spans of calls that a framework makes."""

_MODEL_ASKED = {semconv.RESPONSE_MODEL: "gpt-4o-mini"}
_CLAUDE_ASKED = {semconv.RESPONSE_MODEL: "claude-sonnet-4-6"}
_NO_CACHE = {
    semconv.USAGE_INPUT_TOKENS: 6,
    semconv.USAGE_CACHE_READ_INPUT_TOKENS: 0,
    semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: 0,
}
_ANSWERED = {semconv.REQUEST_MODEL: "gpt-4o-mini-2024-07-18"}
_PREFIXED = {semconv.REQUEST_MODEL: "openai/gpt-4o-mini"}
_BAD = {semconv.ERROR_TYPE: "BadRequestError"}
_INVALID = {semconv.ERROR_TYPE: "OpenAIInvalidRequestError"}
_ADK = {semconv.OPERATION_NAME: "generate_content", semconv.REQUEST_MODEL: "openai/gpt-4o-mini"}
_XAI = {semconv.SERVER_ADDRESS: "api.x.ai", semconv.SERVER_PORT: 443}
_STRANDS = {semconv.PROVIDER_NAME: "strands-agents"}

DIFFERS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    # It adds the count of a stream's first event to that of its last.
    "openllmetry_anthropic": {
        "stream": {semconv.USAGE_OUTPUT_TOKENS: 8},
        "stream_helper": {semconv.USAGE_OUTPUT_TOKENS: 8},
    },
    # It does not read cached tokens from streams, and takes input to be without them.
    "openlit_anthropic": {"stream": _NO_CACHE, "stream_helper": _NO_CACHE},
    # It says the requested model where it knows no other.
    "logfire": {"stream": _MODEL_ASKED, "error": _MODEL_ASKED},
    "logfire_anthropic": {"stream": _CLAUDE_ASKED, "stream_helper": _CLAUDE_ASKED, "error": _CLAUDE_ASKED},
    # It does not keep the exception.
    "langfuse": {"error": {semconv.ERROR_TYPE: semconv.OTHER}},
    "pydantic_ai": {"error": {semconv.ERROR_TYPE: "ModelRequestRejectedError"}},
    "agent_framework": {"error": {semconv.ERROR_TYPE: "ChatClientException"}},
    "semantic_kernel": {"error": {semconv.ERROR_TYPE: "ServiceResponseException"}},
    # It names itself where a provider is asked for.
    "strands": {"chat": _STRANDS, "error": {**_STRANDS, **_BAD}},
    "strands_anthropic": {"chat": _STRANDS, "error": {**_STRANDS, **_BAD}},
    # It adds reasoning tokens to an output that has them already.
    "google_adk": {
        "chat": {**_ADK, semconv.USAGE_OUTPUT_TOKENS: 10},
        "error": {**_ADK, **_BAD},
    },
    "litellm": {"error": _BAD},
    # They say the requested model where they know no other.
    "smolagents": {"chat": _MODEL_ASKED, "stream": _MODEL_ASKED, "error": _BAD},
    "crewai": {"chat": _MODEL_ASKED, "error": {semconv.ERROR_TYPE: semconv.OTHER}},
    "openinference_crewai": {"chat": _MODEL_ASKED, "error": {semconv.ERROR_TYPE: semconv.OTHER}},
    "openllmetry_crewai": {
        "chat": {**_PREFIXED, semconv.RESPONSE_MODEL: "openai/gpt-4o-mini"},
        "error": {**_PREFIXED, **_BAD},
    },
    "openinference_haystack": {"error": _BAD},
    "openinference_langchain": {"stream": _MODEL_ASKED, "error": _INVALID},
    "openllmetry_langchain": {"stream": _MODEL_ASKED, "error": {**_INVALID, **_MODEL_ASKED}},
    # In the conventions' names it says that the model that answered was asked.
    "openinference_genai": dict.fromkeys(("chat", "stream", "tools", "responses"), _ANSWERED),
    # It reads no cached tokens where a model is invoked with a body of its own.
    "botocore": {"invoke": {semconv.USAGE_INPUT_TOKENS: 6}},
    "mlflow": {"embeddings": _MODEL_ASKED},
    "mlflow_anthropic": {"stream": _CLAUDE_ASKED},
    "mistral_native": {"error": {semconv.ERROR_TYPE: "rate_limited"}},
    "vercel_ai": {"error": {semconv.ERROR_TYPE: "AI_APICallError"}},
    # It names the vendor's host whatever the client's is, and the class of gRPC's error.
    "xai_native": {
        **dict.fromkeys(("chat", "stream", "tools"), _XAI),
        "image": {semconv.RESPONSE_MODEL: "grok-4"},
        "error": {**_XAI, semconv.ERROR_TYPE: "_InactiveRpcError"},
    },
}
"""What the spans of a package say in another way, rightly or wrongly; it is theirs to say."""

NO_SPAN: Final = frozenset({("openlit_anthropic", "error"), ("mlflow_anthropic", "stream_helper")})
"""Calls of which a package makes no span."""
