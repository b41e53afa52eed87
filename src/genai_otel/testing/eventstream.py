"""AWS's event stream: binary frames with headers, a payload and two checksums."""

from __future__ import annotations

import base64
import json
import struct
import zlib

from genai_otel.testing.wire import Event

MEDIA_TYPE = "application/vnd.amazon.eventstream"


def frame(event: Event) -> bytes:
    """An event under its name; one whose name begins with ``!`` is an exception.  Text is damaged on the way."""
    whole = _framed(event.name or "", _text(event))
    return whole[:-1] + bytes([whole[-1] ^ 1]) if isinstance(event.data, str) else whole


def chunk(event: Event) -> bytes:
    """An event of a model's own, in base64 inside one that is named "chunk"; exceptions as they are."""
    name = event.name or ""
    if name.startswith("!") or isinstance(event.data, str):
        return frame(event)
    return _framed(
        "chunk", json.dumps({"bytes": base64.b64encode(_text(event)).decode(), "p": "abcdef"}).encode()
    )


def _text(event: Event) -> bytes:
    data = event.data if isinstance(event.data, str) else json.dumps(event.data)
    return data.encode()


def _framed(name: str, payload: bytes) -> bytes:
    failed = name.startswith("!")
    names = {
        ":exception-type" if failed else ":event-type": name.removeprefix("!"),
        ":content-type": "application/json",
        ":message-type": "exception" if failed else "event",
    }
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in names.items()
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))
