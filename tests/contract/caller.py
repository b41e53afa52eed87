"""A client, sync or async, behind one vocabulary, so that each behaviour is tested by one text for both."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager, closing
from typing import Any, Protocol, cast

import pytest

from tests.contract.payload import Case, Payload
from tests.harness.calls import read, read_async

_END = object()


async def settled(value: Any) -> Any:
    """What an async client's method leads to, or what a sync one's gave."""
    return await value if inspect.isawaitable(value) else value


def some_error() -> pytest.RaisesExc[Exception]:
    """Expect an exception of whatever class the client has for it."""
    return pytest.raises(Exception)  # noqa: PT011 - see above


def _closes(stream: Any) -> bool:
    return hasattr(stream, "close") or hasattr(stream, "aclose")


class Served(Protocol):
    """A model server, or what looks like one."""

    @property
    def base_url(self) -> str: ...


class Caller:
    """Calls ``payload``'s client.  ``directives`` of a call are those of the model server, ``+`` between them."""

    def __init__(self, payload: Payload, server: Served, *, asynchronous: bool, **options: Any) -> None:
        if asynchronous not in payload.forms:
            pytest.skip(f"{payload.client} has no such client")
        self.payload = payload
        self.asynchronous = asynchronous
        self.server = server
        self.client = payload.make(server.base_url, asynchronous, **options)

    def model(self, directives: str = "") -> str:
        return f"{self.payload.model}+{directives}" if directives else self.payload.model

    def limit(self, seconds: float) -> Mapping[str, Any]:
        """Limit calls to some seconds: the extra arguments, none where it is the client's to know."""
        if self.payload.limit is None:
            return self.payload.timeout(seconds)
        self.payload.limit(self.client, seconds)
        return {}

    async def call(self, case: Case, directives: str = "", *, via: str = "", **extra: Any) -> Any:
        return await settled(case.call(self.client, self.model(directives), via=via, **extra))

    async def stream(self, case: Case, directives: str = "", *, via: str = "", **extra: Any) -> Any:
        return await settled(case.stream(self.client, self.model(directives), via=via, **extra))

    def help(self, case: Case, directives: str = "", **extra: Any) -> Any:
        return case.help(self.client, self.model(directives), **extra)

    async def read(self, stream: Any) -> tuple[list[Any], Exception | None]:
        """All that comes, and the exception that ended it."""
        return await read_async(stream) if self.asynchronous else read(stream)

    async def take(self, stream: Any, count: int) -> list[Any]:
        """The next ``count`` elements, fewer when it ends."""
        seen: list[Any] = []
        kind = cast("Any", type(stream))
        if inspect.isasyncgenfunction(getattr(kind, "__anext__", None)):
            stream = aiter(stream)  # a client's misunderstanding: `async for` works all the same
        elif not self.asynchronous:
            stream = stream if hasattr(stream, "__next__") else iter(stream)
        for _ in range(count):
            element = await anext(stream, _END) if self.asynchronous else next(stream, _END)
            if element is _END:
                break
            seen.append(element)
        return seen

    @asynccontextmanager
    async def entered(self, manager: Any) -> AsyncGenerator[Any]:
        """``with``, or ``async with``: whichever the manager has; a generator is closed as the library closes one."""
        if hasattr(manager, "__aenter__") or hasattr(manager, "aclose"):
            async with manager if hasattr(manager, "__aenter__") else aclosing(manager) as value:
                yield value
        elif not hasattr(manager, "__enter__") and not _closes(manager):
            yield manager
        else:
            with manager if hasattr(manager, "__enter__") else closing(manager) as value:
                yield value

    async def leave(self, stream: Any) -> None:
        """Close a stream early, by whichever method it has; nothing where it has none."""
        if not _closes(stream) and not hasattr(stream, "response"):
            return
        if not _closes(stream):  # it knows only ``with``
            await settled(stream.response.aclose() if self.asynchronous else stream.response.close())
            return
        await settled(stream.aclose() if hasattr(stream, "aclose") else stream.close())

    async def close(self) -> None:
        close = getattr(self.client, "close", None) or getattr(self.client, "aclose", None)
        if close is not None:
            await settled(close())
