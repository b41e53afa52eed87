"""Media in a value (images, audio, files): its type, size and digest instead of the bytes."""

from __future__ import annotations

import binascii
import re
from typing import Any, Final, cast

_UNKNOWN: Final = "application/octet-stream"
# What the description of a medium costs in JSON, about.
JSON_BYTES: Final = 160

# Base64 of real bytes is long and uses most of its alphabet; a word or a line of dashes is or does not.
LONG: Final = 2048
_SAMPLE: Final = 512
_DISTINCT: Final = 32


def is_encoded(text: str) -> bool:
    """Whether ``text`` is a medium: a data URL, or plain base64."""
    if len(text) < LONG and text[:5].lower() != "data:":
        return False
    if _data_url(text) is not None:
        return True
    return len(text) >= LONG and _is_base64(text[:_SAMPLE])


def of(content: object) -> dict[str, Any] | None:
    """The description of a medium that is bytes, a data URL or base64; None for anything else."""
    kind, value = type(content), cast("Any", content)
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return _described(value, _UNKNOWN)
    if not issubclass(kind, str):
        return None
    text = str.__str__(value)
    url = _data_url(text)
    return _decoded(text, _UNKNOWN) if url is None else _decoded(text[url.end() :], url.group(1) or _UNKNOWN)


def _data_url(text: str) -> re.Match[str] | None:
    return re.match(
        r"data:([\w.+/-]{0,100})(?:;[\w.+=-]{1,100}){0,8};base64,", text, re.ASCII | re.IGNORECASE
    )


def _is_base64(sample: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9+/_-]+", sample) is not None and len(set(sample)) >= _DISTINCT


def _decoded(text: str, mime_type: str) -> dict[str, Any]:
    try:
        data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/"))
    except ValueError:  # no base64 after all: size and digest of the text as it is
        data = text.encode("utf-8", "replace")
    return _described(data, mime_type)


def _described(data: bytes | bytearray | memoryview, mime_type: str) -> dict[str, Any]:
    import hashlib  # 5 ms, and hardly a program sends media

    found: dict[str, Any] = {"type": "blob", "mime_type": mime_type}
    try:
        found["bytes"] = data.nbytes if isinstance(data, memoryview) else len(data)
        found["sha256"] = hashlib.sha256(data).hexdigest()
    except (ValueError, BufferError):  # a released or scattered memoryview
        return found
    return found
