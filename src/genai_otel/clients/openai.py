"""OpenAI: chat, responses, completions, embeddings, images, audio, moderations; Azure and compatible servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, given
from genai_otel.spec import ClientSpec, Facts, Peer, both

_Set = Callable[[Facts, Any], None]

# --- whom a client talks to -----------------------------------------------------------------------

_PROVIDERS: Final = {
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "deepseek.com": "deepseek",
    "x.ai": "x_ai",
    "groq.com": "groq",
    "mistral.ai": "mistral_ai",
    "perplexity.ai": "perplexity",
    "moonshot.ai": "moonshot_ai",
    "moonshot.cn": "moonshot_ai",
    "anthropic.com": "anthropic",
    "cohere.ai": "cohere",
    "cohere.com": "cohere",
    "amazonaws.com": "aws.bedrock",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "openrouter.ai": "openrouter",
    "together.xyz": "together_ai",
    "together.ai": "together_ai",
    "fireworks.ai": "fireworks_ai",
    "cerebras.ai": "cerebras",
    "huggingface.co": "hugging_face",
}


def _peer(resource: Any) -> Peer:
    client = resource._client
    url = client.base_url
    host = url.host or None
    port = url.port or (80 if url.scheme == "http" else 443)
    if "Azure" in type(client).__name__:
        return Peer("azure.ai.openai", host, port)
    return Peer(_provider(host or ""), host, port)


def _provider(host: str) -> str:
    labels = host.split(".")
    for start in range(len(labels) - 1):
        found = _PROVIDERS.get(".".join(labels[start:]))
        if found is not None:
            return found
    if host.endswith("-aiplatform.googleapis.com"):
        return "gcp.vertex_ai"
    return "openai"


# --- requests ------------------------------------------------------------------------------------


def _double(name: str) -> _Set:
    def put(facts: Facts, value: Any) -> None:
        facts[name] = float(value) if type(value) is int else value

    return put


def _stop(facts: Facts, value: Any) -> None:
    if isinstance(value, str):
        facts[semconv.REQUEST_STOP_SEQUENCES] = (value,)
    elif isinstance(value, (list, tuple)):
        facts[semconv.REQUEST_STOP_SEQUENCES] = tuple(value)


def _stream(facts: Facts, value: Any) -> None:
    if value:
        facts[semconv.REQUEST_STREAM] = True


def _count(facts: Facts, value: Any) -> None:
    if given(value) and value != 1:
        facts[semconv.REQUEST_CHOICE_COUNT] = value


def _tier(facts: Facts, value: Any) -> None:
    if given(value) and value != "auto":
        facts[semconv.OPENAI_REQUEST_SERVICE_TIER] = value


def _format(facts: Facts, value: Any) -> None:
    """A ``response_format``, a ``text`` with one, or the class that ``parse`` fills."""
    if isinstance(value, Mapping):
        kind = value.get("type") or (value.get("format") or {}).get("type")
        facts[semconv.OUTPUT_TYPE] = "json" if isinstance(kind, str) and kind.startswith("json") else "text"
    elif isinstance(value, type):
        facts[semconv.OUTPUT_TYPE] = "json"


def _reasoning(facts: Facts, value: Any) -> None:
    effort = value.get("effort") if isinstance(value, Mapping) else None
    if effort is not None:
        facts[semconv.REQUEST_REASONING_LEVEL] = effort


def _conversation(facts: Facts, value: Any) -> None:
    identity = value.get("id") if isinstance(value, Mapping) else value
    if isinstance(identity, str):
        facts[semconv.CONVERSATION_ID] = identity


def _encoding(facts: Facts, value: Any) -> None:
    if isinstance(value, str):
        facts[semconv.REQUEST_ENCODING_FORMATS] = (value,)


_CHAT: Final[dict[str, str | _Set]] = {
    "temperature": _double(semconv.REQUEST_TEMPERATURE),
    "top_p": _double(semconv.REQUEST_TOP_P),
    "frequency_penalty": _double(semconv.REQUEST_FREQUENCY_PENALTY),
    "presence_penalty": _double(semconv.REQUEST_PRESENCE_PENALTY),
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
    "seed": semconv.REQUEST_SEED,
    "stop": _stop,
    "n": _count,
    "stream": _stream,
    "service_tier": _tier,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "response_format": _format,
}
_RESPONSES: Final[dict[str, str | _Set]] = {
    "temperature": _double(semconv.REQUEST_TEMPERATURE),
    "top_p": _double(semconv.REQUEST_TOP_P),
    "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
    "stream": _stream,
    "service_tier": _tier,
    "reasoning": _reasoning,
    "text": _format,
    "text_format": _format,
    "previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    "conversation": _conversation,
}
_RETRIEVE: Final[dict[str, str | _Set]] = {
    "response_id": semconv.RESPONSE_ID,
    "starting_after": semconv.REQUEST_STREAM_CURSOR,
    "stream": _stream,
}
_EMBEDDINGS: Final[dict[str, str | _Set]] = {
    "dimensions": semconv.EMBEDDINGS_DIMENSION_COUNT,
    "encoding_format": _encoding,
}
_MEDIA: Final[dict[str, str | _Set]] = {"n": _count, "stream": _stream}


def _request(table: Mapping[str, str | _Set], **fixed: str) -> Callable[[Mapping[str, Any]], Facts]:
    def request(arguments: Mapping[str, Any]) -> Facts:
        facts: Facts = fixed.copy()
        for name, value in arguments.items():
            put = table.get(name)
            if put is None or value is None:
                continue
            if type(put) is str:
                facts[put] = value
            else:
                put(facts, value)  # type: ignore[operator] # pyright: ignore
        return facts

    return request


def _kind(output: str) -> dict[str, str]:
    return {semconv.OUTPUT_TYPE: output}


# --- usage: OpenAI's totals include cached and reasoning tokens, as the convention's do ----------

_INPUT_DETAILS: Final = {
    "cached_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    "audio_tokens": semconv.USAGE_AUDIO_INPUT_TOKENS,
    "image_tokens": semconv.USAGE_IMAGE_INPUT_TOKENS,
    "text_tokens": semconv.USAGE_TEXT_INPUT_TOKENS,
}
_OUTPUT_DETAILS: Final = {
    "reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
    "audio_tokens": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
    "image_tokens": semconv.USAGE_IMAGE_OUTPUT_TOKENS,
    "text_tokens": semconv.USAGE_TEXT_OUTPUT_TOKENS,
}


def _usage(facts: Facts, usage: Any) -> None:
    """Usage of any endpoint; older ones say prompt and completion where newer ones say input and output."""
    said = usage if isinstance(usage, dict) else usage.__dict__
    get = said.get
    tokens = get("prompt_tokens")
    if tokens is None:
        tokens = get("input_tokens")
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    tokens = get("completion_tokens")
    if tokens is None:
        tokens = get("output_tokens")
    if tokens is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = tokens
    details = get("prompt_tokens_details") or get("input_tokens_details")
    if details is not None:
        _parts(facts, details, _INPUT_DETAILS)
    details = get("completion_tokens_details") or get("output_tokens_details")
    if details is not None:
        _parts(facts, details, _OUTPUT_DETAILS)


def _parts(facts: Facts, details: Any, names: Mapping[str, str]) -> None:
    parts = details if isinstance(details, dict) else details.__dict__
    if not any(parts.values()):  # most calls: nothing cached, no audio, no reasoning
        return
    for part, tokens in parts.items():
        if tokens and part in names:
            facts[names[part]] = tokens


# --- results -------------------------------------------------------------------------------------


def _identity(facts: Facts, result: Any) -> None:
    if result.id:
        facts[semconv.RESPONSE_ID] = result.id
    if result.model:
        facts[semconv.RESPONSE_MODEL] = result.model
    tier = getattr(result, "service_tier", None)
    if tier:
        facts[semconv.OPENAI_RESPONSE_SERVICE_TIER] = tier
    fingerprint = getattr(result, "system_fingerprint", None)
    if fingerprint:
        facts[semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT] = fingerprint


def _request_id(facts: Facts, result: Any) -> None:
    request_id = getattr(result, "_request_id", None)
    if request_id:
        facts[semconv.REQUEST_ID] = request_id


def _chat_response(result: Any) -> Facts:
    facts: Facts = {}
    if not hasattr(result, "choices"):  # a body that is no JSON, or is not of the declared type
        return facts
    _identity(facts, result)
    _request_id(facts, result)
    if result.choices:
        reasons = tuple([choice.finish_reason or "error" for choice in result.choices])
        facts[semconv.RESPONSE_FINISH_REASONS] = reasons
    if result.usage is not None:
        _usage(facts, result.usage)
    return facts


def _chat_chunk(facts: Facts, chunk: Any) -> None:
    for choice in chunk.choices or ():
        if choice.finish_reason is not None:
            _finished(facts, choice)
            _identity(facts, chunk)
    if chunk.usage is not None:
        _usage(facts, chunk.usage)


def _finished(facts: Facts, choice: Any) -> None:
    reasons = list(facts.get(semconv.RESPONSE_FINISH_REASONS, ()))
    index = choice.index or 0
    if index < 1024:  # the index is the vendor's word; a choice that never finishes stays an "error"
        reasons += ["error"] * (index + 1 - len(reasons))
        reasons[index] = choice.finish_reason
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)


_FINISH: Final = {"completed": "stop", "failed": "error", "cancelled": "cancelled"}
_INCOMPLETE: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_TERMINAL: Final = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})


def _responses_response(result: Any) -> Facts:
    facts = _fetched_response(result)
    usage = getattr(result, "usage", None)
    if usage is not None:
        _usage(facts, usage)
    return facts


def _fetched_response(result: Any) -> Facts:
    """A response without its usage: the convention counts that where the response was made, not where it is read."""
    facts: Facts = {}
    if not hasattr(result, "status"):
        return facts
    _identity(facts, result)
    _request_id(facts, result)
    status = result.status
    if status:
        facts[semconv.RESPONSE_STATUS] = status
    if status == "incomplete":
        why = getattr(result.incomplete_details, "reason", None)
        facts[semconv.RESPONSE_FINISH_REASONS] = (_INCOMPLETE.get(why, why) or "length",)
    elif status in _FINISH:
        called = any(getattr(item, "type", None) == "function_call" for item in result.output or ())
        facts[semconv.RESPONSE_FINISH_REASONS] = ("tool_calls" if called else _FINISH[status],)
    if status == "failed":
        facts[semconv.ERROR_TYPE] = getattr(result.error, "code", None) or "failed"
    return facts


def _responses_first(facts: Facts, event: Any) -> None:
    response = getattr(event, "response", None)
    if response is not None:
        _identity(facts, response)


def _responses_chunk(facts: Facts, event: Any) -> None:
    if event.type in _TERMINAL:
        facts.update(_responses_response(event.response))
    elif event.type == "error":
        facts[semconv.ERROR_TYPE] = getattr(event, "code", None) or "error"


def _fetched_chunk(facts: Facts, event: Any) -> None:
    if event.type in _TERMINAL:
        facts.update(_fetched_response(event.response))
    elif event.type == "error":
        facts[semconv.ERROR_TYPE] = getattr(event, "code", None) or "error"


def _plain_response(result: Any) -> Facts:
    """Model and usage of embeddings, images, transcriptions and moderations."""
    facts: Facts = {}
    model = getattr(result, "model", None)
    if isinstance(model, str) and model:
        facts[semconv.RESPONSE_MODEL] = model
    _request_id(facts, result)
    usage = getattr(result, "usage", None)
    if usage is not None:
        _usage(facts, usage)
    return facts


def _plain_chunk(facts: Facts, event: Any) -> None:
    usage = getattr(event, "usage", None)
    if usage is not None:
        _usage(facts, usage)


def _errors(error: BaseException) -> Facts:
    """What an exception tells; ``parse`` raises some that carry the completion that was paid for."""
    completion = getattr(error, "completion", None)
    return {**_chat_response(completion), **errors(error)} if completion is not None else errors(error)


# --- usage that the user asked us to ask for -----------------------------------------------------


def _with_usage(arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if arguments.get("stream") and not given(arguments.get("stream_options")):
        return {"stream_options": {"include_usage": True}}
    return None


def _only_usage(chunk: Any) -> bool:
    return not chunk.choices and chunk.usage is not None


# --- the endpoints -------------------------------------------------------------------------------

_RESOURCES: Final = "openai.resources."
_chat: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": _request(_CHAT, **{semconv.OPENAI_API_TYPE: "chat_completions"}),
    "response": _chat_response,
    "first": _identity,
    "chunk": _chat_chunk,
    "content": messages.CHAT,
    "with_usage": _with_usage,
    "hidden": _only_usage,
}
_responses: Final[dict[str, Any]] = {
    "operation": semconv.CHAT,
    "request": _request(_RESPONSES, **{semconv.OPENAI_API_TYPE: "responses"}),
    "response": _responses_response,
    "first": _responses_first,
    "chunk": _responses_chunk,
    "content": messages.RESPONSES,
}
_fetch: Final[dict[str, Any]] = {
    "operation": semconv.FETCH_RESPONSE,
    "request": _request(_RETRIEVE, **{semconv.OPENAI_API_TYPE: "responses"}),
    "response": _fetched_response,
    "first": _responses_first,
    "chunk": _fetched_chunk,
    "content": messages.RESPONSES,
    "positional": ("response_id",),
    "model": None,
}
_completions: Final[dict[str, Any]] = {
    **_chat,
    "operation": semconv.TEXT_COMPLETION,
    "request": _request(_CHAT, **{semconv.OPENAI_API_TYPE: "completions"}),
    "content": messages.COMPLETIONS,
}
_image: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": _request(_MEDIA, **_kind("image")),
    "response": _plain_response,
    "chunk": _plain_chunk,
    "content": messages.IMAGES,
}
_speech: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": _request({}, **_kind("speech")),
    "content": messages.SPEECH,
}
_text: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": _request(_MEDIA, **_kind("text")),
    "response": _plain_response,
    "chunk": _plain_chunk,
    "content": messages.TRANSCRIPTIONS,
}
_plain: Final[dict[str, Any]] = {"operation": semconv.MODERATION, "response": _plain_response}

SPEC: Final = ClientSpec(
    name="openai",
    requires="openai >= 1.66, < 4",
    connection=connection,
    peer=_peer,
    streaming=STREAMING,
    raw=RAW,
    errors=_errors,
    instrumentors=("openai", "openai-v2", "openai_v2", "genai-openai"),
    endpoints=(
        *both(f"{_RESOURCES}chat.completions.completions", "Completions.create", **_chat),
        *both(f"{_RESOURCES}chat.completions.completions", "Completions.parse", **_chat),
        *both(f"{_RESOURCES}beta.chat.completions", "Completions.parse", **_chat),
        *both(f"{_RESOURCES}responses.responses", "Responses.create", **_responses),
        *both(f"{_RESOURCES}responses.responses", "Responses.parse", **_responses),
        *both(f"{_RESOURCES}responses.responses", "Responses.retrieve", **_fetch),
        *both(f"{_RESOURCES}beta.responses.responses", "Responses.create", **_responses),
        *both(f"{_RESOURCES}beta.responses.responses", "Responses.retrieve", **_fetch),
        *both(f"{_RESOURCES}completions", "Completions.create", **_completions),
        *both(
            f"{_RESOURCES}embeddings",
            "Embeddings.create",
            operation=semconv.EMBEDDINGS,
            request=_request(_EMBEDDINGS),
            response=_plain_response,
        ),
        *both(f"{_RESOURCES}images", "Images.generate", **_image),
        *both(f"{_RESOURCES}images", "Images.edit", **_image),
        *both(f"{_RESOURCES}images", "Images.create_variation", **_image),
        *both(f"{_RESOURCES}audio.speech", "Speech.create", **_speech),
        *both(f"{_RESOURCES}audio.transcriptions", "Transcriptions.create", **_text),
        *both(f"{_RESOURCES}audio.translations", "Translations.create", **_text),
        *both(f"{_RESOURCES}moderations", "Moderations.create", **_plain),
    ),
)
