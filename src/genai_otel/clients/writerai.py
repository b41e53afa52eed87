"""Writer: chat, completions, applications, vision, translation, questions to knowledge graphs.

Only a chat tells its usage.  What an application's job gives later is not traced, nor are the tools that are no model.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients import _writer_messages as texts
from genai_otel.clients._stainless import RAW, STREAMING, connection, errors, nothing, peer
from genai_otel.spec import ClientSpec, Facts, both


def _completion(result: Any) -> Facts:
    model = getattr(result, "model", None)
    return {semconv.RESPONSE_MODEL: model} if model else {}


def _nothing(*_: object) -> None:
    """What a chunk tells that has a text and nothing else."""


_RESOURCES: Final = "writerai.resources."
_generate: Final[dict[str, Any]] = {"operation": semconv.GENERATE_CONTENT}
_text: Final = requests.request({"stream": requests.CHAT["stream"]}, **requests.output("text"))

SPEC: Final = ClientSpec(
    name="writerai",
    requires="writer-sdk >= 2.2, < 4",
    connection=connection,
    peer=peer("writer"),
    streaming=STREAMING,
    raw=RAW,
    errors=errors,
    endpoints=(
        # Its stream helper and its parsing one call this.
        *both(
            f"{_RESOURCES}chat",
            "ChatResource.chat",
            operation=semconv.CHAT,
            request=requests.request(requests.CHAT),
            response=partial(results.chat_response, own=nothing),
            first=results.identity,
            chunk=results.chat_chunk,
            content=messages.CHAT,
            with_usage=requests.with_usage,
            hidden=requests.only_usage,
        ),
        *both(
            f"{_RESOURCES}completions",
            "CompletionsResource.create",
            operation=semconv.TEXT_COMPLETION,
            request=requests.request({**requests.CHAT, "random_seed": semconv.REQUEST_SEED}),
            response=_completion,
            chunk=_nothing,
            content=texts.COMPLETIONS,
        ),
        *both(
            f"{_RESOURCES}applications.applications",
            "ApplicationsResource.generate_content",
            request=_text,
            chunk=_nothing,
            content=texts.APPLICATIONS,
            positional=("application_id",),
            **_generate,
        ),
        *both(
            f"{_RESOURCES}graphs",
            "GraphsResource.question",
            request=_text,
            chunk=_nothing,
            content=texts.QUESTIONS,
            **_generate,
        ),
        *both(
            f"{_RESOURCES}vision", "VisionResource.analyze", request=_text, content=texts.VISION, **_generate
        ),
        *both(
            f"{_RESOURCES}translation",
            "TranslationResource.translate",
            request=_text,
            content=texts.TRANSLATIONS,
            **_generate,
        ),
    ),
)
