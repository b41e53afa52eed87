"""HTTP as the model server sees it: the request it got, the reply it gives, and how events become bytes.

Nothing here knows a vendor. A wire format (`openai_api.py`) is a function from `Request` and `Plan` to `Reply`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from functools import cached_property
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit


def mapping(value: object) -> Mapping[str, object]:
    """The JSON object, or an empty one: requests may lack or misuse any field."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def string(value: object) -> str:
    return value if isinstance(value, str) else ""


@dataclass(eq=False)
class Request:
    """One request as it arrived.

    `path` includes the query, and scheme and host where the server is used as a proxy. `headers` keep order and
    case and are looked up without regard to case. `time` is the arrival in seconds since the epoch.
    `disconnected` turns true when the server saw the client go away before the whole answer was sent; `done` is
    set when the server has finished with the request. `messages` are those that came over a WebSocket.
    """

    method: str
    path: str
    headers: Message
    body: bytes
    time: float = field(default_factory=time.time)
    disconnected: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    messages: list[object] = field(default_factory=list[object])

    @cached_property
    def route(self) -> str:
        """The path without query, decoded."""
        return unquote(urlsplit(self.path).path)

    @cached_property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

    @cached_property
    def json(self) -> object:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> dict[str, str | bytes]:
        """The fields of a multipart body: text where it has no file name, else bytes."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return {}
        head = f"content-type: {kind}\r\n\r\n".encode("latin-1")
        message = BytesParser().parsebytes(head + self.body)
        return dict(_form_field(part) for part in cast("list[Message]", message.get_payload()))

    @cached_property
    def fields(self) -> Mapping[str, object]:
        """The body's fields, be it JSON or a form."""
        return mapping(self.json) or self.form


def _form_field(part: Message) -> tuple[str, str | bytes]:
    name = str(part.get_param("name", "", header="content-disposition"))
    content = cast("bytes", part.get_payload(decode=True))
    return name, content if part.get_filename() is not None else content.decode()


STATUS = "status"
"""The name of an event that ends a stream of gRPC with an error: ``status`` and ``message`` stand in its data."""


@dataclass(frozen=True)
class Event:
    """One element of a stream: a JSON value (or text as it is), with the event name where the API has them."""

    data: object
    name: str | None = None


def sse(event: Event) -> bytes:
    """Server-sent events, the framing of OpenAI and most others."""
    data = event.data if isinstance(event.data, str) else json.dumps(event.data)
    return (f"event: {event.name}\n" if event.name else "").encode() + f"data: {data}\n\n".encode()


@dataclass(frozen=True)
class Reply:
    """What goes back: one payload (JSON value, text or bytes), or a stream of events.

    `end` closes a complete stream, `broken` is what this API sends when it fails in the middle of one,
    `strange` is an event that no client of this API knows. `names` says what this API calls a field that directives
    name as OpenAI does.
    """

    payload: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str | None = None
    events: Iterable[Event] | None = None
    end: Event | None = None
    broken: Event = Event("failed")
    strange: Event = Event("unknown", "unknown")
    framing: Callable[[Event], bytes] = sse
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def media_type(self) -> str:
        if self.content_type is not None:
            return self.content_type
        return "application/json" if self.events is None else "text/event-stream; charset=utf-8"

    def content(self) -> bytes:
        """The payload as it goes over the wire."""
        if isinstance(self.payload, bytes):
            return self.payload
        return self.payload.encode() if isinstance(self.payload, str) else json.dumps(self.payload).encode()
