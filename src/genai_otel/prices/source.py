"""Reads a file of prices, JSON or TOML, and says where in it something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

_PYTHON: Final = (
    "TOML is read from Python 3.11 on, or with the package tomli; write the same as JSON, or install tomli"
)


class PriceError(ValueError):
    """Prices that cannot be used; the text names the file, the line and the field."""


class Source:
    """What prices are read from: ``content``, and of a file its name, its text and its ``date``."""

    def __init__(self, content: Mapping[str, Any], name: str, text: str, changed: str | None) -> None:
        self.content = content
        self.name = name
        self.date = changed
        self._text = text

    def wrong(self, path: tuple[str, ...], problem: str) -> PriceError:
        """The error of a field, by the keys that lead to it."""
        line = self._line(path)
        where = self.name if line is None else f"{self.name}, line {line}"
        return PriceError(f"{where}: {'.'.join(path) or 'the file'} {problem}")

    def _line(self, path: tuple[str, ...]) -> int | None:
        """Where the last key stands after those before it, as far as they are found."""
        at = 0
        found: int | None = None
        for key in path:
            match = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])").search(self._text, at)
            if match is None:
                break
            at, found = match.end(), match.start()
        return None if found is None else self._text.count("\n", 0, found) + 1


def opened(value: str | Path | Mapping[str, Any]) -> Source:
    """The content of a file, or a mapping as it is.

    Raises:
        PriceError: the file cannot be read, or is no JSON or TOML.
    """
    if isinstance(value, Mapping):
        return Source(value, "prices", "", None)
    path = Path(value).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
        changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc).date().isoformat()
    except (OSError, UnicodeDecodeError) as error:
        raise PriceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    content = _toml(path, text) if path.suffix.lower() == ".toml" else _json(path, text)
    if not isinstance(content, dict):
        raise PriceError(f"{path}, line 1: the file is no object with providers in it")
    return Source(cast("dict[str, Any]", content), str(path), text, changed)


def _json(path: Path, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise PriceError(f"{path}, line {error.lineno}: no JSON: {error.msg}") from None
    except RecursionError:
        raise PriceError(f"{path}: no JSON: nested too deeply") from None


def _toml(path: Path, text: str) -> object:
    reader = _toml_reader()
    if reader is None:
        raise PriceError(f"{path}: {_PYTHON}")
    try:
        return reader.loads(text)
    except ValueError as error:  # of both, and it says the line
        said = re.search(r"line (\d+)", str(error))
        line = f", line {said[1]}" if said else ""
        raise PriceError(f"{path}{line}: no TOML: {error}") from None


def _toml_reader() -> Any:
    for name in ("tomllib", "tomli"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def day(value: object) -> str | None:
    """A date as ISO 8601 has it, of a text or of what TOML makes of one; None where it is none."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(value).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None
