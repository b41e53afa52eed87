"""Clients whose model runs in the program's own process: what one payload file says of each.

The contract suite speaks to a model server, so it is not for them: nothing is sent, so there are no bytes or headers
to compare, no address, no HTTP error, timeout, retry or cut connection, no raw response, nothing to propagate.  What
does hold stands in `test_rows.py`, under the same promises: one owning span with exact facts, the same result and the
same exception as without us, nothing said while content is off, the program's context untouched, streams to each end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.payload import CANARY

__all__ = ["CANARY", "LENGTH", "Case", "Engine", "plain"]

LENGTH = len(CANARY)
"""Tokens of the canary: the test models have one for each character."""


def plain(value: Any) -> Any:
    """A result by what it says, so that two can be compared; what differs each time is left out."""
    found: Any = value  # under another name, which the tests do not narrow to unknown types
    if hasattr(value, "tolist"):
        return found.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in found]
    if not isinstance(value, Mapping) and not hasattr(value, "__dict__"):
        return found
    fields: dict[str, Any] = {**(found if "keys" in dir(found) else vars(found))}
    return {name: plain(each) for name, each in fields.items() if name not in _EACH_TIME}


_EACH_TIME = ("created", "id", "metrics", "num_cached_tokens", "num_cache_creation_tokens", "request_id")


@dataclass(frozen=True)
class Case:
    """One way to call an engine.

    ``call`` makes the call, the same each time; ``facts`` are all attributes of its span beside those that every call
    has, ``...`` stands for a value that differs.  ``stream`` says that the result is read piece by piece, ``breaks``
    makes a call that the library refuses; ``runs`` is how often the model runs for it.
    """

    name: str
    call: Callable[[Any], Any]
    facts: Mapping[str, Any]
    operation: str
    stream: bool = False
    breaks: Callable[[Any], Any] | None = None
    runs: int = 1


@dataclass(frozen=True)
class Engine:
    """An engine: ``make(folder)`` writes tiny models and gives what the cases call."""

    name: str
    provider: str
    model: str
    make: Callable[[Path], Any]
    cases: Sequence[Case]
    forget: Callable[[Any], Any] | None = None
    """Gives the model, which must not be kept alive by us."""
    threads: bool = True
    """Whether several threads may call one model at once."""
    warnings: Sequence[str] = field(default=())
    """Filters for warnings that are the library's own."""
