"""What the spans of a package do not say of a call, so that no table can translate it (`*`: of any call)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from genai_otel import semconv

_SERVER = (semconv.SERVER_ADDRESS, semconv.SERVER_PORT)
_REASONS = (semconv.RESPONSE_FINISH_REASONS,)
_WRITE = (semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,)
_REASONING = (semconv.USAGE_REASONING_OUTPUT_TOKENS,)
_AUDIO = (semconv.USAGE_AUDIO_INPUT_TOKENS, semconv.USAGE_AUDIO_OUTPUT_TOKENS)

LACKS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "openllmetry": {
        "chat": (*_WRITE, *_AUDIO),
        "stream": (*_WRITE, *_AUDIO, *_REASONING),
        "tools": (*_WRITE, *_AUDIO),
        "responses": (*_WRITE, *_SERVER),
    },
    "openinference": {"*": _SERVER, "responses": _REASONS},
    "genai_openai": {},
}
