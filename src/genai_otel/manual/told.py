"""``genai_otel.context``: what holds for every span below."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import get_current

from genai_otel import ambient, fence
from genai_otel.inside import Entering, Inside


class Ambient(Entering):
    """See :func:`context`."""

    def __init__(self, given: dict[str, object], user: object) -> None:
        super().__init__()
        self._given = given
        self._user = user

    def _inside(self) -> Inside:
        context = get_current()
        with fence.contain("context"):
            added = ambient.attributes(self._given, self._user)
            context = ambient.within(context, added)
            ambient.mark(added)
        return Inside(context)


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
