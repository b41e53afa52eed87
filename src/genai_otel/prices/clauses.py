"""Which names mean a model or a provider, as the table writes it.

A clause is a text whose first character says how the rest is compared (``=`` equals, ``^`` starts with, ``$`` ends
with, ``~`` contains, ``/`` is a regular expression), a list of which any may hold, or ``{"all": [...]}``.  Names are
compared in lower case.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Clause: TypeAlias = "str | Sequence[Any] | Mapping[str, Any]"

_TESTS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "=": operator.eq,
    "^": str.startswith,
    "$": str.endswith,
    "~": operator.contains,
    "/": lambda name, pattern: re.search(pattern, name),
}


def holds(clause: Clause | None, name: str) -> bool:
    """Whether ``name``, in lower case, is meant by ``clause``; None means nothing."""
    if isinstance(clause, str):
        return bool(_TESTS[clause[0]](name, clause[1:]))
    if isinstance(clause, Mapping):
        return all(holds(each, name) for each in clause["all"])
    return any(holds(each, name) for each in clause or ())
