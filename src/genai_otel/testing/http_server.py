"""A threaded HTTP/1.1 server whose answers may come late, in pieces, or not at all. It knows no vendor.

gRPC is served on the same port: see `grpc_server.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from genai_otel.testing.delivery import Gone, Line, deliver
from genai_otel.testing.directives import Plan
from genai_otel.testing.websocket import Conversation, Dialogue, upgrades
from genai_otel.testing.wire import Reply, Request

if TYPE_CHECKING:
    from genai_otel.testing.grpc_server import GrpcServer

_Self = TypeVar("_Self", bound="HttpServer")
_POLL = 0.05  # seconds after which a stopping server is noticed
_HTTP2 = b"PRI"  # no method of HTTP/1.1, and how every connection of HTTP/2 begins


class HttpServer(ABC):
    """Listens on `host`:`port` (0: any free port, reserved at once); `keep` last requests are in the log."""

    protos: Mapping[str, str] = {}
    """Services of gRPC by their package, and the modules of client libraries that have their messages."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, keep: int = 10_000) -> None:
        self._log: deque[Request] = deque(maxlen=keep)
        self._ids = itertools.count(1)
        self._listener = _Listener((host, port), self)
        self._address: tuple[str, int] = self._listener.socket.getsockname()[:2]
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._grpc: GrpcServer | None = None

    @abstractmethod
    def respond(self, request: Request) -> tuple[Reply, Plan]:
        """Decide what goes back, and how. Called in the connection's thread."""

    def converse(self, request: Request) -> Dialogue | None:
        """Decide what is said over a WebSocket; None where it is refused by what `respond` gives."""
        del request
        return None

    @property
    def port(self) -> int:
        return self._address[1]

    @property
    def url(self) -> str:
        """The server's root, without a slash at the end."""
        return f"http://{self._address[0]}:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """The requests so far, oldest first."""
        return list(self._log)

    def start(self: _Self) -> _Self:
        """Listen and answer. After `stop()` the same port is taken again. Raises OSError where it is taken."""
        if self._thread is None:
            if self._listener.socket.fileno() < 0:
                self._listener = _Listener(self._address, self)
            self._listener.server_activate()
            serve = self._listener.serve_forever
            self._thread = threading.Thread(target=serve, args=(_POLL,), name="http-server", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close every open connection. The request log stays readable."""
        if self._thread is not None:
            self._listener.shutdown()
            self._thread.join()
            self._thread = None
        self._listener.server_close()
        self._listener.disconnect()
        if self._grpc is not None:
            self._grpc.stop()
            self._grpc = None

    def wait(self) -> None:
        """Block until the server is stopped."""
        if self._thread is not None:
            self._thread.join()

    def log(self, request: Request) -> str:
        """Note the request; returns the id that it gets."""
        self._log.append(request)
        return f"req_{next(self._ids):032x}"

    def speak_grpc(self, client: socket.socket, said: bytes) -> None:
        """Serve a connection that begins as gRPC's do, with `said`, until it ends."""
        with self._starting:
            if self._grpc is None:
                from genai_otel.testing.grpc_server import GrpcServer  # which few need

                self._grpc = GrpcServer(self.log, self.respond, self.protos)
        self._grpc.carry(client, said)

    def __enter__(self: _Self) -> _Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: HttpServer) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler, bind_and_activate=False)
        self.server_bind()

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks up the host's name: that takes seconds where no name server answers.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def disconnect(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # clients that vanish are part of the tests
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive; the reply itself is sent by `deliver`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rfile: BufferedReader  # pyright: ignore[reportIncompatibleVariableOverride] - what it is with `rbufsize` as it is
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride] - the base says BaseServer

    def handle_one_request(self) -> None:
        if self.server.owner.protos and self.rfile.peek(3)[:3] == _HTTP2:
            self.close_connection = True
            self.server.owner.speak_grpc(self.connection, self.rfile.read1())
        else:
            super().handle_one_request()

    def do_CONNECT(self) -> None:
        """A client that has this server for its proxy: whoever it wants to reach is here."""
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.close_connection = False

    def do_POST(self) -> None:
        owner = self.server.owner
        request = Request(self.command, self.path, self.headers, self._body())
        identity = owner.log(request)
        try:
            if upgrades(request) and (dialogue := owner.converse(request)) is not None:
                self.close_connection = True
                Conversation(self.connection, request, dialogue).run()
                return
            reply, plan = owner.respond(request)
            usable = deliver(reply, plan, Line(self.connection), self._head(reply, identity))
            self.close_connection = self.close_connection or not usable
        except Gone:
            request.disconnected = True
            self.close_connection = True
        finally:
            request.done.set()

    do_GET = do_DELETE = do_POST  # noqa: N815 - the names that the base class looks for

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

    def _head(self, reply: Reply, identity: str) -> bytes:
        """Status line and headers in one piece: they leave in one packet with the body."""
        phrase = self.responses.get(reply.status, ("",))[0]
        headers = {"Content-Type": reply.media_type, "x-request-id": identity, **reply.headers}
        if reply.events is not None:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(reply.content()))
        lines = [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([f"HTTP/1.1 {reply.status} {phrase}", *lines, "", ""]).encode("latin-1")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Silent: the request log is `HttpServer.requests`."""
