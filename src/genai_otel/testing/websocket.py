"""WebSocket connections of the model server: several answers at a time, late, cut or cancelled as their plans say.

The frames are made by the `websockets` library, which clients that talk over WebSockets bring along; it is imported
when the first of them connects.  Nothing here knows a vendor: a `Dialogue` says what is answered to which message.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, cast

from genai_otel.testing.delivery import FOREVER, Gone, Line
from genai_otel.testing.directives import Plan
from genai_otel.testing.distort import distort
from genai_otel.testing.job import Job
from genai_otel.testing.wire import Event, Reply, Request

Message = Mapping[str, object]
Jobs = Callable[[Message, str], Job]
"""Makes the job of one answer out of the client's message and the model's name with its directives."""


class Dialogue(Protocol):
    """One conversation: what it says first, and what to a message of the client's.

    Each reply is sent event by event as its plan says, beside others that are still going on.
    """

    closed: bool
    """Whether the server closes the connection once everything is said."""

    def opened(self) -> Iterable[Event]: ...

    def heard(self, message: Message) -> Iterable[tuple[Reply, Plan]]: ...


def now(*events: Event) -> tuple[Reply, Plan]:
    """A reply of these events at once."""
    return Reply(events=events), Plan()


def upgrades(request: Request) -> bool:
    """Whether a request asks for a WebSocket."""
    return request.headers.get("upgrade", "").lower() == "websocket"


@dataclass(eq=False)
class _Speech:
    """A reply on its way: its events, when the next one is due, and how it breaks off."""

    events: Iterator[Event]
    plan: Plan
    due: float
    said: int = field(default=0)


class Conversation:
    """The server's side of one WebSocket, in the thread of its connection."""

    def __init__(self, connection: socket.socket, request: Request, dialogue: Dialogue) -> None:
        from websockets.server import ServerProtocol

        self._socket = connection
        self._line = Line(connection)
        self._request = request
        self._dialogue = dialogue
        self._protocol = ServerProtocol(max_size=None)
        self._speeches: deque[_Speech] = deque()
        self._parts: list[bytes] = []

    def run(self) -> None:
        """Talk until one side leaves.  Raises `Gone` where the client leaves without closing."""
        self._shake_hands()
        self._begin(now(*self._dialogue.opened()))
        while not self._protocol.close_expected():
            self._say()
            if self._dialogue.closed and not self._speeches:
                self._protocol.send_close(1000)
                self._flush()
            self._listen(self._pause())

    def _shake_hands(self) -> None:
        lines = [f"{name}: {value}" for name, value in self._request.headers.items()]
        head = "\r\n".join([f"GET {self._request.path} HTTP/1.1", *lines, "", ""])
        self._protocol.receive_data(head.encode("latin-1"))
        (asked,) = self._protocol.events_received()
        self._protocol.send_response(self._protocol.accept(cast("Any", asked)))
        self._flush()

    def _begin(self, said: tuple[Reply, Plan]) -> None:
        reply, plan = said
        limits = [limit for limit in (plan.cut_after, plan.hang_after) if limit is not None]
        events = islice(distort(reply, plan).events or (), min(limits, default=None))
        self._speeches.append(_Speech(events, plan, time.monotonic() + plan.slow_first))

    def _pause(self) -> float:
        """Seconds until the next event is due."""
        due = [speech.due for speech in self._speeches]
        return max(0.0, min(due) - time.monotonic()) if due else FOREVER

    def _say(self) -> None:
        """The next event of each speech for which it is time, in turns."""
        for _ in range(len(self._speeches)):
            speech = self._speeches.popleft()
            if speech.due <= time.monotonic() and not self._say_one(speech):
                continue
            self._speeches.append(speech)

    def _say_one(self, speech: _Speech) -> bool:
        event = next(speech.events, None)
        if event is not None:
            data = event.data if isinstance(event.data, str) else json.dumps(event.data)
            self._protocol.send_text(data.encode("utf-8", "surrogatepass"))
            self._flush()
            speech.due = time.monotonic() + speech.plan.slow_chunk
            return True
        if speech.plan.cut_after is not None:
            time.sleep(0.02)  # a reset overtakes unread data: let the client have what it is promised
            self._line.reset()
            raise Gone("cut")
        if speech.plan.drop_after is not None:
            self._dialogue.closed = True
        return False

    def _listen(self, seconds: float) -> None:
        """Take what the client sends within some time."""
        try:
            readable, _, _ = select.select([self._socket], [], [], None if seconds == FOREVER else seconds)
            data = self._socket.recv(65_536) if readable else None
        except (OSError, ValueError) as error:
            raise Gone(str(error)) from error
        if data == b"":
            self._protocol.receive_eof()
            raise Gone("closed by the client")
        if data is not None:
            self._protocol.receive_data(data)
            self._flush()  # pongs, and the answer to a close
            for frame in self._protocol.events_received():
                self._frame(frame)

    def _frame(self, frame: Any) -> None:
        if frame.opcode.name not in ("TEXT", "BINARY", "CONT"):
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message = json.loads(b"".join(self._parts))
            self._parts.clear()
            self._request.messages.append(message)
            for said in self._dialogue.heard(message):
                self._begin(said)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._line.send(data)
