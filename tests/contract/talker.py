"""A connection, sync or async, behind one vocabulary, and what its spans say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.contract.caller import settled
from tests.contract.recorded import Recorded


async def events(connection: Any) -> AsyncIterator[Any]:
    """The connection's events, taken as its kind of loop takes them."""
    if hasattr(connection, "__aiter__"):
        async for event in connection:
            yield event
    else:
        for event in connection:
            yield event


async def until(connection: Any, done: Callable[[Any], bool]) -> list[Any]:
    """Events up to the first one for which ``done`` holds, taken one by one."""
    seen: list[Any] = []
    while not seen or not done(seen[-1]):
        seen.append(await settled(connection.recv()))
    return seen


def session(telemetry: Recorded) -> Any:
    """The span of the only session."""
    (found,) = (span for span in telemetry.calls() if _operation(span) == "realtime_session")
    return found


def responses(telemetry: Recorded) -> list[Any]:
    """The spans of its responses, in the order of their beginnings; each is inside the session."""
    above = session(telemetry)
    found = [span for span in telemetry.calls() if _operation(span) != "realtime_session"]
    assert all(span.parent.span_id == above.context.span_id for span in found)
    assert all(above.start_time <= span.start_time <= span.end_time for span in found)
    return sorted(found, key=lambda span: span.start_time)


def _operation(span: Any) -> Any:
    return span.attributes["gen_ai.operation.name"]
