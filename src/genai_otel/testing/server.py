"""A local model server for tests, dashboards and benchmarks: real sockets, no network, no keys.

    with ModelServer() as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="test")
        client.chat.completions.create(model="gpt-4o-mini+slow-first-500ms", messages=[...])
        assert server.requests[0].path == "/v1/chat/completions"

What the server does is asked for in the model name (`directives.py` has the table), or scripted with
`reply()`, or decided by a function given as `hook`.
"""

from __future__ import annotations

import hashlib
import itertools
import socket
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from genai_otel.testing import openai_api
from genai_otel.testing.delivery import Gone, Line, deliver
from genai_otel.testing.directives import Plan, UnknownDirective, parse
from genai_otel.testing.distort import distort
from genai_otel.testing.job import Job
from genai_otel.testing.wire import Event, Reply, Request

Hook = Callable[[Request], "Reply | None"]

_FORMATS = (openai_api,)  # a further vendor is one more module with the same three functions


@dataclass(frozen=True)
class _Script:
    """A scripted answer: a finished reply, or a text that the wire format of the request renders."""

    reply: Reply | None
    text: str | None
    plan: Plan


class ModelServer:
    """An HTTP server on `host`:`port` (0: any free port) that answers like a model vendor.

    `hook` is asked first, with each request; a `Reply` from it is sent, None means the normal answer.
    `keep` is the number of requests that the log holds (the last ones).
    """

    def __init__(
        self, hook: Hook | None = None, *, host: str = "127.0.0.1", port: int = 0, keep: int = 10_000
    ) -> None:
        self._hook = hook
        self._log: deque[Request] = deque(maxlen=keep)
        self._scripts: deque[_Script] = deque()
        self._attempts: Counter[bytes] = Counter()
        self._ids = itertools.count(1)
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """The server's root, for clients that add the version themselves."""
        return f"http://{self._server.server_address[0]}:{self.port}"

    @property
    def base_url(self) -> str:
        """What OpenAI clients want: with `/v1`."""
        return self.url + "/v1"

    @property
    def requests(self) -> list[Request]:
        """The requests so far, oldest first."""
        return list(self._log)

    def clear(self) -> None:
        """Forget the requests, the scripted answers and the attempts counted so far."""
        self._log.clear()
        self._scripts.clear()
        self._attempts.clear()

    def reply(
        self,
        answer: str | Mapping[str, object] | Reply | None = None,
        *,
        events: Iterable[object] | None = None,
        status: int = 200,
        directives: str = "",
    ) -> None:
        """Script the answer to the next request that has none yet; call again for the one after it.

        `answer` is the model's text, a JSON body, or a `Reply`; `events` is a stream, each element a JSON
        value or an `Event`. `directives` are those of a model name: `"slow-first-500ms+length"`.
        """
        _, plan = parse("+" + directives if directives else "")
        if events is not None:
            stream = [event if isinstance(event, Event) else Event(event) for event in events]
            answer = Reply(status=status, events=stream)
        elif isinstance(answer, Mapping):
            answer = Reply(dict(answer), status=status)
        elif status != 200:
            _, plan = parse("+".join(["", f"error-{status}", *filter(None, [directives])]))
        text = answer if isinstance(answer, str) else None
        self._scripts.append(_Script(answer if isinstance(answer, Reply) else None, text, plan))

    def start(self) -> ModelServer:
        if self._thread is None:
            serve = self._server.serve_forever
            self._thread = threading.Thread(target=serve, args=(0.05,), name="model-server", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close every open connection. The request log stays readable."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.disconnect()

    def wait(self) -> None:
        """Block until the server is stopped."""
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> ModelServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, request: Request) -> tuple[Reply, Plan]:
        """Decide what goes back, and how. Called in the connection's thread."""
        if self._hook is not None and (reply := self._hook(request)) is not None:
            return reply, Plan()
        script = self._next_script()
        if script is not None and script.reply is not None:
            return distort(script.reply, script.plan), script.plan
        format = next((format for format in _FORMATS if format.serves(request)), None)
        if format is None:
            return openai_api.error(request, 404, Plan(), f"Invalid URL ({request.method} {request.route})"), Plan()
        try:
            asked = format.model(request)
            model, plan = parse(asked)
        except UnknownDirective as unknown:
            return format.error(request, 400, Plan(), str(unknown)), Plan()
        text = None
        if script is not None:
            plan, text = script.plan, script.text
        status = self._failure(request, plan)
        if status is not None:
            return distort(format.error(request, status, plan), plan), plan
        return distort(format.answer(Job(request, model, asked, plan, text)), plan), plan

    def log(self, request: Request) -> str:
        """Note the request; returns its id."""
        self._log.append(request)
        return f"req_{next(self._ids):032x}"

    def _next_script(self) -> _Script | None:
        try:
            return self._scripts.popleft()
        except IndexError:
            return None

    def _failure(self, request: Request, plan: Plan) -> int | None:
        if plan.fail is None:
            return plan.error
        return (plan.error or 429) if self._attempt(request) < plan.fail else None

    def _attempt(self, request: Request) -> int:
        """How often this request was made before: some clients say it, of others equal requests are counted."""
        said = request.headers.get("x-stainless-retry-count")
        if said is not None:
            return int(said)
        key = hashlib.sha256(request.path.encode() + request.body).digest()
        self._attempts[key] += 1
        return self._attempts[key] - 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: ModelServer) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks up the host's name: that can take seconds where no name server answers.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def disconnect(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive; the reply itself is sent by `deliver`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  narrower than the base's BaseServer

    def do_POST(self) -> None:
        owner = self.server.owner
        request = Request(self.command, self.path, self.headers, self._body())
        identity = owner.log(request)
        try:
            reply, plan = owner.answer(request)
            head = self._head(reply, identity)
            self.close_connection |= not deliver(reply, plan, Line(self.connection), head)
        except Gone:
            request.disconnected = True
            self.close_connection = True
        finally:
            request.done.set()

    do_GET = do_DELETE = do_POST

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
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the request log is `ModelServer.requests`."""
