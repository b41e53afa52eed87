"""The Collector by itself, with the bundled fragments as they stand; what is behind it are sinks of the test's."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from programs.launcher import programs

from tests.harness.patience import eventually
from tests.harness.process import ROOT, Process

CONFIG: Final = ROOT / "collector-config" / "otelcol"
FRAGMENTS: Final = tuple(sorted(CONFIG.glob("[0-9]*.yaml")))
PRODUCTION: Final = CONFIG / "production"
_ADDRESSES: Final = ("OTELCOL_GRPC", "OTELCOL_HTTP", "OTELCOL_HEALTH", "JAEGER_OTLP")


def free_port() -> int:
    """A port that nobody listens on, just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def program(name: str = "otelcol") -> str:
    """The path of a program of the stack, which is built if it has to be."""
    programs.build([name])
    return str(programs.binary(name))


def options(fragments: Sequence[Path]) -> list[str]:
    """The command line that layers fragments."""
    return [f"--config={fragment}" for fragment in fragments]


class Collector:
    """One Collector and its state, which outlives the process.

    Back ends that are not named listen nowhere.  ``more`` are fragments that are layered on the bundled ones.
    """

    def __init__(
        self,
        state: Path,
        *more: Path,
        fragments: Sequence[Path] = FRAGMENTS,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [program(), *options((*fragments, *more))]
        self.env: Mapping[str, str] = {
            **{name: f"127.0.0.1:{free_port()}" for name in _ADDRESSES},
            "OTELCOL_METRICS_PORT": str(free_port()),
            "OTELCOL_STATE": str(state),
            "PROMETHEUS_URL": f"http://127.0.0.1:{free_port()}",
            "LOKI_URL": f"http://127.0.0.1:{free_port()}",
            **(env or {}),
        }
        self.process: Process | None = None

    @property
    def endpoint(self) -> str:
        """Where OTLP over HTTP is sent."""
        return f"http://{self.env['OTELCOL_HTTP']}"

    def start(self) -> Collector:
        """Start it and wait until it is ready."""
        self.process = Process(self._command, env=self.env)
        eventually(self._is_ready, timeout=30, every=0.1)
        return self

    def kill(self) -> None:
        """Take it away as the kernel does, with no chance to put anything in order."""
        if self.process is not None:
            self.process.kill()

    def says(self, metric: str) -> dict[str, float]:
        """What it says of itself: value by labels."""
        port = self.env["OTELCOL_METRICS_PORT"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = [line.rpartition(" ") for line in answer.read().decode().splitlines()]
        return {name: float(value) for name, _, value in lines if name.partition("{")[0] == metric}

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.is_alive(), self.process.err
        try:
            with urllib.request.urlopen(f"http://{self.env['OTELCOL_HEALTH']}/", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def __enter__(self) -> Collector:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
