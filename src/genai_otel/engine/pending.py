"""An awaitable of the user's that a coroutine of ours awaits."""

from __future__ import annotations

from types import CoroutineType
from typing import Any


class Pending:
    """What an async method gave.  If nobody awaits ours, Python is not to complain of this one as well."""

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Any) -> None:
        self.awaitable: Any = awaitable

    def __del__(self) -> None:
        pending: CoroutineType[Any, Any, Any] | Any = self.awaitable
        if pending.__class__ is CoroutineType:
            pending.close()
