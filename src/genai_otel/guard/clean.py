"""Attributes without secrets, without content where it is off, and without what no exporter can encode."""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final

from genai_otel.guard import content
from genai_otel.safe import REDACTED, attribute, cut, is_secret_name, scrub, utf8

_DEEPEST: Final = 32
_MOST_KNOWN: Final = 4096
# More of a structure is not looked at and goes; it would not fit the budget of a span.
_MOST_ITEMS: Final = 16_384
_NO_TEXT: Final = (bool, int, float, type(None))


class Cleaner:
    """The policy for attributes: whether content may leave, and how many bytes of one text are looked at."""

    def __init__(self, *, with_content: bool, room: int) -> None:
        self.with_content = with_content
        self._room = room
        self._harmless: set[str] = set()

    def know(self, facts: Sequence[Mapping[str, Any]]) -> bool:
        """Whether every name of them is one that needs no look at what kind of value it has."""
        if self._harmless.issuperset(chain.from_iterable(facts)):
            return True
        harmful = False
        for name in chain.from_iterable(facts):
            if type(name) is not str or self._is_doubtful(name) or _safe(name) != name:
                harmful = True
            elif len(self._harmless) < _MOST_KNOWN:
                self._harmless.add(name)
            else:
                self._harmless.clear()
        return not harmful

    def attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any] | None:
        """The attributes as they may leave; None when that is as they are."""
        cleaned: dict[str, Any] = {}
        changed = False
        for given, value in attributes.items():
            name = _plain(given)
            if name is None or (self._is_refused(name) and not isinstance(value, _NO_TEXT)):
                changed = True
                continue
            safe_name = _safe(name)
            hidden = is_secret_name(name) and not isinstance(value, _NO_TEXT)
            new = REDACTED if hidden else self.value(value)
            if new is None and value is not None:
                changed = True
                continue
            changed = changed or new is not value or safe_name != name or name is not given
            cleaned[safe_name] = new
        return cleaned if changed else None

    def value(self, value: Any, left: Iterator[None] | None = None, depth: int = 0) -> Any:
        """``value`` as it may leave, the very same object if possible; None where it cannot.

        ``left`` yields once for each item that may still be looked at, so that a structure that holds itself ends.
        """
        kind = _type(value)
        if kind is str:
            # The budget would cut it anyway, and every byte that is read is time that the program waits.
            return scrub(utf8(value)) if len(value) <= self._room else cut(value, self._room)
        if kind is bytes:
            return value
        if kind in (dict, list, tuple) and depth < _DEEPEST:
            left = repeat(None, _MOST_ITEMS) if left is None else left
            return (self._fields if kind is dict else self._items)(value, left, depth + 1)
        found = attribute(value)
        return scrub(found) if type(found) is str else found

    def exception(self, attributes: Mapping[str, Any], *, quotes: bool) -> dict[str, Any] | None:
        """Like :meth:`attributes`, without the texts of an exception that ``quotes`` what was said, and the like."""
        told = content.unquoted(attributes) if quotes else attributes
        cleaned = self.attributes(told)
        return dict(told) if cleaned is None and told is not attributes else cleaned

    def _is_doubtful(self, name: str) -> bool:
        """Whether it depends on the span, or on the value, what becomes of an attribute of this name."""
        quoting = not self.with_content and (
            name in content.EXCEPTION_TEXTS
            or name in (content.MLFLOW, content.CREWAI)
            or content.is_argument(name)
        )
        return quoting or self._is_refused(name) or is_secret_name(name)

    def _is_refused(self, name: str) -> bool:
        return not self.with_content and content.is_content(name)

    # An item that cannot leave is left out: older encoders refuse the whole attribute for a None inside.  A None that
    # was there stays, because newer ones know it.

    def _items(self, value: Any, left: Iterator[None], depth: int) -> Any:
        items: list[Any] = []
        for item, _ in zip(value, left, strict=False):
            new = self.value(item, left, depth)
            if new is not None or item is None:
                items.append(new)
        return value if _same(items, value) else type(value)(items)

    def _fields(self, value: dict[Any, Any], left: Iterator[None], depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for (name, field), _ in zip(value.items(), left, strict=False):
            if type(name) is str:
                hidden = type(field) is str and is_secret_name(name)
                new = REDACTED if hidden else self.value(field, left, depth)
                if new is not None or field is None:
                    fields[_safe(name)] = new
        same = _same(fields.values(), value.values()) and fields.keys() == value.keys()
        return value if same else fields


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _safe(name: str) -> str:
    return scrub(utf8(name))


def _plain(name: object) -> str | None:
    """A name as plain text; some frameworks give a member of an ``Enum`` that is text, too."""
    if type(name) is str:
        return name
    return str.__str__(name) if isinstance(name, str) else None


def _type(value: object) -> type[object]:
    return type(value)


def _same(mine: Collection[Any], theirs: Collection[Any]) -> bool:
    return len(mine) == len(theirs) and all(map(operator.is_, mine, theirs))
