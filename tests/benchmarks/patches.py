"""Which methods and functions of the client a subject replaced, found by comparing before and after.

So the same process can measure a call with and without the subject, whatever way it patches.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

_ABSENT = object()
_BOOKKEEPING = frozenset({"__abstractmethods__", "_abc_impl", "__dict__", "__weakref__", "__annotations__"})

Snapshot = dict["type | ModuleType", Mapping[str, object]]


class Patch(NamedTuple):
    """One attribute of a class, or a function of a module, as it was and as the subject made it."""

    owner: type | ModuleType
    name: str
    before: object
    after: object


def snapshot(*packages: str) -> Snapshot:
    """The imported modules of these packages and all their classes, with their attributes."""
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in packages]
    classes: set[type] = set()
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__.partition(".")[0] in packages:
                classes.add(value)
    return {owner: dict(vars(owner)) for owner in (*classes, *modules)}


def difference(before: Snapshot) -> list[Patch]:
    """What was replaced, added or removed since ``before``."""
    found: list[Patch] = []
    for owner, old in before.items():
        new = vars(owner)
        for name in (old.keys() | new.keys()) - _BOOKKEEPING:
            was, now = old.get(name, _ABSENT), new.get(name, _ABSENT)
            if was is now or name.startswith("__pydantic"):
                continue
            # A module keeps its state among its functions, and more comes to it when it is asked.
            if isinstance(owner, type) or (callable(was) and callable(now)):
                found.append(Patch(owner, name, was, now))
    return found


def switch(patches: list[Patch], *, on: bool) -> None:
    """Put the subject's attributes in place, or the client's own."""
    for patch in patches:
        value = patch.after if on else patch.before
        if value is not _ABSENT:
            setattr(patch.owner, patch.name, value)
        elif patch.name in vars(patch.owner):
            delattr(patch.owner, patch.name)
