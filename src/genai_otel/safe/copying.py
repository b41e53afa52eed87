"""A bounded copy of any value in the types of JSON.

The budget is spent while copying, so the work is bounded by it and not by the size of the value: a list of ten
million items is left after those that fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from itertools import islice
from typing import Any, Final

from genai_otel.safe import media, models, unchanged
from genai_otel.safe.secrets import REDACTED, is_secret_name, scrub
from genai_otel.safe.unchanged import DEEPEST, ENCODER, INT64, LONGEST_NAME

# A shorter name that is an identifier is no key of a vendor.
_SHORT_NAME: Final = 24
# No secret is as short as this.
_SHORT_TEXT: Final = 8
# Read beyond the cut, so that a secret on it is recognised as a whole before half of it stays.
_BEYOND: Final = 256
_NUMBER_BYTES: Final = 8
_CIRCULAR: Final = "[circular]"
_TOO_DEEP: Final = "[nested too deeply]"
_NOTHING: Final = '"…"'


def plain(value: object, *, budget: int) -> Any:
    """A copy of ``value`` that ``json.dumps`` takes, with about ``budget`` bytes of JSON at most.

    Dictionaries, lists, tuples, sets, dataclasses and pydantic models are copied; anything else becomes
    ``{"type": "<class name>"}``.  Media becomes its type, size and digest, secrets become ``[REDACTED]``, and what
    does not fit is cut with a mark: the first and the last items of a list outlive those between.
    """
    return _Copy(budget).of(value)


def json_text(value: object, *, value_bytes: int) -> str:
    """The JSON of :func:`plain`, never longer than ``value_bytes`` (at least 64) bytes of UTF-8."""
    same = unchanged.json_of(value, value_bytes)
    if same is not None:
        return same
    budget = value_bytes
    while budget > len(_NOTHING):
        text = ENCODER.encode(plain(value, budget=budget))
        size = len(text) if text.isascii() else len(text.encode())
        if size <= value_bytes:
            return text
        # Escapes (quotes, control characters) made it longer than its texts are.
        budget = min(budget * value_bytes // size, budget - 16)
    return _NOTHING


def cut(text: str, room: int) -> str:
    """``text`` in at most ``room`` bytes of UTF-8, valid, without secrets, with a mark where it was cut."""
    head = text if len(text) <= room + _BEYOND else text[: room + _BEYOND]
    if not head.isascii():
        head = head.encode("utf-8", "replace").decode()
    scrubbed = scrub(head)
    whole = len(head) == len(text)
    size = len(scrubbed) if scrubbed.isascii() else len(scrubbed.encode())
    if whole and size <= room:
        return scrubbed
    rest = 0 if whole else len(text[room + _BEYOND :].encode("utf-8", "replace"))
    mark = f"…[truncated {size + rest - room} bytes]"
    kept = scrubbed.encode()[
        : max(room - len(mark) - 2, 0)
    ]  # the ellipsis has two bytes more than characters
    return kept.decode("utf-8", "ignore") + mark


class _Copy:
    """One copy in the making: how many bytes are left, and which containers are open above the present value."""

    __slots__ = ("_left", "_open")

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._open: set[int] = set()

    def of(self, value: object) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value)
        if value is None or kind is bool:
            self._left -= _NUMBER_BYTES
            return value
        if kind is int or kind is float:
            return self._number(value)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, kind)
        return self._unusual(value, kind)

    def _unusual(self, value: Any, kind: type[object]) -> Any:
        if issubclass(kind, Enum):
            return self.of(object.__getattribute__(value, "_value_"))
        if issubclass(kind, str):
            return self._text(str.__str__(value))
        if issubclass(kind, int):
            return self._number(int.__index__(value))
        if issubclass(kind, float):
            return self._number(float.__float__(value))
        if issubclass(kind, (bytes, bytearray, memoryview)):
            return self._media(value)
        return self._container(value, kind)

    # --- leaves ----------------------------------------------------------------------------------------------------

    def _number(self, value: Any) -> float | None:
        self._left -= _NUMBER_BYTES
        if type(value) is int:
            return value if -INT64 <= value < INT64 else None
        return value if math.isfinite(value) else None

    def _text(self, text: Any) -> Any:
        if len(text) < _SHORT_TEXT and text.isascii():
            self._left -= 2 + len(text)
            return text
        if media.is_encoded(text):
            return self._media(text)
        # Inside a structure no text takes more than half of what is left, so that others can still be seen.
        room = max(self._left // 2 if self._open else self._left, 0)
        copied = cut(text, self._left if len(text) <= room else room)
        self._left -= 2 + (len(copied) if copied.isascii() else len(copied.encode()))
        return copied

    def _media(self, content: object) -> dict[str, Any]:
        room = self._left
        self._left -= media.JSON_BYTES
        # Where there is no room for a digest none is made: it takes a look at every byte.
        return (media.of(content) if room >= media.JSON_BYTES else None) or {"type": "blob"}

    # --- containers ------------------------------------------------------------------------------------------------

    def _container(self, value: Any, kind: type[object]) -> Any:
        identity = id(value)
        if identity in self._open:
            return self._text(_CIRCULAR)
        if len(self._open) >= DEEPEST:
            return self._text(_TOO_DEEP)
        self._open.add(identity)
        self._left -= 2
        try:
            return self._opened(value, kind)
        except RuntimeError:  # another thread changes the container while it is read
            return _name_of(kind)
        finally:
            self._open.discard(identity)

    def _opened(self, value: Any, kind: type[object]) -> Any:
        # The methods of the built-in types are called, because a subclass may answer anything.
        for base, read in (
            (dict, self._dict),
            (list, self._list),
            (tuple, self._tuple),
            (set, self._set),
            (frozenset, self._frozenset),
        ):
            if issubclass(kind, base):
                return read(value)
        if models.is_model(kind):
            return self._fields(models.fields(value, kind))
        self._left -= _NUMBER_BYTES
        return _name_of(kind)

    def _dict(self, value: dict[Any, Any]) -> dict[str, Any]:
        described = self._blob(value)
        return self._fields(dict[Any, Any].items(value)) if described is None else described

    def _list(self, value: list[Any]) -> list[Any]:
        return self._sequence(value, list[Any].__len__(value), list[Any].__getitem__)

    def _tuple(self, value: tuple[Any, ...]) -> list[Any]:
        return self._sequence(value, tuple[Any, ...].__len__(value), tuple[Any, ...].__getitem__)

    def _set(self, value: set[Any]) -> list[Any]:
        return self._list(list(islice(set[Any].__iter__(value), self._most())))

    def _frozenset(self, value: frozenset[Any]) -> list[Any]:
        return self._list(list(islice(frozenset[Any].__iter__(value), self._most())))

    def _sequence(self, items: Any, length: int, item_of: Any) -> list[Any]:
        """First item, then from the last one backwards while there is room: the newest messages say most."""
        if not length:
            return []
        copied = [self.of(item_of(items, 0))]
        last: list[Any] = []
        for index in range(length - 1, 0, -1):
            if self._left <= 0:
                break
            self._left -= 1
            try:
                item = item_of(items, index)
            except IndexError:  # another thread shortened the list
                continue
            last.append(self.of(item))
        left_out = length - 1 - len(last)
        if left_out:
            copied.append(_omission(copied[0], left_out))
        last.reverse()
        return copied + last

    def _fields(self, items: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for name, value in list(islice(items, self._most())):
            if self._left <= 0:
                copied["…"] = "[truncated]"
                break
            key = _key(name)
            self._left -= len(key) + 4
            hidden = type(value) is str and is_secret_name(key)
            copied[key] = self.of(REDACTED if hidden else value)
        return copied

    def _blob(self, value: dict[Any, Any]) -> dict[str, Any] | None:
        """A part of the conventions' type ``blob``: its content goes, its size and digest take the place."""
        kind = dict[Any, Any].get(value, "type")
        if type(kind) is not str or kind != "blob":
            return None
        content = dict[Any, Any].get(value, "content")
        if not issubclass(type(content), (str, bytes, bytearray, memoryview)):
            return None
        found = self._media(content)
        items = dict[Any, Any].items(value)
        others = self._fields(
            (name, field) for name, field in items if type(name) is not str or name != "content"
        )
        return {**found, **others, "content": ""}

    def _most(self) -> int:
        return max(self._left, 0) // 2 + 1


def _key(name: Any) -> str:
    kind = _type(name)
    if kind is str:
        if len(name) <= _SHORT_NAME and name.isascii() and name.isidentifier():
            return name
        return cut(name, LONGEST_NAME)
    if issubclass(kind, str):
        return cut(str.__str__(name), LONGEST_NAME)
    if name is None or kind is bool or (kind is int and -INT64 <= name < INT64):
        return str(name)
    return kind.__name__


def _type(value: object) -> type[object]:
    return type(value)


def _omission(first: Any, count: int) -> dict[str, Any]:
    """The mark for items left out of a list; among messages a message, so that their structure survives."""
    mark = {"type": "truncated", "items": count}
    return {"role": "truncated", "parts": [mark]} if type(first) is dict and "role" in first else mark


def _name_of(kind: type[object]) -> dict[str, Any]:
    return {"type": kind.__name__}
