"""Payloads that are not as the client's types promise: null, missing, unknown, huge or broken parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import cast

from genai_otel.testing.directives import Plan
from genai_otel.testing.wire import Event, Reply

_DISCRIMINATORS = ("type", "object")  # without them no client knows what it has before it
_HTML = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


def distort(reply: Reply, plan: Plan) -> Reply:
    """The reply with every part of the plan that changes what is in it."""
    null, no = ([reply.names.get(name, name) for name in each] for each in (plan.null, plan.no))
    plan = replace(plan, null=(*null,), no=(*no,))
    if plan.html:
        return replace(reply, payload=_HTML, content_type="text/html", events=None)
    if reply.events is not None:
        return replace(reply, events=_events(reply, plan))
    if isinstance(reply.payload, (str, bytes)):
        return reply
    reply = replace(reply, payload=_value(reply.payload, plan), content_type=reply.media_type)
    if plan.empty:
        return replace(reply, payload=b"")
    if plan.malformed:
        body = reply.content()
        return replace(reply, payload=body[: len(body) // 2])
    return reply


def _events(reply: Reply, plan: Plan) -> Iterator[Event]:
    """The events of a stream, distorted one by one, cut short or failing where the plan says so."""
    events: Iterable[Event] = () if plan.empty else reply.events or ()
    if plan.midstream_error is not None:
        events = islice(events, plan.midstream_error)
    elif plan.drop_after is not None:
        events = islice(events, plan.drop_after)
    for number, event in enumerate(events):
        if plan.unknown_events:
            yield reply.strange
        data = event.data if isinstance(event.data, str) else _value(event.data, plan)
        if plan.malformed and number == 1:
            data = '{"half": '
        yield replace(event, data=data)
    if plan.midstream_error is not None:
        yield reply.broken
    elif plan.drop_after is None and reply.end is not None:
        yield reply.end


def _value(value: object, plan: Plan, in_usage: bool = False) -> object:
    if not (plan.null or plan.no or plan.unknown_fields or plan.huge_usage):
        return value
    if isinstance(value, list):
        return [_value(element, plan, in_usage) for element in cast("list[object]", value)]
    if isinstance(value, dict):
        return _object(cast("dict[str, object]", value), plan, in_usage)
    if in_usage and plan.huge_usage and isinstance(value, int):
        return 2**70
    return value


def _object(value: dict[str, object], plan: Plan, in_usage: bool) -> dict[str, object]:
    kept = {name: part for name, part in value.items() if name not in plan.no}
    result: dict[str, object] = {
        name: None if _nulled(name, part, plan) else _value(part, plan, in_usage or "usage" in name.lower())
        for name, part in kept.items()
    }
    if plan.unknown_fields:
        result["field_of_the_future"] = {"deep": [1, None, "x"]}
    return result


def _nulled(name: str, part: object, plan: Plan) -> bool:
    whole = "fields" in plan.null and not isinstance(part, (dict, list)) and name not in _DISCRIMINATORS
    return whole or name in plan.null
