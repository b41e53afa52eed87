"""OpenAI's APIs over a WebSocket: Realtime, Live and Responses; what their messages mean.

Messages are read as they are on the wire.  A response of Realtime is named by its id.  One of Responses has no name
in most of its events, but only one at a time is going on in a lane (``stream_id``); Live passes the events of such
responses on, for one delegation each.  Live's own speech has no responses and is counted in seconds, not in tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _openai_results as results
from genai_otel.clients._parts import items
from genai_otel.clients._stainless import given, is_mapping
from genai_otel.spec import Content, Endpoint, Facts, Session, Step, Steps

_Message = Mapping[str, Any]


def _within(value: Any, *names: str) -> Mapping[str, Any]:
    """The object at a path in a message; empty where there is none."""
    for name in names:
        value = value.get(name) if is_mapping(value) else None
    return value if is_mapping(value) else {}


def _opened(manager: Any, _: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The client behind a connection's manager, which keeps it and the model for itself, under mangled names."""
    kept: dict[str, Any] = manager.__dict__
    held = {name.rpartition("__")[2]: value for name, value in kept.items()}
    client, model = held["client"], held.get("model")
    if not given(model):
        model = _within(held.get("extra_query")).get("model")
    at = getattr(client, "websocket_base_url", None)
    if at is not None:
        url = type(client.base_url)(str(at).replace("ws", "http", 1))
        client = type(type(client).__name__, (), {"_base_url": at, "base_url": url})()
    return SimpleNamespace(_client=client), {} if model is None else {"model": model}


# --- what a response tells --------------------------------------------------------------------------


def _response_facts(facts: Facts, event: _Message) -> None:
    """Facts of a whole response, which stands in its first and its last events."""
    response = event.get("response")
    if not is_mapping(response):
        return
    get = response.get
    for name, field in (
        (semconv.RESPONSE_ID, "id"),
        (semconv.RESPONSE_MODEL, "model"),
        (semconv.OPENAI_RESPONSE_SERVICE_TIER, "service_tier"),
        (semconv.RESPONSE_STATUS, "status"),
    ):
        if get(field):
            facts[name] = get(field)
    status = get("status")
    details = _within(response, "status_details") or _within(response, "incomplete_details")
    if status == "failed":
        error = _within(response, "error") or _within(details, "error")
        facts[semconv.ERROR_TYPE] = error.get("code") or error.get("type") or "failed"
    called = any(is_mapping(item) and item.get("type") == "function_call" for item in items(get("output")))
    reason = results.finish(status, details.get("reason"), called=called)
    if reason is not None:
        facts[semconv.RESPONSE_FINISH_REASONS] = (reason,)
    counted = get("usage")
    if is_mapping(counted):
        spoken = counted.get("output_token_details")  # Realtime, which has no plural
        results.usage_facts(facts, {**counted, "output_tokens_details": spoken} if spoken else counted)


def _failure(event: _Message) -> Facts:
    error = _within(event, "error") or event
    facts: Facts = {semconv.ERROR_TYPE: error.get("code") or error.get("type") or "error"}
    if isinstance(event.get("status"), int):
        facts[semconv.HTTP_STATUS] = event["status"]
    return facts


def _identity(facts: Facts, settings: _Message) -> None:
    """Which session it is, as far as that is known yet; the vendor's name of it is what turns belong together by."""
    if settings.get("session"):
        facts[semconv.CONVERSATION_ID] = settings["session"]
    if settings.get("answering"):
        facts[semconv.RESPONSE_MODEL] = settings["answering"]


def _session_facts(facts: Facts, settings: _Message) -> None:
    _identity(facts, settings)
    if settings.get("speaking"):
        facts[semconv.REQUEST_MODEL] = settings["speaking"]


# --- Realtime ---------------------------------------------------------------------------------------

_SETTINGS: Final = (
    "instructions",
    "tools",
    "temperature",
    "max_output_tokens",
    "max_response_output_tokens",
    "output_modalities",
    "modalities",
    "reasoning",
)
_TEXTS: Final = dict.fromkeys(
    ("response.text.delta", "response.audio_transcript.delta", "response.output_audio_transcript.delta"),
    "response.output_text.delta",
)


def _limit(facts: Facts, value: Any) -> None:
    if isinstance(value, int):  # or "inf"
        facts[semconv.REQUEST_MAX_TOKENS] = value


def _modalities(facts: Facts, value: Any) -> None:
    facts[semconv.OUTPUT_TYPE] = "speech" if "audio" in items(value) else "text"


_REALTIME: Final = requests.request(
    {
        "temperature": requests.RESPONSES["temperature"],
        "reasoning": requests.RESPONSES["reasoning"],
        "max_output_tokens": _limit,
        "max_response_output_tokens": _limit,
        "output_modalities": _modalities,
        "modalities": _modalities,
    },
    **{semconv.REQUEST_STREAM: True},
)


def _realtime_sent(event: _Message) -> Iterable[Step]:
    kind = event.get("type")
    if kind == "response.create":
        asked = dict(_within(event, "response"))
        asked.pop("conversation", None)  # whether it goes into the conversation, not which one
        return (Step("asks", asked, mark=event.get("event_id")),)
    if kind == "conversation.item.create":
        return (Step("input", [event.get("item")]),)
    return ()


def _realtime_received(event: _Message) -> Iterable[Step]:
    kind = event.get("type")
    if not isinstance(kind, str):
        return ()
    if kind.endswith(".delta") and kind.startswith("response."):
        return (Step("chunk", event, event.get("response_id")),)
    if kind == "response.created":
        return (Step("begins", event, _within(event, "response").get("id")),)
    if kind == "response.done":
        return (Step("ends", event, _within(event, "response").get("id")),)
    if kind.startswith("response.output_item."):
        return (Step("tells", event, event.get("response_id")),)
    if kind in ("session.created", "session.updated"):
        session = _within(event, "session")
        known = {name: session[name] for name in _SETTINGS if session.get(name) is not None}
        return (Step("settings", {**known, "session": session.get("id"), "answering": session.get("model")}),)
    if kind == "error":
        return (Step("failed", _failure(event), mark=_within(event, "error").get("event_id")),)
    return ()


def _realtime_asked(arguments: Mapping[str, Any]) -> Facts:
    return messages.RESPONSES.request(
        {**arguments, "input": [_item(item) for item in items(arguments.get("input"))]}
    )


def _item(item: Any) -> Any:
    """An item of a conversation, what was spoken in it as text where that is known."""
    if not is_mapping(item) or not isinstance(item.get("content"), list):
        return item
    said = [
        {"type": "text", "text": part["transcript"]} if is_mapping(part) and part.get("transcript") else part
        for part in items(item["content"])
    ]
    return {**item, "content": said}


def _realtime_said(state: dict[Any, Any], event: _Message) -> None:
    kind = event.get("type")
    if kind == "response.done":
        response = _within(event, "response")
        output = [_item(item) for item in items(response.get("output"))]
        whole = {**response, "output": output, "incomplete_details": response.get("status_details")}
        event = {"type": "response.completed", "response": whole}
    elif kind in _TEXTS:
        event = {**event, "type": _TEXTS[kind]}
    elif "item" in event:
        event = {**event, "item": _item(event["item"])}
    if messages.RESPONSES.chunk is not None:
        messages.RESPONSES.chunk(state, event)


# --- Responses, and Live, which passes their events on ----------------------------------------------

_LAST: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)


def _responses_sent(event: _Message) -> Iterable[Step]:
    if event.get("type") == "response.create":
        return (Step("asks", event, mark=event.get("stream_id") or ""),)
    return ()


def _responses_received(event: _Message) -> Iterable[Step]:
    lane = event.get("stream_id") or ""
    return _in_lane(event, lane, lane)


def _in_lane(event: _Message, lane: object, mark: object) -> Iterable[Step]:
    kind = event.get("type")
    if not isinstance(kind, str):
        return ()
    if kind.endswith(".delta"):
        return (Step("chunk", event, lane, mark),)
    if kind == "response.created":
        return (Step("begins", event, lane, mark),)
    if kind in _LAST:
        return (Step("ends", event, lane, mark),)
    if kind == "error":
        return (Step("failed", _failure(event), lane, mark),)
    return (Step("tells", event, lane),) if kind.startswith("response.output_item.") else ()


def _live_sent(event: _Message) -> Iterable[Step]:
    kind = event.get("type")
    if kind == "response.create":
        return (Step("asks", {}, mark=event.get("event_id")),)
    if kind == "response.item.create":
        return (Step("input", [event.get("item")]),)
    if kind in ("session.start", "session.update"):
        return (_live_settings(_within(event, "session")),)
    return ()


def _live_settings(session: _Message) -> Step:
    told = {"session": session.get("id"), "speaking": session.get("model")}
    known = {name: value for name, value in told.items() if value is not None}
    return Step("settings", {**_within(session, "delegation", "responses"), **known})


def _live_received(event: _Message) -> Iterable[Step]:
    kind = event.get("type")
    if kind == "response.event":
        return _in_lane(_within(event, "event"), event.get("delegation_id") or "", ...)
    if kind in ("session.started", "session.updated"):
        return (_live_settings(_within(event, "session")),)
    if kind == "error":
        return (Step("failed", _failure(event), mark=_within(event, "error").get("client_event_id")),)
    return ()


_RESPONSES: Final = requests.request(
    requests.RESPONSES,
    **{semconv.OPENAI_API_TYPE: "responses", semconv.REQUEST_STREAM: True},
)

# --- the endpoints ----------------------------------------------------------------------------------


def _session(responses: Endpoint, sent: Steps, received: Steps) -> Session:
    return Session(
        responses=responses,
        socket=lambda connection: connection._connection,  # noqa: SLF001 - the only way to what it goes over
        sent=sent,
        received=received,
        opened=_opened,
        opener="_connect_ws",
        reopens=lambda connection: getattr(connection, "_make_ws", None) is not None,
    )


def _response(request: Callable[[Mapping[str, Any]], Facts], content: Content) -> Endpoint:
    return Endpoint(
        "", semconv.CHAT, request=request, first=_identity, chunk=_response_facts, content=content
    )


_responses: Final = _response(_RESPONSES, messages.RESPONSES)
_SESSIONS: Final = {
    "Realtime": _session(
        _response(_REALTIME, Content(_realtime_asked, chunk=_realtime_said, final=messages.RESPONSES.final)),
        _realtime_sent,
        _realtime_received,
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
