"""How many bytes attributes have, and how they get under a limit: content goes first, then long texts are cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from genai_otel import semconv
from genai_otel.guard.content import is_content
from genai_otel.safe import cut

# What one attribute costs beside its texts: its tags and lengths in protobuf, and its name when that is short.
ATTRIBUTE_BYTES: Final = 48
_SHORTEST_CUT: Final = 32


def size_of(value: object) -> int:
    """Bytes of a cleaned value in an export, about."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, dict):
        return size_of_all(cast("dict[str, object]", value))
    if isinstance(value, (list, tuple)):
        items = cast("list[object]", value)
        return sum(map(size_of, items)) + 4 * len(items)
    return 8


def size_of_all(attributes: Mapping[str, Any]) -> int:
    """Bytes of attributes in an export, about."""
    names = sum(map(len, attributes))
    return names + sum(map(size_of, attributes.values())) + 8 * len(attributes)


def fit(attributes: Mapping[str, Any], room: int) -> dict[str, Any]:
    """``attributes`` in about ``room`` bytes, marked as truncated: content goes, the largest value first."""
    kept = {**attributes, semconv.TRUNCATED: True}
    excess = size_of_all(kept) - room
    for name in _largest_first(kept, filter(is_content, kept)):
        if excess <= 0:
            return kept
        excess -= size_of(kept.pop(name))
    if excess > 0:
        _cut_all(kept, room)
    return kept


def _cut_all(attributes: dict[str, Any], room: int) -> None:
    """Give every value the same share; what is no text and does not fit goes."""
    share = max((room - ATTRIBUTE_BYTES * len(attributes)) // max(len(attributes), 1), _SHORTEST_CUT)
    for name, value in list(attributes.items()):
        if size_of(value) > share:
            if type(value) is str:
                attributes[name] = cut(value, share)
            else:
                del attributes[name]
    for name in _largest_first(attributes, list(attributes)):
        if size_of_all(attributes) <= room:
            return
        if name != semconv.TRUNCATED:
            del attributes[name]


def _largest_first(attributes: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: size_of(attributes[name]), reverse=True)
