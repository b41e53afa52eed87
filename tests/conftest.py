"""What holds for every test: our errors are fatal, the shell's settings are invisible, nothing leaves the machine."""

import ipaddress
import os
import signal
import socket
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.seeds.rows import unknown

# Before genai_otel or the SDK is imported: both read the environment then.
for name in [
    name for name in os.environ if name.startswith(("OTEL_", "GENAI_OTEL_", "OPENAI_", "ANTHROPIC_"))
]:
    del os.environ[name]
os.environ["GENAI_OTEL_STRICT"] = "1"

pytest_plugins = ["tests.harness.fixtures"]


def is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):  # a path: sockets of the file system
        return True
    host = str(address[0])  # pyright: ignore[reportUnknownArgumentType] - what the caller passes is its own affair
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """A test that would talk to the world fails at once instead of hanging where there is no network."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any, /) -> None:
        if not is_loopback(address):
            pytest.fail(f"a test connects to {address!r}, which is not this machine")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


def pytest_configure() -> None:
    """A shell's background job ignores Ctrl-C, and so would every program that the tests start there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs other packages than the rest is chosen by name, `-m rivals`: then it fails without them."""
    chosen = str(config.getoption("markexpr"))
    for name in {"rivals", "frameworks", "prices", "real_nvml", "stack"} - set(chosen.split()):
        others = [item for item in items if item.get_closest_marker(name)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    for item in items:
        for mark in item.iter_markers("seed_rows"):
            if not mark.args or unknown(mark.args):
                raise pytest.UsageError(f"{item.nodeid}: no rows of a seed: {unknown(mark.args)}")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Log lines with lone surrogates are what some tests are about; between the workers only UTF-8 travels."""
    data = yield
    if data:
        data["sections"] = [
            (name, text.encode(errors="replace").decode()) for name, text in data.get("sections", ())
        ]
    return data
