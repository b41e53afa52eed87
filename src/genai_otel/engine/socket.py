"""Looks at the messages that go over a WebSocket, on which two methods are replaced as long as somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

Look = Callable[[Any], None]


def watch_messages(socket: Any, sent: Look, received: Look, broke: Callable[[Exception], None]) -> None:
    """Tell ``sent`` of each message before it goes, ``received`` of each that came, ``broke`` of what was raised."""
    watching = _AsyncWatching if iscoroutinefunction(socket.recv) else _Watching
    methods = watching(socket, sent, received, broke)
    socket.recv, socket.send = methods.recv, methods.send


def unwatch_messages(socket: Any) -> None:
    """Give the socket its own methods back."""
    for name in ("recv", "send"):
        socket.__dict__.pop(name, None)


class _Watching:
    def __init__(self, socket: Any, sent: Look, received: Look, broke: Callable[[Exception], None]) -> None:
        self._receive = socket.recv
        self._send = socket.send
        self._sent = sent
        self._received = received
        self._broke = broke

    def recv(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        try:
            message = self._receive(*args, **kwargs)
        except Exception as error:
            self._broke(error)
            raise
        self._received(message)
        return message

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        self._sent(next(iter((*args, *kwargs.values())), None))
        try:
            return self._send(*args, **kwargs)
        except Exception as error:
            self._broke(error)
            raise


class _AsyncWatching(_Watching):
    async def recv(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        try:
            message = await self._receive(*args, **kwargs)
        except Exception as error:
            self._broke(error)
            raise
        self._received(message)
        return message

    async def send(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        self._sent(next(iter((*args, *kwargs.values())), None))
        try:
            return await self._send(*args, **kwargs)
        except Exception as error:
            self._broke(error)
            raise
