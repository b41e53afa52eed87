"""What a message of a session costs: OpenAI's Realtime, over a WebSocket that hands out what it is given.

``python -m tests.benchmarks.sessions`` prints JSON.  A process of its own, as in :mod:`tests.benchmarks.count`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from genai_otel.clients.openai import SPEC
from genai_otel.engine.session import opening
from tests.benchmarks import subjects
from tests.benchmarks.count import Tally

_PART: Final = {"type": "response.output_audio.delta", "response_id": "r", "delta": "AAAA" * 100}
_OTHER: Final = {"type": "input_audio_buffer.committed", "item_id": "i"}
MESSAGES: Final = {"a part of an output": _PART, "a message that means nothing": _OTHER}


class _Socket:
    def __init__(self) -> None:
        self.message = b""

    def recv(self) -> bytes:
        return self.message

    def send(self, message: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


class _Connection:
    """Keeps its socket where the client's does."""

    def __init__(self, socket: _Socket) -> None:
        self._connection = socket


def _connected(socket: _Socket) -> None:
    """A session over ``socket``, in which a response is going on."""
    endpoint = next(
        point for point in SPEC.endpoints if ".realtime:Realtime" in point.target and point.session
    )
    url = SimpleNamespace(host="localhost", port=1, scheme="http")
    client = SimpleNamespace(base_url=url, _base_url=url)
    manager = SimpleNamespace(__client=client, __model="gpt-realtime")
    connection = _Connection(socket)
    assert endpoint.session is not None
    opened = opening(SPEC, endpoint, endpoint.session)(lambda: connection, manager, (), {})
    _kept.append(opened)
    _say(socket, {"type": "session.created", "session": {"id": "s"}})
    _say(socket, {"type": "response.created", "response": {"id": "r"}})


_kept: list[Any] = []


def _say(socket: _Socket, message: dict[str, Any]) -> None:
    socket.message = json.dumps(message).encode()
    socket.recv()


def _cost(socket: _Socket, message: dict[str, Any]) -> float:
    """Bytecodes per message; what the socket itself takes is counted, too, and next to nothing."""
    _say(socket, message)
    tally = Tally()

    def run(calls: int) -> None:
        receive: Callable[[], bytes] = socket.recv
        for _ in range(calls):
            receive()

    tally.run(run, 100)
    return tally.bytecodes / 100


def count() -> dict[str, float]:
    """Bytecodes per message of each kind, counted in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        env=subjects.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    subjects.set_up("genai_otel")
    watched = _Socket()
    _connected(watched)
    print(json.dumps({name: _cost(watched, message) for name, message in MESSAGES.items()}))
