"""Values of other vocabularies as the conventions want them: what cannot be read becomes nothing, never a guess."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel import semconv

LONGEST: Final = 16_384  # characters of JSON that are read; more would be felt by the program
_JSON: Final = '{["-0123456789tf'  # what a value begins with, or nothing
PROVIDERS: Final = {
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "google": "gcp.gen_ai",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "xai": "x_ai",
    "mistralai": "mistral_ai",
    "mistral": "mistral_ai",
    "amazon-bedrock": "aws.bedrock",
    "google.generative-ai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "azure-openai": "azure.ai.openai",
}
APIS: Final = frozenset({"chat", "completion", "embedding", "messages", "responses"})
"""What Vercel's AI SDK writes behind a provider."""

Said = dict[str, Any]


def fields(text: object, wanted: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """The wanted fields of a JSON object, or of a mapping; none of them where it is neither."""
    found = parsed(text)
    for path in wanted:
        value: Any = found
        for step in path.split(".") if path else ():
            value = _inside(value, step)
        if value is not None:
            yield path, value


def _inside(value: object, step: str) -> Any:
    """The field of an object, or those of a list's objects."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value).get(step)
    if not isinstance(value, list):
        return None
    found = [_inside(item, step) for item in cast("list[object]", value)]
    return [item for item in found if item is not None] or None


def parsed(text: object) -> Any:
    """What a JSON text says; None for what is none, or too long to be read here."""
    if not isinstance(text, str):
        return text
    if len(text) > LONGEST or text[:1] not in _JSON:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def class_name(name: object) -> str | None:
    """``RateLimitError`` of ``openai.RateLimitError`` or ``<class 'openai.RateLimitError'>``; else as it is."""
    if not isinstance(name, str):
        return None
    last = name.removeprefix("<class '").removesuffix("'>").rpartition(".")[2]
    return last if last.isidentifier() and not last.islower() else name


def seconds_until(span: ReadableSpan, mark: str) -> float | None:
    """Seconds from the start of a span to the first event of this name, or to the time of day in this attribute."""
    first = next((event.timestamp for event in span.events if event.name == mark), None)
    if first is None:
        first = _nanoseconds((span.attributes or {}).get(mark))
    if first is None or span.start_time is None or first < span.start_time:
        return None
    return (first - span.start_time) / 1e9


def _nanoseconds(time: object) -> int | None:
    text = parsed(time) if isinstance(time, str) and time[:1] == '"' else time
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.tzinfo is None else round(moment.timestamp() * 1e6) * 1000


# --- readers: value in, attributes out ------------------------------------------------------------


def _provider(value: object) -> Said:
    if not isinstance(value, str) or not value:
        return {}
    provider, _, api = value.lower().rpartition(".")
    if not provider or api not in APIS:
        provider = value.lower()
    return {semconv.PROVIDER_NAME: PROVIDERS.get(provider, provider)}


def _count(name: str) -> Callable[[object], Said]:
    def read(value: object) -> Said:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return {name: value} if type(value) is int and value >= 0 else {}

    return read


def _reasons(value: object) -> Said:
    """In the conventions' words; some libraries give the text of an ``Enum``'s member."""
    found = _texts(semconv.RESPONSE_FINISH_REASONS)(value)
    return {name: tuple(map(_reason, reasons)) for name, reasons in found.items()}


def _reason(reason: str) -> str:
    word = reason.removeprefix("FinishReason.").lower()
    return semconv.FINISH_WORDS.get(word, word)


def _number(name: str) -> Callable[[object], Said]:
    def read(value: object) -> Said:
        return {name: value} if type(value) in (int, float) else {}

    return read


def _texts(name: str) -> Callable[[object], Said]:
    def read(value: object) -> Said:
        found = parsed(value) if isinstance(value, str) and value[:1] in ("[", '"') else value
        listed = cast("Sequence[Any]", found) if isinstance(found, (list, tuple)) else (found,)
        texts = tuple(item for item in listed if isinstance(item, str) and item)
        return {name: texts} if texts else {}

    return read


def _text(name: str) -> Callable[[object], Said]:
    def read(value: object) -> Said:
        return {name: value} if isinstance(value, str) and value else {}

    return read


def _stream(value: object) -> Said:
    return {semconv.REQUEST_STREAM: True} if value is True or str(value).lower() == "true" else {}


def _server(value: object) -> Said:
    """Address and port of a base URL, or an address."""
    if not isinstance(value, str) or not value:
        return {}
    if "//" not in value:
        host, _, port = value.rpartition(":")
        if not host or ":" in host or not port.isdigit():
            return {semconv.SERVER_ADDRESS: value}
        return {semconv.SERVER_ADDRESS: host, semconv.SERVER_PORT: int(port)}
    try:
        url = urlsplit(value)
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    except ValueError:
        return {}
    if not url.hostname:
        return {}
    address: Said = {semconv.SERVER_ADDRESS: url.hostname}
    return address if port is None else {**address, semconv.SERVER_PORT: port}


COUNTS: Final = (
    *(value for name, value in vars(semconv).items() if name.startswith("USAGE_")),
    semconv.REQUEST_MAX_TOKENS,
    semconv.REQUEST_TOP_K,
    semconv.REQUEST_SEED,
    semconv.REQUEST_CHOICE_COUNT,
    semconv.SERVER_PORT,
)
NUMBERS: Final = (
    semconv.REQUEST_TEMPERATURE,
    semconv.REQUEST_TOP_P,
    semconv.REQUEST_FREQUENCY_PENALTY,
    semconv.REQUEST_PRESENCE_PENALTY,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
)
LISTS: Final = (
    semconv.RESPONSE_FINISH_REASONS,
    semconv.REQUEST_STOP_SEQUENCES,
    semconv.REQUEST_ENCODING_FORMATS,
)
TEXTS: Final = (semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.RESPONSE_ID, semconv.CONVERSATION_ID)

READERS: Final[Mapping[str, Callable[[object], Said]]] = {
    **{name: _count(name) for name in COUNTS},
    **{name: _number(name) for name in NUMBERS},
    **{name: _texts(name) for name in LISTS},
    **{name: _text(name) for name in TEXTS},
    semconv.RESPONSE_FINISH_REASONS: _reasons,
    semconv.PROVIDER_NAME: _provider,
    semconv.REQUEST_STREAM: _stream,
    semconv.SERVER_ADDRESS: _server,
}
"""By conventional name: how a value of another vocabulary is read."""

REPAIRED: Final = (*LISTS, semconv.PROVIDER_NAME, semconv.SERVER_ADDRESS)
"""Conventional names that some libraries give a text of JSON, a URL, or another name of the provider."""
