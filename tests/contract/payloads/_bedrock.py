"""What the synchronous and the asynchronous clients of Bedrock have in common."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

import botocore.session

from tests.contract.payload import CANARY, Case

MODEL = "anthropic.claude-sonnet-4-20250514-v1:0"
HOST = "bedrock-runtime.us-east-1.amazonaws.com"

_REQUEST_ID = {"genai_otel.response.request_id": ...}
_USAGE = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7}
_CACHED = {"gen_ai.usage.cache_read.input_tokens": 4, "gen_ai.usage.cache_write.input_tokens": 2}
_STOPPED = {"gen_ai.response.finish_reasons": ("stop",)}
_ANSWER = {**_REQUEST_ID, **_USAGE, **_STOPPED}
_ID = {"gen_ai.response.id": ...}
_CLAUDE = {
    **_ANSWER,
    **_CACHED,
    **_ID,
    "gen_ai.response.model": "anthropic.claude-sonnet-4-20250514-v1:0-2024-07-18",
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.request.max_tokens": 99,
}
_SAID = [{"role": "user", "content": CANARY}]


def keys() -> dict[str, str]:
    """Credentials that nobody checks."""
    return {
        "aws_access_key_id": "AKIAEXAMPLE",
        "aws_secret_access_key": "sk-test",
        "region_name": "us-east-1",
    }


def _service(name: str) -> Any:
    """What this version of the client knows of a service."""
    made: Any = botocore.session
    return made.get_session().get_service_model(name)


def error_type(error: BaseException) -> str:
    """The service's code: the classes have it for a name, or none of their own."""
    response: Any = getattr(error, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code[0].upper() + code[1:] if code else type(error).__qualname__


def _read(result: Any) -> Any:
    """As programs do: the body is read at once."""
    read = result["body"].read()
    return _later(result, read) if hasattr(read, "__await__") else {**result, "body": read}


async def _later(result: Any, read: Any) -> Any:
    return {**result, "body": await read}


def _invoke(model: str) -> dict[str, Any]:
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "system": CANARY, "messages": _SAID}
    return {"modelId": model, "body": json.dumps(body)}


_KNOWN = _service("bedrock-runtime").shape_for("TokenUsage").members
_STREAMS = "RetrieveAndGenerateStream" in _service("bedrock-agent-runtime").operation_names
CASES = (
    Case(
        "models.converse",
        lambda model: {
            "modelId": model,
            "system": [{"text": CANARY}],
            "messages": [{"role": "user", "content": [{"text": CANARY}]}],
        },
        {**_ANSWER, **(_CACHED if "cacheReadInputTokens" in _KNOWN else {})},
        raw=(),
        model_argument="modelId",
        stream_path="models.converse_stream",
        within=itemgetter("stream"),
        streamed=_CACHED,
    ),
    Case(
        "models.invoke_model",
        _invoke,
        _CLAUDE,
        raw=(),
        whole=_read,
        stream_path="models.invoke_model_with_response_stream",
        within=itemgetter("body"),
        streamed={},
    ),
    Case(
        "agents.retrieve_and_generate",
        lambda model: {
            "input": {"text": CANARY},
            "sessionId": "session-1",
            "retrieveAndGenerateConfiguration": {
                "type": "KNOWLEDGE_BASE",
                "knowledgeBaseConfiguration": {"knowledgeBaseId": "KB12345678", "modelArn": model},
            },
        },
        {
            **_REQUEST_ID,
            "gen_ai.request.model": ...,
            "gen_ai.conversation.id": "session-1",
            "aws.bedrock.knowledge_base.id": "KB12345678",
        },
        operation="invoke_agent",
        raw=(),
        stream_path="agents.retrieve_and_generate_stream",
        within=itemgetter("stream"),
        streamed={} if _STREAMS else None,
        named=False,
        measured=False,
    ),
)
