"""The JSON of a value that a copy would not change, as most are: plain types, short, no secret and no medium.

It is asked for before a copy is made, costs a fraction of one, and gives the very same text; None for everything
that needs a closer look, in doubt as well.
"""

from __future__ import annotations

import functools
import json
from itertools import chain, repeat
from operator import is_
from typing import Any, Final

from genai_otel.safe import media
from genai_otel.safe.secrets import has_secret, is_secret_name

ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
INT64: Final = 2**63
DEEPEST: Final = 32
"""Containers in containers, as deep as they are read."""
LONGEST_NAME: Final = 128

# What an item of a container costs at most, beside the bytes of its JSON.
_ITEM_BYTES: Final = 12
# Between texts that are looked at together: no letter, no space, and part of nothing that is looked for.
_BETWEEN: Final = "\0"


def json_of(value: object, value_bytes: int) -> str | None:
    """The JSON of ``value`` where nothing of it is to be cut, hidden or described, else None."""
    names: list[Any] = []
    texts: list[str] = []
    try:
        room = _collect(value, names, texts, value_bytes)
        longest = max(map(len, texts), default=0)
        # As long as twice the longest text fits, it is cut nowhere, wherever it stands.
        room -= longest
        if sum(map(len, texts)) > room or not _are_harmless(names) or _need_a_look(texts, longest):
            return None
        text = ENCODER.encode(value)
        size = len(text) if text.isascii() else len(text.encode())
    except (RuntimeError, TypeError, ValueError):  # changed by another thread; NaN; half a surrogate pair
        return None
    return text if size <= room else None


def _collect(value: object, names: list[Any], texts: list[str], room: int) -> int:
    """All names and texts, level by level; the room that is left, -1 where a value is not plain."""
    level: list[Any] = [(value,)]
    for _ in range(DEEPEST + 1):
        room -= _ITEM_BYTES * sum(map(len, level))
        if room < 0:
            return -1
        items = [*chain.from_iterable(level)]
        level = []
        for kind, item in zip(map(type, items), items, strict=True):
            if kind is str:
                texts.append(item)
            elif kind is dict:
                names += item
                level.append(item.values())
            elif kind is list or kind is tuple:
                level.append(item)
            elif not (
                item is None or kind is bool or kind is float or (kind is int and -INT64 <= item < INT64)
            ):
                return -1
        if not level:
            return room
    return -1


def _are_harmless(names: list[Any]) -> bool:
    return (
        all(map(is_, map(type, names), repeat(str)))
        and max(map(len, names), default=0) <= LONGEST_NAME
        and all(map(_is_harmless, names))
    )


@functools.lru_cache(maxsize=1024)
def _is_harmless(name: str) -> bool:
    return name.isascii() and not is_secret_name(name) and not has_secret(name)


def _need_a_look(texts: list[str], longest: int) -> bool:
    if "blob" in texts or (longest >= media.LONG and any(map(media.is_encoded, texts))):
        return True
    together = _BETWEEN.join(("", *texts))
    return f"{_BETWEEN}data:" in together.lower() or has_secret(together)
