"""OpenAI's APIs over a WebSocket: Realtime, Live and Responses; what their messages mean.

Messages are read as they are on the wire.  A response of Realtime is named by its id.  One of Responses has no name
in most of its events, but only one at a time is going on in a lane (``stream_id``); Live passes the events of such
responses on, for one delegation each.  Live's own speech has no responses and is counted in seconds, not in tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_realtime as realtime
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._openai_results import TERMINAL
from genai_otel.clients._openai_wire import Wire, failure, response_facts, within
from genai_otel.clients._stainless import given
from genai_otel.spec import Content, Endpoint, Facts, Session, Step, Steps


def _opened(manager: Any, _: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The client behind a connection's manager, which keeps it and the model for itself, under mangled names."""
    kept: dict[str, Any] = manager.__dict__
    held = {name.rpartition("__")[2]: value for name, value in kept.items()}
    client, model = held["client"], held.get("model")
    if not given(model):
        model = within(held.get("extra_query")).get("model")
    at = getattr(client, "websocket_base_url", None)
    if at is not None:
        url = type(client.base_url)(re.sub("^ws", "http", str(at)))
        client = type(type(client).__name__, (), {"_base_url": at, "base_url": url})()
    return SimpleNamespace(_client=client), {} if model is None else {"model": model}


def _identity(facts: Facts, settings: Wire) -> None:
    """Which session it is, as far as that is known yet; the vendor's name of it is what turns belong together by."""
    if settings.get("session"):
        facts[semconv.CONVERSATION_ID] = settings["session"]
    if settings.get("answering"):
        facts[semconv.RESPONSE_MODEL] = settings["answering"]


def _session_facts(facts: Facts, settings: Wire) -> None:
    _identity(facts, settings)
    if settings.get("speaking"):
        facts[semconv.REQUEST_MODEL] = settings["speaking"]


# --- Responses, and Live, which passes their events on ----------------------------------------------


def _responses_sent(event: Wire) -> Iterable[Step]:
    if event.get("type") == "response.create":
        return (Step("asks", event, mark=event.get("stream_id") or ""),)
    return ()


def _responses_received(event: Wire) -> Iterable[Step]:
    lane = event.get("stream_id") or ""
    return _in_lane(event, lane, lane)


def _in_lane(event: Wire, lane: object, mark: object) -> Iterable[Step]:
    kind = event.get("type")
    if not isinstance(kind, str):
        return ()
    if kind.endswith(".delta"):
        return (Step("chunk", event, lane, mark),)
    if kind == "response.created":
        return (Step("begins", event, lane, mark),)
    if kind in TERMINAL:
        return (Step("ends", event, lane, mark),)
    if kind == "error":
        return (Step("failed", failure(event), lane, mark),)
    return (Step("tells", event, lane),) if kind.startswith("response.output_item.") else ()


def _live_sent(event: Wire) -> Iterable[Step]:
    kind = event.get("type")
    if kind == "response.create":
        return (Step("asks", {}, mark=event.get("event_id")),)
    if kind == "response.item.create":
        return (Step("input", [event.get("item")]),)
    if kind in ("session.start", "session.update"):
        return (_live_settings(within(event, "session")),)
    return ()


def _live_settings(session: Wire) -> Step:
    told = {"session": session.get("id"), "speaking": session.get("model")}
    known = {name: value for name, value in told.items() if value is not None}
    return Step("settings", {**within(session, "delegation", "responses"), **known})


def _live_received(event: Wire) -> Iterable[Step]:
    kind = event.get("type")
    if kind == "response.event":
        return _in_lane(within(event, "event"), event.get("delegation_id") or "", ...)
    if kind in ("session.started", "session.updated"):
        return (_live_settings(within(event, "session")),)
    if kind == "error":
        return (Step("failed", failure(event), mark=within(event, "error").get("client_event_id")),)
    return ()


_RESPONSES: Final = requests.request(
    requests.RESPONSES,
    **{semconv.OPENAI_API_TYPE: "responses", semconv.REQUEST_STREAM: True},
)

# --- the endpoints ----------------------------------------------------------------------------------


def _session(
    responses: Endpoint, sent: Steps, received: Steps, glance: re.Pattern[str] | None = None
) -> Session:
    return Session(
        responses=responses,
        socket=lambda connection: connection._connection,  # noqa: SLF001 - the only way to what it goes over
        sent=sent,
        received=received,
        opened=_opened,
        opener="_connect_ws",
        reopens=lambda connection: getattr(connection, "_make_ws", None) is not None,
        glance=glance,
    )


def _response(request: Callable[[Mapping[str, Any]], Facts], content: Content) -> Endpoint:
    return Endpoint("", semconv.CHAT, request=request, first=_identity, chunk=response_facts, content=content)


_responses: Final = _response(_RESPONSES, messages.RESPONSES)
_SESSIONS: Final = {
    "Realtime": _session(
        _response(realtime.request, realtime.CONTENT), realtime.sent, realtime.received, realtime.GLANCE
    ),
    "Responses": _session(_responses, _responses_sent, _responses_received),
    "Live": _session(_responses, _live_sent, _live_received),
}


def connections(module: str, api: str, name: str = "") -> tuple[Endpoint, ...]:
    """The methods that open a connection of an API: those of the context managers that ``connect`` gives.

    ``name`` is how the connection is called where that is not as the API.
    """
    manager = f"{module}:{{}}{name or api}ConnectionManager.{{}}"
    return tuple(
        Endpoint(
            manager.format("Async" if asynchronous else "", method),
            semconv.REALTIME_SESSION,
            asynchronous=asynchronous,
            chunk=_session_facts,
            session=_SESSIONS[api],
        )
        for asynchronous, methods in ((False, ("__enter__", "enter")), (True, ("__aenter__", "enter")))
        for method in methods
    )
