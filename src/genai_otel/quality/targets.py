"""Which response is meant: by a reference, a span, ids, the response itself, or as the last one here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from opentelemetry import trace
from opentelemetry.trace import SpanContext, TraceFlags

from genai_otel import fence, safe, semconv
from genai_otel.processing.owner import LATEST, Counted
from genai_otel.quality import connected
from genai_otel.quality.reference import PREFIX, Target, decode, encode

_IDS: Final = ("id", "response_id", "generation_id", "request_id")
"""Where the clients' responses have what their spans call the response's id."""
_LONGEST_ID: Final = 512
_NO_RESPONSES: Final = (bytes, int, float, tuple, list)


def response_ref(of: Any = None) -> str:
    """A reference to a response, for whoever will judge it: a text to keep, or to hand to a browser.

    ``of`` is a client's response object (or what else :func:`record_evaluation` takes as its target).  Without it the
    reference is to the last model call that ended in this thread or task; where there was none, to the last one of
    the current trace (a call that ran in another task of the request), else to the only one that goes on in it, else to
    the current span.  A call has ended when it returned, a stream when it was read or closed; before that give the
    stream itself, if the request has made other calls before.

    References are signed when ``GENAI_OTEL_FEEDBACK_KEY`` is set: do so where they come back from outside.  The text
    is empty when there is nothing to refer to, or before ``setup()``.  Never raises.
    """
    with fence.contain("quality"):
        active = connected.active
        target = None if active is None else resolve(of)
        return "" if active is None or target is None else encode(target, active.keys)
    return ""


def resolve(of: Any) -> Target | None:
    """The target that is meant by anything that a program may pass; None where it means nothing."""
    if of is None:
        return _latest()
    if isinstance(of, Target):
        return of
    if isinstance(of, str):
        return decode(of, _keys()) if of.startswith(PREFIX) else _by_response(of)
    if isinstance(of, SpanContext):
        return _by_context(of)
    if isinstance(of, tuple) and len(cast("tuple[Any, ...]", of)) == 2:
        return _by_ids(*cast("tuple[Any, Any]", of))
    if isinstance(of, _NO_RESPONSES):
        return None
    if hasattr(of, "get_span_context"):  # also of a span that has ended, which is none of the API's class
        return _by_span(of)
    return _by_object(of)


def _keys() -> tuple[str, ...]:
    return () if connected.active is None else connected.active.keys


def _latest() -> Target | None:
    current = trace.get_current_span()
    here = current.get_span_context()
    counted = LATEST.get()
    if counted is None or (here.is_valid and counted[2].trace_id != here.trace_id):
        counted = next((one for one in _recent() if one[2].trace_id == here.trace_id), None)
    if counted is not None:
        return _counted(counted)
    if not here.is_valid:
        return None
    return _going_on(here) or _by_span(current)


def _going_on(here: SpanContext) -> Target | None:
    """The only call of this trace that goes on, as the stream that a request is about to hand on; one step is none."""
    active = connected.active
    found = [
        call
        for call in (() if active is None else active.going_on())
        if call.span_context.trace_id == here.trace_id and not call.is_step
    ]
    return _described(found[0].span_context, found[0].attributes) if len(found) == 1 else None


def _recent() -> list[Counted]:
    return [] if connected.active is None else list(connected.active.recent())


def _counted(counted: Counted) -> Target:
    return _described(counted[2], counted[0], counted[4])


def _described(context: SpanContext, attributes: Mapping[str, Any], agent: str | None = None) -> Target:
    model = _said(attributes, semconv.REQUEST_MODEL)
    agent = _said(attributes, semconv.AGENT_NAME) or (None if agent is None else safe.label(agent))
    names = () if connected.active is None else connected.active.labels.names
    told = tuple((name, safe.label(attributes[name])) for name in names if name in attributes)
    response_id = _bounded(attributes.get(semconv.RESPONSE_ID))
    return Target(context, response_id, model, agent, told)


def _bounded(response_id: Any) -> str | None:
    """An id as it can be looked up; one that is cut would be another one."""
    if not isinstance(response_id, str) or not 0 < len(response_id) <= _LONGEST_ID:
        return None
    return safe.utf8(response_id)


def _said(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    return safe.label(value) if isinstance(value, str) else None


def _by_span(span: Any) -> Target | None:
    context = span.get_span_context()
    if not isinstance(context, SpanContext) or not context.is_valid:
        return None
    attributes: Any = getattr(span, "attributes", None)
    if not isinstance(attributes, Mapping):
        return _by_context(context)
    return _described(context, cast("Mapping[str, Any]", attributes))


def _by_context(context: SpanContext) -> Target | None:
    """Of a span that may be one of the last calls, about which more is known."""
    if not context.is_valid:
        return None
    known = next((one for one in _recent() if one[2].span_id == context.span_id), None)
    return Target(context) if known is None else _counted(known)


def _by_ids(trace_id: Any, span_id: Any) -> Target | None:
    try:
        found = [int(each, 16) if isinstance(each, str) else int(each) for each in (trace_id, span_id)]
    except (TypeError, ValueError):
        return None
    return _by_context(
        SpanContext(
            *found, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        )  # nobody said that it is not
    )


def _by_response(response_id: str) -> Target | None:
    known = next((one for one in _recent() if one[0].get(semconv.RESPONSE_ID) == response_id), None)
    if known is not None:
        return _counted(known)
    kept = _bounded(response_id)
    return None if kept is None else Target(None, kept)


def _by_object(response: Any) -> Target | None:
    going_on = None if connected.active is None else connected.active.stream(response)
    if going_on is not None:
        return _described(going_on.span_context, going_on.attributes)
    response_id = _id_of(response)
    if response_id is not None:
        return _by_response(response_id)
    latest = _latest()  # which is meant where neither has an id, as with Ollama
    return latest if latest is not None and latest.response_id is None else None


def _id_of(response: Any) -> str | None:
    """The id that a client's response says it has; the response may be a mapping."""
    for name in _IDS:
        value = (
            cast("Mapping[str, Any]", response).get(name)
            if isinstance(response, Mapping)
            else getattr(response, name, None)
        )
        if isinstance(value, str) and value:
            return value
    return None
