"""What the output can show, and text made fit for it: one line, no control characters, no wider than the screen."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TextIO

_ESCAPES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "good": "1;36"}
_DRAWING = "└├│─━▕▏→←·…"
_DEFAULT_WIDTH = 80
_MAX_TEXT = 400


class Piece(NamedTuple):
    """A run of text in one style: "", bold, dim, red, green, yellow, cyan or good (bold cyan)."""

    text: str
    style: str = ""


class Terminal(NamedTuple):
    """What a stream can show.  ``width`` is in columns, None where lines need not fit (a file, a pipe)."""

    colour: bool = False
    drawing: bool = False
    width: int | None = None

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Terminal:
        """Look at a stream; anything but a capable terminal gets plain ASCII without a width."""
        if not stream.isatty():
            return cls()
        dumb = environ.get("TERM") == "dumb"
        colour = not dumb and not environ.get("NO_COLOR") and _knows_colour(environ)
        return cls(colour, not dumb and _draws(stream), _width(stream, environ))

    def line(self, pieces: Iterable[Piece]) -> str:
        """One line out of pieces, cut at the width."""
        left = self.width or _MAX_TEXT * 10
        parts: list[str] = []
        for text, style in pieces:
            shown = clip(text, left, self.dots)
            left -= columns(shown)
            code = _ESCAPES.get(style) if self.colour and shown.strip() else None
            parts.append(f"\033[{code}m{shown}\033[0m" if code else shown)
            if shown != text or left <= 0:
                break
        return "".join(parts).rstrip()

    @property
    def dots(self) -> str:
        return "…" if self.drawing else "..."

    @property
    def arrow(self) -> str:
        return "→" if self.drawing else "->"


def clean(text: str, limit: int = _MAX_TEXT) -> str:
    """Text as one harmless line: a model or a user may have written escape sequences and line ends into it."""
    if len(text) > limit:
        text = text[:limit] + "..."
    if text.isascii() and text.isprintable():
        return text
    spaced = "".join(character if character.isprintable() else _visible(character) for character in text)
    return " ".join(spaced.split())


def columns(text: str) -> int:
    """Columns that a cleaned text takes on the screen."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def clip(text: str, width: int, dots: str = "...") -> str:
    """Text that takes at most ``width`` columns; what was cut shows as dots."""
    if columns(text) <= width:
        return text
    room = width - columns(dots)
    if room < 0:
        return ""
    kept = 0
    for character in text:
        room -= _columns_of(character)
        if room < 0:
            break
        kept += 1
    return text[:kept] + dots


def pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def put(stream: TextIO, text: str) -> None:
    """Write text; what the stream cannot encode is written as an escape instead of raising."""
    encoding = getattr(stream, "encoding", None)
    if encoding:
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()


def _visible(character: str) -> str:
    return " " if character.isspace() else "?"


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _knows_colour(environ: Mapping[str, str]) -> bool:
    # The old console of Windows prints escape sequences as they are; its new one names itself.
    return os.name != "nt" or "WT_SESSION" in environ or "TERM" in environ


def _draws(stream: TextIO) -> bool:
    try:
        _DRAWING.encode(stream.encoding)
    except (LookupError, UnicodeError, TypeError):
        return False
    return True


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    given = environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _DEFAULT_WIDTH
    except (OSError, ValueError):
        return _DEFAULT_WIDTH
