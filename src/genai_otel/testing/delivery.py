"""Sending a reply over a real socket: in time or late, whole or cut, watching for the client to go away."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator
from itertools import islice

from genai_otel.testing.directives import Plan
from genai_otel.testing.wire import Reply

FOREVER = float("inf")
_SLOW_PIECES = 8


class Gone(ConnectionError):
    """The client closed its side, or the server is stopping."""


class Line:
    """The server's side of one connection. Every send and wait raises Gone once the client is away."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than the client is there: a readable socket without data is a closed one."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                readable, _, _ = select.select([self._socket], [], [], None if left == FOREVER else left)
                if readable and not self._socket.recv(1, socket.MSG_PEEK):
                    raise Gone("closed by the client")
            except (OSError, ValueError) as error:
                raise Gone(str(error)) from error
            if readable:  # the client sent more and is alive: nothing left to watch but the clock
                time.sleep(min(left, 0.05))

    def reset(self) -> None:
        """Close with a TCP reset: what is on its way is lost, the client reads "connection reset by peer"."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def deliver(reply: Reply, plan: Plan, line: Line, head: bytes) -> bool:
    """Send `head` (status line and headers) and the reply. Returns whether the connection can be used again."""
    if plan.hang:
        line.wait(FOREVER)
    if plan.reset:
        line.reset()
        return False
    if reply.events is not None:
        return _stream(reply, plan, line, head)
    return _whole(reply.content(), plan, line, head)


def _whole(body: bytes, plan: Plan, line: Line, head: bytes) -> bool:
    line.wait(plan.slow_first)
    if plan.cut_after is not None:
        line.send(head + body[: plan.cut_after])
        line.reset()
        return False
    if not plan.slow_body:
        line.send(head + body)
        return True
    line.send(head)
    size = max(1, -(-len(body) // _SLOW_PIECES))
    for start in range(0, len(body), size):
        line.wait(plan.slow_body)
        line.send(body[start : start + size])
    return True


def _stream(reply: Reply, plan: Plan, line: Line, head: bytes) -> bool:
    """One HTTP chunk, and one packet, per event: what the client sees is what was meant to arrive together."""
    line.send(head)
    line.wait(plan.slow_first)
    for number, chunk in enumerate(_chunks(reply, plan)):
        if number:
            line.wait(plan.slow_chunk)
        line.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    if plan.hang_after is not None:
        line.wait(FOREVER)
    if plan.cut_after is not None:
        time.sleep(0.02)  # a reset overtakes unread data: let the client have the events that it is promised
        line.reset()
        return False
    line.send(b"0\r\n\r\n")
    return True


def _chunks(reply: Reply, plan: Plan) -> Iterator[bytes]:
    limits = [limit for limit in (plan.cut_after, plan.hang_after) if limit is not None]
    events = islice(reply.events or (), min(limits, default=None))
    return (reply.framing(event) for event in events)
