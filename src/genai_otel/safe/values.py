"""One value as an attribute or as a metric's label."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from enum import Enum
from itertools import islice
from typing import Any, Final

from genai_otel import semconv
from genai_otel.safe.secrets import scrub

Scalar = str | bool | int | float
Attribute = Scalar | tuple[Scalar, ...]

_INT64: Final = 2**63
_MOST_ITEMS: Final = 128
_LONGEST_LABEL: Final = 128


def attribute(value: object) -> Attribute | None:
    """``value`` as an attribute that every exporter takes, None where there is none.

    Text is valid UTF-8 (a lone surrogate becomes ``?``), an integer fits 64 bits, a number is finite; a list or tuple
    keeps the scalars among its first 128 items; a member of an ``Enum`` is its value.
    """
    read = _USUAL.get(type(value))
    return _unusual(value, type(value)) if read is None else read(value)


def clean(attributes: dict[str, Any]) -> None:
    """Make every value of ``attributes`` an :func:`attribute`, in place; names without a value go."""
    for name, value in list(attributes.items()):
        safe = attribute(value)
        if safe is None:
            del attributes[name]
        elif safe is not value:
            attributes[name] = safe


def label(value: object) -> str:
    """``value`` as the value of a metric's label: at most 128 characters, valid UTF-8, no secret."""
    safe = attribute(value)
    if type(safe) is str:
        return _label(safe[:_LONGEST_LABEL])
    if type(safe) is bool:
        return "true" if safe else "false"
    if type(safe) is int or type(safe) is float:
        return repr(safe)
    return semconv.OTHER


def utf8(text: str) -> str:
    """``text`` without lone surrogates, which cannot be encoded; the very same object when there is none."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


@functools.lru_cache(maxsize=1024)
def _label(text: str) -> str:
    return scrub(text)[:_LONGEST_LABEL]


def _itself(value: bool) -> bool:
    return value


def _integer(value: int) -> int | None:
    return value if -_INT64 <= value < _INT64 else None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _list(value: list[object]) -> tuple[Scalar, ...]:
    return _scalars(list[object].__iter__(value))


def _tuple(value: tuple[object, ...]) -> tuple[Scalar, ...]:
    return _scalars(tuple[object, ...].__iter__(value))


def _scalars(items: Any) -> tuple[Scalar, ...]:
    found: list[Scalar] = []
    for item in islice(items, _MOST_ITEMS):
        # A sequence in a sequence is no attribute, and may contain itself.
        safe = None if issubclass(type(item), (list, tuple)) else attribute(item)
        if safe is not None and not isinstance(safe, tuple):
            found.append(safe)
    return tuple(found)


def _unusual(value: Any, kind: type[object]) -> Attribute | None:
    if issubclass(kind, Enum):
        inner = object.__getattribute__(value, "_value_")
        return None if issubclass(type(inner), (Enum, list, tuple)) else attribute(inner)
    for base, exact in _EXACT:
        if issubclass(kind, base):
            return exact(value)
    return None


_USUAL: Final[dict[type[object], Callable[[Any], Attribute | None]]] = {
    str: utf8,
    bool: _itself,
    int: _integer,
    float: _number,
    list: _list,
    tuple: _tuple,
}
# A subclass may override anything; the method of the built-in type answers for it.
_EXACT: Final[tuple[tuple[type[object], Callable[[Any], Attribute | None]], ...]] = (
    (str, lambda value: utf8(str.__str__(value))),
    (int, lambda value: _integer(int.__index__(value))),
    (float, lambda value: _number(float.__float__(value))),
    (list, _list),
    (tuple, _tuple),
)
