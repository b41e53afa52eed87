"""Asking an address: the answers that tell a Collector from a firewall, and what is never sent."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from genai_otel.cli.probe import Address, Probe, ask
from tests.harness.sink import GrpcSink, HttpSink


def http(address: Address) -> Probe:
    return ask({"it": address})["it"]


def grpc(address: Address) -> Probe:
    return ask({"it": address}, grpc={"it"})["it"]


def address_of(sink: HttpSink | GrpcSink, path: str = "/") -> Address:
    address = Address.of(sink.endpoint + path)
    assert address is not None
    return address


@contextlib.contextmanager
def listening(answer: bytes = b"", context: ssl.SSLContext | None = None) -> Generator[Address]:
    """Takes connections, answers with the same bytes whatever comes, or with nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                with contextlib.suppress(OSError):
                    if context:
                        held[-1] = connection = context.wrap_socket(connection, server_side=True)
                    connection.recv(1000)
                    connection.sendall(answer)

        held: list[socket.socket] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Address("127.0.0.1", listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in held:
            connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, made, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", made], check=True, capture_output=True)
    both.write_text(key.read_text() + made.read_text())
    return both


def test_a_receiver_answers(sink: HttpSink, grpc_sink: GrpcSink) -> None:
    assert http(address_of(sink, "/v1/traces")) == Probe("answers", "200")
    assert grpc(address_of(grpc_sink)) == Probe("answers")


def test_nothing_of_the_user_is_sent(sink: HttpSink) -> None:
    http(address_of(sink, "/v1/traces"))
    assert b"authorization" not in sink.everything().lower()
    assert sink.spans() == []


def test_nobody_listens() -> None:
    address = Address("127.0.0.1", free_port())
    assert http(address) == grpc(address) == Probe("refused")


def test_somebody_takes_the_connection_and_says_nothing() -> None:
    with listening() as address:
        start = time.monotonic()
        assert http(address) == grpc(address) == Probe("silent")
        assert time.monotonic() - start < 6


def test_many_silent_ones_take_no_longer_than_one() -> None:
    with listening() as address:
        start = time.monotonic()
        found = ask(dict.fromkeys(range(6), address))
        assert set(found.values()) == {Probe("silent")}
        assert time.monotonic() - start < 4


def test_the_other_protocol_is_recognised(sink: HttpSink, grpc_sink: GrpcSink) -> None:
    assert http(address_of(grpc_sink)).answer == "other protocol"
    assert grpc(address_of(sink)).answer == "other protocol"


def test_an_unknown_host() -> None:
    assert http(Address("no-such-host.invalid", 4318)).answer in ("unknown host", "silent")


def test_tls_where_there_is_none(sink: HttpSink) -> None:
    found = http(address_of(sink)._replace(tls=True))
    assert found.answer == "no TLS"
    assert found.detail


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_a_certificate_that_nobody_trusts_and_the_same_one_named(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with listening(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n", context) as address:
        strange = http(address._replace(tls=True))
        assert strange.answer == "no TLS"
        assert "self" in strange.detail
        assert http(address._replace(tls=True, authority=str(certificate))) == Probe("answers", "405")


def test_a_certificate_file_that_is_not_there(sink: HttpSink) -> None:
    found = http(address_of(sink)._replace(tls=True, authority="no/such/file"))
    assert found == Probe("unreachable", "No such file or directory")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://localhost:4318/v1/traces", Address("localhost", 4318, "/v1/traces")),
        ("https://otel.example.com", Address("otel.example.com", 443, "/", tls=True)),
        ("localhost:4317", Address("localhost", 4317)),
        ("http://[::1]:4318", Address("::1", 4318)),
        ("http://", None),
        ("http://host:port", None),
    ],
)
def test_addresses_are_read_from_what_the_variables_hold(text: str, address: Address | None) -> None:
    assert Address.of(text) == address
