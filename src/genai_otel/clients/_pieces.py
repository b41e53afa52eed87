"""What a stream says piece by piece, kept within a limit until it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

Key = tuple[Any, ...]

FULL: Final = 64
"""Fragments of which a fresh list is to be counted: by :meth:`Pieces.of`."""

# Characters of one stream; what comes after them is counted and not kept.
_MOST: Final = 1_048_576
# What one entry costs however short its text is, so that entries are limited too.
_ENTRY: Final = 64


class Pieces:
    """Fragments of texts and single values by a key, a path such as ``(choice, "call", number, "arguments")``."""

    __slots__ = ("_fresh", "_left", "_lost", "_texts", "_values")

    def __init__(self) -> None:
        self._fresh: dict[Key, list[Any]] = {}
        self._texts: dict[Key, list[str]] = {}
        self._values: dict[Key, Any] = {}
        self._left = _MOST
        self._lost = 0

    @classmethod
    def of(cls, state: dict[Any, Any]) -> Pieces:
        """The pieces in the state of a stream, all that is fresh counted."""
        found = state.get(cls)
        if found is None:
            found = state[cls] = cls()
        found._count()
        return found

    def fresh(self, key: Key) -> list[Any] | None:
        """A list that takes more fragments of a text that has begun, without a look at each; None before that.

        Whoever appends asks for :meth:`of` when there are ``FULL`` of them, and need not do anything in the end.
        """
        return self._fresh.setdefault(key, []) if key in self._texts else None

    def _count(self) -> None:
        for key, fragments in self._fresh.items():
            if fragments:
                for piece in self._joined(fragments):
                    self.add(key, piece)
                fragments.clear()

    def _joined(self, fragments: list[Any]) -> list[Any]:
        """One piece instead of many, where that makes no difference."""
        try:
            whole = "".join(fragments)
        except TypeError:  # what is no text is left out
            return fragments
        return [whole] if len(whole) <= self._left else fragments

    def add(self, key: Key, piece: Any) -> None:
        """Append a fragment; None, and what is no text, is none."""
        if not isinstance(piece, str) or not piece:
            return
        size = len(piece) + (0 if key in self._texts else _ENTRY)
        if size > self._left:
            self._lost += len(piece)
            return
        self._left -= size
        self._texts.setdefault(key, []).append(piece)

    def keep(self, key: Key, value: Any) -> None:
        """Remember a value that comes once; None is none."""
        if value is not None and (key in self._values or self._left >= _ENTRY):
            self._left -= 0 if key in self._values else _ENTRY
            self._values[key] = value

    def text(self, key: Key) -> str:
        """The fragments so far, as one text."""
        return "".join(self._texts.get(key, ()))

    def kept(self, key: Key) -> Any:
        """The value of a key, None where there is none."""
        return self._values.get(key)

    def under(self, path: Key = ()) -> list[Any]:
        """The next elements of the keys that begin with ``path``, in order."""
        depth = len(path)
        keys: Sequence[Key] = [*self._texts, *self._values]
        return sorted({key[depth] for key in keys if len(key) > depth and key[:depth] == path})

    def lost(self) -> list[dict[str, Any]]:
        """A part that says how much was not kept, none where everything was."""
        return [{"type": "truncated", "characters": self._lost}] if self._lost else []
