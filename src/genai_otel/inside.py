"""A context that is made current for a while, also where that begins and ends in different places."""

from __future__ import annotations

import contextvars
from typing import Any, cast

from opentelemetry.context import Context, attach, detach, get_current


class Inside:
    """Makes ``context`` current while it is entered.

    What is entered in one task or thread may be left in another: a generator is closed by whoever drops it, and the
    steps of one may each run in a copy of the context.  OpenTelemetry's ``detach`` logs an error there; here nothing
    is left that is not there, and what is there goes.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._before: Context | None = None
        self._token: Any = None

    def __enter__(self) -> None:
        self._before = get_current()
        self._token = attach(self._context)

    def __exit__(self, *_: object) -> None:
        self.leave()

    def is_here(self) -> bool:
        """Whether its context is the current one."""
        return get_current() is self._context

    def leave(self) -> None:
        """Make current what was so before; again does nothing."""
        token, self._token = self._token, None
        if isinstance(token, contextvars.Token):
            held = cast("contextvars.Token[Context]", token)
            try:
                held.var.reset(held)
            except (ValueError, RuntimeError):  # entered in another context than this one
                if self._before is not None and get_current() is self._context:
                    attach(self._before)
        elif token is not None:  # a runtime context of another package
            detach(token)
