"""The fields of dataclasses and pydantic models as they are stored, without running a property of theirs."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any, Final

# What marks dataclasses and the models of pydantic (2, 1), whose instances keep their fields in ``__dict__``.
_MODELS: Final = frozenset({"__dataclass_fields__", "__pydantic_core_schema__", "__fields__"})


def is_model(kind: type[object]) -> bool:
    """Whether ``kind`` is a dataclass or a class of pydantic's."""
    return any(not _MODELS.isdisjoint(base.__dict__) for base in kind.__mro__)


def fields(value: Any, kind: type[object]) -> Iterator[tuple[str, Any]]:
    """The fields of a model as they are stored, without its properties; what is None or private is left out."""
    for source in ("__dict__", "__pydantic_extra__"):
        stored = _stored(value, source)
        if stored is not None:
            yield from _given(stored.items())
    for base in kind.__mro__:
        yield from _given(_slots(value, base))


def _stored(value: Any, name: str) -> dict[Any, Any] | None:
    try:
        stored: Any = object.__getattribute__(value, name)
    except AttributeError:
        return None
    return stored if _is_dict(stored) else None


def _slots(value: Any, base: type[object]) -> Iterator[tuple[str, Any]]:
    for name, member in base.__dict__.items():
        if type(member) is types.MemberDescriptorType:
            try:
                yield name, member.__get__(value)
            except AttributeError:  # never filled
                continue


def _given(fields: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    for name, field in fields:
        if type(name) is str and name[:1] != "_" and field is not None:
            yield name, field


def _is_dict(value: object) -> bool:
    return type(value) is dict
