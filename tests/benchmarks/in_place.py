"""Answers without a socket: what stands below the HTTP libraries of the clients is the model server, in this process.

The same request gets the same bytes each time, made once, so that whoever counts counts the client and not its server.
A stream comes in as many pieces as it has events.
"""

from __future__ import annotations

import asyncio
import functools
import http.client
import io
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from genai_otel.testing import ModelServer
from genai_otel.testing.wire import Request

URL = "http://127.0.0.1:11434/v1"
"""Where the clients believe their vendor to be; nobody is there."""


class Said(NamedTuple):
    """A whole answer."""

    status: int
    headers: dict[str, str]
    pieces: tuple[bytes, ...]


@functools.cache
def _server() -> ModelServer:
    return ModelServer()


_known: dict[tuple[str, str, bytes], Said] = {}


def said(method: str, url: str, headers: Any, body: bytes | None) -> Said:
    """What the model server answers."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    key = (method, path, body or b"")
    return _known.get(key) or _known.setdefault(
        key, _made(Request(method, path, _message(headers), body or b""))
    )


def _message(headers: Any) -> Message:
    message = Message()
    for name, value in headers.items():
        message[name] = value.decode() if isinstance(value, bytes) else str(value)
    return message


def _made(request: Request) -> Said:
    reply, _ = _server().respond(request)
    pieces = (reply.content(),) if reply.events is None else tuple(map(reply.framing, reply.events))
    headers = {"content-type": reply.media_type, "x-request-id": "req_1", **reply.headers}
    return Said(reply.status, headers, pieces)


def _http(found: Said) -> bytes:
    """An answer as it goes over the wire."""
    headers = {**found.headers, "transfer-encoding": "chunked"}
    head = [f"HTTP/1.1 {found.status} OK", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*found.pieces, b"")]
    return "\r\n".join(head).encode() + b"".join(pieces)


# --- httpx, and what has its form -----------------------------------------------------------------


def _httpx(library: Any) -> None:
    class Pieces(library.SyncByteStream, library.AsyncByteStream):
        def __init__(self, pieces: tuple[bytes, ...]) -> None:
            self._pieces = pieces

        def __iter__(self) -> Iterator[bytes]:
            return iter(self._pieces)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in self._pieces:
                yield piece

    def answer(request: Any, body: bytes) -> Any:
        found = said(request.method, str(request.url), request.headers, body)
        return library.Response(found.status, headers=found.headers, stream=Pieces(found.pieces))

    def handle(_: Any, request: Any) -> Any:
        return answer(request, request.read())

    async def handle_later(_: Any, request: Any) -> Any:
        return answer(request, await request.aread())

    library.HTTPTransport.handle_request = handle
    library.AsyncHTTPTransport.handle_async_request = handle_later


# --- urllib3, as requests and botocore use it -----------------------------------------------------


class _Socket:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _urllib3(found: Said) -> Any:
    import urllib3

    raw = http.client.HTTPResponse(cast("Any", _Socket(_http(found))))
    raw.begin()
    return urllib3.HTTPResponse(
        cast("Any", raw), dict(raw.headers), raw.status, preload_content=False, decode_content=False
    )


def _requests(library: Any) -> None:
    def send(self: Any, request: Any, **_: Any) -> Any:
        return self.build_response(
            request, _urllib3(said(request.method, request.url, request.headers, request.body))
        )

    library.adapters.HTTPAdapter.send = send


def _botocore(library: Any) -> None:
    from botocore.awsrequest import AWSResponse

    def send(_: Any, request: Any) -> Any:
        raw = _urllib3(said(request.method, request.url, request.headers, request.body))
        answer = AWSResponse(request.url, raw.status, raw.headers, raw)
        if not request.stream_output:
            answer.content  # noqa: B018 - as the client's own reads it
        return answer

    library.URLLib3Session.send = send


# --- aiohttp ---------------------------------------------------------------------------------------


class _Connection(asyncio.Transport):
    """The server's end of a connection that is none."""

    def __init__(self, client: Any) -> None:
        super().__init__({"peername": ("127.0.0.1", 0)})
        self._client = client
        self._sent = b""
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._sent += data
        head, found, body = self._sent.partition(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        headers = BytesHeaderParser().parsebytes(rest)
        if found and len(body) >= int(headers.get("content-length", 0)):
            self._sent = b""
            method, path, _ = line.decode().split(" ")
            told = _http(said(method, path, headers, body))
            asyncio.get_running_loop().call_soon(self._client.data_received, told)

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Closing a session waits until its connections say that they are closed."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._client.connection_lost, None)

    abort = close


def _aiohttp(library: Any) -> None:
    async def create(self: Any, *_: Any) -> Any:
        client = self._factory()
        client.connection_made(_Connection(client))
        return client

    library.TCPConnector._create_connection = create


_LIBRARIES: dict[str, Callable[[Any], None]] = {
    "httpx": _httpx,
    "httpx2": _httpx,
    "requests": _requests,
    "botocore.httpsession": _botocore,
    "aiohttp": _aiohttp,
}


@functools.cache
def everywhere() -> None:
    """Put the model server below every HTTP library that is installed."""
    for name, put in _LIBRARIES.items():
        if find_spec(name.partition(".")[0]):
            put(import_module(name))
