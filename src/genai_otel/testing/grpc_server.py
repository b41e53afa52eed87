"""gRPC on the model server's own port: a connection that begins as HTTP/2 is carried to a server of gRPC's behind it.

A call arrives as a `Request` whose `json` is the message in its JSON form, and the `Reply` becomes messages again, so
wire formats, scripts, hooks and directives are the same as over HTTP.  What the messages are, the client library's own
generated modules say.  Nothing here knows a vendor.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from email.message import Message
from functools import cached_property
from importlib import import_module
from itertools import islice
from typing import Any, Final, cast

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory

from genai_otel.testing.delivery import FOREVER, Gone
from genai_otel.testing.directives import Plan
from genai_otel.testing.wire import STATUS, Reply, Request, mapping, string

_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    499: grpc.StatusCode.CANCELLED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
# Field 1000 of a message, a text of one byte: what no client knows.
_UNKNOWN: Final = b"\xc2\x3e\x01x"
_POLL: Final = 0.01  # seconds after which a client that went away is noticed
_SLOW_PIECES: Final = 8

Respond = Callable[[Request], tuple[Reply, Plan]]


class _Rpc(Request):
    """A call as the model server sees it: `body` is the message as it came, `json` what it says."""

    message: Any = None

    @cached_property
    def json(self) -> object:
        """The message's fields by their names; what has no value is left out."""
        return json_format.MessageToDict(self.message, preserving_proto_field_name=True)


class GrpcServer:
    """Serves the services in `protos`: their package, as in `xai_api.Chat`, and the module that has its messages."""

    def __init__(self, log: Callable[[Request], str], respond: Respond, protos: Mapping[str, str]) -> None:
        self.log = log
        self.respond = respond
        self._protos = protos
        self._clients: dict[int, socket.socket] = {}
        handlers = [_handler_of(self._handler)]
        self._server: Any = grpc.server(_Threads(), handlers, options=[("grpc.so_reuseport", 0)])  # pyright: ignore[reportUnknownMemberType, reportArgumentType] - untyped, and any executor will do
        self._port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self) -> None:
        """End every call that is still going on."""
        self._server.stop(None).wait()

    def carry(self, client: socket.socket, said: bytes) -> None:
        """Pass on what a client says, `said` first, and what it is told, until either side closes."""
        with socket.create_connection(("127.0.0.1", self._port)) as inner:
            port = inner.getsockname()[1]
            self._clients[port] = client
            with contextlib.suppress(OSError, ValueError):  # one of them is gone already
                inner.sendall(said)
                _exchange(client, inner)
            del self._clients[port]
        client.close()

    def reset(self, peer: str) -> None:
        """End the connection of a caller, as gRPC names it, with a TCP reset."""
        client = self._clients[int(peer.rpartition(":")[2])]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.shutdown(socket.SHUT_RD)  # which `carry` sees, and closes it

    def _handler(self, details: Any) -> Any:
        service, _, name = str(details.method).removeprefix("/").rpartition("/")
        try:
            import_module(self._protos[service.partition(".")[0]])
            pool: Any = descriptor_pool.Default()  # pyright: ignore[reportUnknownMemberType] - untyped
            method = pool.FindMethodByName(f"{service}.{name}")
        except KeyError:
            return None
        kind: Any = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else (grpc.unary_unary_rpc_method_handler)
        )

        def serve(body: bytes, context: Any) -> Any:
            answer = _Answer(self, method, _request(details, method, body), context)
            return answer.stream() if method.server_streaming else answer.whole()

        return kind(serve)


def _request(details: Any, method: Any, body: bytes) -> _Rpc:
    headers = Message()
    for name, value in details.invocation_metadata:
        headers[name] = value
    request = _Rpc("POST", details.method, headers, body)
    request.message = _class_of(method.input_type).FromString(body)
    return request


def _class_of(descriptor: Any) -> Any:
    return message_factory.GetMessageClass(descriptor)


class _Answer:
    """One call on its way: late, cut or failing where the plan says so."""

    def __init__(self, server: GrpcServer, method: Any, request: _Rpc, context: Any) -> None:
        self._server = server
        self._type = method.output_type
        self._request = request
        self._context = context
        self._sent = False
        context.add_callback(self._over)
        context.set_trailing_metadata((("x-request-id", server.log(request)),))

    def whole(self) -> bytes:
        """The one message."""
        try:
            reply, plan = self._begun()
            if plan.cut_after is not None:
                self._reset()
            self._wait(plan.slow_body * _SLOW_PIECES)
            return self._message(reply.payload, last=True)
        except Gone:
            return b""

    def stream(self) -> Iterator[bytes]:
        """Message by message."""
        try:
            reply, plan = self._begun()
            limits = [limit for limit in (plan.cut_after, plan.hang_after) if limit is not None]
            for number, event in enumerate(islice(reply.events or (), min(limits, default=None))):
                if number:
                    self._wait(plan.slow_chunk)
                if event.name == STATUS:
                    raise self._failed(event.data)
                yield self._message(event.data)
            if plan.hang_after is not None:
                self._wait(FOREVER)
            if plan.cut_after is not None:
                time.sleep(0.2)  # a reset overtakes unread data: let the client have what it is promised
                self._reset()
            self._sent = True
        except Gone:
            return

    def _begun(self) -> tuple[Reply, Plan]:
        reply, plan = self._server.respond(self._request)
        if plan.hang:
            self._wait(FOREVER)
        if plan.reset:
            self._reset()
        self._wait(plan.slow_first)
        if reply.status >= 400:
            raise self._failed({"status": reply.status, **mapping(reply.payload)})
        return reply, plan

    def _message(self, said: object, *, last: bool = False) -> bytes:
        """A message as bytes; what is no JSON object goes out as it is, and no client can read it."""
        if not isinstance(said, dict):
            data = said.encode() if isinstance(said, str) else said if isinstance(said, bytes) else b""
        else:
            try:
                message = json_format.ParseDict(
                    cast("dict[str, object]", said), _class_of(self._type)(), ignore_unknown_fields=True
                )
            except (json_format.ParseError, ValueError) as error:  # 2**70, half of a character
                raise self._failed({"status": 500, "message": str(error)}) from error
            data = message.SerializeToString() + _UNKNOWN * ("field_of_the_future" in said)
        self._sent = self._sent or last
        return data

    def _failed(self, error: object) -> Exception:
        """What ends the call in gRPC's eyes, which has been told why."""
        said = mapping(error)
        status = said.get("status")
        code = _CODES.get(status if isinstance(status, int) else 500, grpc.StatusCode.UNKNOWN)
        self._sent = True
        try:
            self._context.abort(code, string(said.get("message")))
        except Exception as ends:  # noqa: BLE001 - it is no more than that
            return ends
        return Gone("the client gave up")

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self._context.is_active():
                raise Gone("the client gave up")
            time.sleep(min(left, _POLL))

    def _reset(self) -> None:
        self._server.reset(self._context.peer())
        self._wait(FOREVER)

    def _over(self) -> None:
        self._request.disconnected = not self._sent
        self._request.done.set()


def _handler_of(service: Callable[[Any], Any]) -> Any:
    """What gRPC asks for the handler of each call."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            return service(handler_call_details)

    return Handler()


class _Threads(Executor):
    """A thread for each call, for many may hang; none of them keeps the process alive."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is gRPC's
                future.set_exception(error)

        threading.Thread(target=run, name="grpc-call", daemon=True).start()
        return future


def _exchange(one: socket.socket, other: socket.socket) -> None:
    ways = {one: other, other: one}
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            ways[ready].sendall(data)
