"""Reads a stream of bytes that are lines of text, and come in pieces that end anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Read = Callable[[Any], object]


def whole(read: Read) -> Read:
    """What gives ``read`` the lines that a piece ends, together, as bytes; the rest of it stands before the next."""
    half = b""

    def piece(said: Any) -> None:
        nonlocal half
        if isinstance(said, str):
            said = said.encode()
        if isinstance(said, bytes):
            lines, newline, half = (half + said).rpartition(b"\n")
            if newline:
                read(lines)

    return piece
