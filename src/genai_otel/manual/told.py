"""``genai_otel.context``: what holds for every span below."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from opentelemetry.context import get_current

from genai_otel import ambient, fence
from genai_otel.inside import Inside

if TYPE_CHECKING:
    from typing_extensions import Self

P = ParamSpec("P")
R = TypeVar("R")


class Ambient:
    """See :func:`context`.  One object may be entered again and again, also at the same time by several threads."""

    def __init__(self, given: dict[str, object], user: object) -> None:
        self._given = given
        self._user = user
        self._entered: list[Inside] = []

    def _inside(self) -> Inside:
        context = get_current()
        with fence.contain("context"):
            added = ambient.attributes(self._given, self._user)
            context = ambient.within(context, added)
            ambient.mark(added)
        return Inside(context)

    def __enter__(self) -> Self:
        inside = self._inside()
        self._entered.append(inside)
        inside.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        here = next((each for each in reversed(self._entered) if each.is_here()), None)
        here = here or (self._entered[-1] if self._entered else None)
        if here is not None:
            self._entered.remove(here)
            here.leave()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The same for each call of a function or coroutine function; generators enter it themselves."""
        if inspect.iscoroutinefunction(function):
            asynchronous: Any = function

            @functools.wraps(function)
            async def wait(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._inside():
                    return await asynchronous(*args, **kwargs)

            return cast("Callable[P, R]", wait)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._inside():
                return function(*args, **kwargs)

        return run


def context(
    *,
    session: str | None = None,
    user: str | None = None,
    tenant: str | None = None,
    tags: str | Sequence[str] | None = None,
    **more: str | float | bool | None,
) -> Ambient:
    """Say who asks, for every span below: ours, those of clients that trace themselves and of other libraries.

    >>> with genai_otel.context(session="s-1", user="ada@example.com", tenant="acme", **{"plant.id": "p7"}):
    ...     answer = client.chat.completions.create(...)

    Use it in ``with`` or ``async with``, or as a decorator of a function.  It reaches threads and tasks that carry
    OpenTelemetry's context and, as baggage, services on hosts that get trace headers.  On spans it is ``session.id``,
    ``user.hash`` (users are hashed, see ``GENAI_OTEL_USER_KEY``), ``genai_otel.tenant``, ``genai_otel.tags``, and names
    of your own as they are.  Metrics have none of it but what ``GENAI_OTEL_METRIC_KEYS`` names.
    """
    listed = [tags] if isinstance(tags, str) else tags
    return Ambient({"session": session, "tenant": tenant, "tags": listed, **more}, user)
