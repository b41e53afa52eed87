"""Media in a value (images, audio, files): its type, size and digest instead of the bytes."""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import Any, Final, cast

_UNKNOWN: Final = "application/octet-stream"
# What the description of a medium costs in JSON, about.
JSON_BYTES: Final = 160

_DATA_URL = re.compile(
    r"data:([\w.+/-]{0,100})(?:;[\w.+=-]{1,100}){0,8};base64,|data:;base64,", re.ASCII | re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+")
# Base64 of real bytes is long and uses most of its alphabet; a word or a line of dashes is or does not.
_LONG: Final = 2048
_SAMPLE: Final = 512
_DISTINCT: Final = 32


def of_bytes(data: bytes | bytearray | memoryview) -> dict[str, Any]:
    """The description of raw bytes."""
    return _described(data, _UNKNOWN)


def of_text(text: str) -> dict[str, Any] | None:
    """The description of the medium that ``text`` encodes (a data URL, or plain base64); None when it is text."""
    if len(text) < _LONG and text[:5].lower() != "data:":
        return None
    url = _DATA_URL.match(text)
    if url is not None:
        return _decoded(text[url.end() :], url.group(1) or _UNKNOWN)
    if len(text) >= _LONG and _BASE64.fullmatch(text, 0, _SAMPLE) and len(set(text[:_SAMPLE])) >= _DISTINCT:
        return _decoded(text, _UNKNOWN)
    return None


def of_content(content: object) -> dict[str, Any] | None:
    """The description of a blob's content, which is bytes, base64 or a data URL; None for anything else."""
    kind, value = type(content), cast("Any", content)
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return of_bytes(value)
    if not issubclass(kind, str):
        return None
    text = str.__str__(value)
    return of_text(text) or _decoded(text, _UNKNOWN)


def _decoded(text: str, mime_type: str) -> dict[str, Any]:
    try:
        data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/"))
    except ValueError:  # no base64 after all: size and digest of the text as it is
        data = text.encode("utf-8", "replace")
    return _described(data, mime_type)


def _described(data: bytes | bytearray | memoryview, mime_type: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "blob", "mime_type": mime_type}
    try:
        found["bytes"] = data.nbytes if isinstance(data, memoryview) else len(data)
        found["sha256"] = hashlib.sha256(data).hexdigest()
    except (ValueError, BufferError):  # a released or scattered memoryview
        return found
    return found
