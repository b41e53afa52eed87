"""Ask whether an address answers, without sending anything but a question: no credentials, no telemetry.

A backend that takes connections and says nothing is told from one that refuses, and one that speaks the other of the
two OTLP protocols from one that is no OTLP endpoint at all.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Collection, Hashable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Answer = Literal["answers", "refused", "silent", "unknown host", "unreachable", "no TLS", "other protocol"]
TIMEOUT = 1.0
# The start of every HTTP/2 connection and an empty SETTINGS frame; a gRPC server answers with SETTINGS of its own.
_HTTP2_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_SETTINGS_FRAME = 4


class Probe(NamedTuple):
    """What an address said; ``detail`` is an HTTP status, a reason or empty."""

    answer: Answer
    detail: str = ""


class Address(NamedTuple):
    """Where to knock; ``authority`` is a file of certificates that TLS trusts, None for the system's."""

    host: str
    port: int
    path: str = "/"
    tls: bool = False
    authority: str | None = None

    @classmethod
    def of(cls, url: str, *, authority: str | None = None) -> Address | None:
        """The address in a URL, or in ``host:port``; None where there is none."""
        try:
            parts = urlsplit(url if "://" in url else f"//{url}")
            port = parts.port
        except ValueError:
            return None
        if not parts.hostname:
            return None
        tls = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if tls else 80), parts.path or "/", tls, authority)


def ask(addresses: Mapping[Hashable, Address], *, grpc: Collection[Hashable] = ()) -> dict[Hashable, Probe]:
    """Ask all addresses at once; those whose keys are in ``grpc`` with HTTP/2, the others with a GET.

    A GET is what no OTLP endpoint takes for telemetry, and any HTTP answer shows that somebody is there.
    """
    answers: dict[Hashable, Probe] = {}

    def put(key: Hashable, address: Address) -> None:
        answers[key] = (_grpc if key in grpc else _http)(address)

    # In threads that nobody waits for at the end: looking up a host name has no time limit of its own.
    threads = [threading.Thread(target=put, args=pair, daemon=True) for pair in addresses.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2 * TIMEOUT + 0.5  # connecting and answering have a second each
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return {key: answers.get(key, Probe("silent")) for key in addresses}


def get(address: Address, limit: int = 1_000_000) -> str:
    """The body of an HTTP answer, at most ``limit`` bytes; "" where there is none in time."""
    with contextlib.suppress(OSError, HTTPException), contextlib.closing(_connection(address)) as connection:
        connection.request("GET", address.path)
        return connection.getresponse().read(limit).decode(errors="replace")
    return ""


def _http(address: Address) -> Probe:
    try:
        with contextlib.closing(_connection(address)) as connection:
            connection.connect()
            return _status(connection, address.path)
    except ssl.SSLError as error:
        return Probe("no TLS", _reason(error))
    except OSError as error:
        return _failure(error)


def _status(connection: HTTPConnection, path: str) -> Probe:
    try:
        connection.request("GET", path)
        return Probe("answers", str(connection.getresponse().status))
    except (TimeoutError, ssl.SSLError):
        raise
    except (OSError, HTTPException):
        return Probe("other protocol")


def _grpc(address: Address) -> Probe:
    try:
        with contextlib.ExitStack() as stack:
            raw = stack.enter_context(socket.create_connection((address.host, address.port), TIMEOUT))
            line = stack.enter_context(_with_tls(raw, address)) if address.tls else raw
            line.sendall(_HTTP2_HELLO)
            head = line.recv(9)
    except ssl.SSLError as error:
        return Probe("no TLS", _reason(error))
    except OSError as error:
        return _failure(error)
    return Probe("answers") if len(head) > 3 and head[3] == _SETTINGS_FRAME else Probe("other protocol")


def _connection(address: Address) -> HTTPConnection:
    if address.tls:
        return HTTPSConnection(address.host, address.port, timeout=TIMEOUT, context=_trust(address))
    return HTTPConnection(address.host, address.port, timeout=TIMEOUT)


def _trust(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.authority:
        context.load_verify_locations(address.authority)
    return context


def _with_tls(raw: socket.socket, address: Address) -> ssl.SSLSocket:
    context = _trust(address)
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(raw, server_hostname=address.host)


def _failure(error: OSError) -> Probe:
    if isinstance(error, ConnectionRefusedError):
        return Probe("refused")
    if isinstance(error, TimeoutError):
        return Probe("silent")
    if isinstance(error, socket.gaierror):
        return Probe("unknown host")
    return Probe("unreachable", error.strerror or type(error).__name__)


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", "") or error.reason or "handshake failed"
