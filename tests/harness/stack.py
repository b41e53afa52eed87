"""The real programs on free ports, started by the launcher with the shipped configs, and questions to them.

with running(folder) as stack:
    ...                                              # OTLP goes to stack.otlp_http
    assert stack.prometheus.value('sum(gen_ai_client_operation_duration_seconds_count)') == 3
    stack.kill("prometheus"); stack.up("prometheus")

Every question waits until there is an answer, so that no test sleeps for a batch, a scrape or a flush.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from tests.harness.patience import eventually

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "collector-config"
PATIENCE = 60.0
"""Seconds that data may take from the Collector to an answer: batches, decisions of the sampler, flushes."""


class Stack:
    """A running stack; its ports and its data are its own."""

    def __init__(
        self, folder: Path, config: Path, ports: Mapping[str, int], environment: Mapping[str, str]
    ) -> None:
        self.folder = folder  # data, logs, ids
        self.config = config
        self.ports = ports
        self._environment = environment
        self.otlp_http = self._url("OTLP_HTTP_PORT")
        self.otlp_grpc = self._url("OTLP_GRPC_PORT")
        self.prometheus = Prometheus(self._url("PROMETHEUS_PORT"))
        self.jaeger = Jaeger(self._url("JAEGER_PORT"))
        self.loki = Loki(self._url("LOKI_PORT"))
        self.alertmanager = Api(self._url("ALERTMANAGER_PORT"))

    def _url(self, variable: str) -> str:
        return f"http://127.0.0.1:{self.ports[variable]}"

    def up(self, *services: str) -> str:
        """Start what does not run and wait until it serves; what the launcher said."""
        return self.launcher("up", *services)

    def down(self, *services: str) -> str:
        """End services as an operator would, with time to write what they hold."""
        return self.launcher("down", *services)

    def kill(self, service: str) -> None:
        """End one at once, as the kernel does when memory is short."""
        self.signal(service, signal.SIGKILL)

    def signal(self, service: str, number: signal.Signals) -> None:
        """Send a signal to the very process: SIGSTOP makes a back end that takes connections and never answers."""
        os.kill(self.pid(service), number)

    def pid(self, service: str) -> int:
        """The process that the launcher started last for a service."""
        return cast(int, json.loads((self.folder / "running.json").read_text())[service]["pid"])

    def log(self, service: str) -> str:
        """What a program has said since it was started last."""
        return (self.folder / "logs" / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def launcher(self, command: str, *services: str) -> str:
        """Run a command of the launcher; AssertionError with what it said when it fails."""
        done = subprocess.run(
            [sys.executable, str(self.config / "stack.py"), command, *services, "--state", str(self.folder)],
            env={**os.environ, **self._environment, **{name: str(port) for name, port in self.ports.items()}},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command} {' '.join(services)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@contextlib.contextmanager
def running(
    folder: Path,
    *services: str,
    config: Path = CONFIG,
    environment: Mapping[str, str] | None = None,
) -> Generator[Stack]:
    """A stack, or only some services of it, with its data in `folder`; `environment` goes before .env."""
    stack = Stack(folder, config, free_ports(config), environment or {})
    try:
        stack.up(*services)
        yield stack
    finally:
        stack.down()


def free_ports(config: Path = CONFIG) -> dict[str, int]:
    """A free port for every variable of .env that names one."""
    lines = (config / ".env").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if line.partition("=")[0].endswith("_PORT")]
    with contextlib.ExitStack() as held:  # all at once, so that no two are the same
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: listener.getsockname()[1] for name, listener in zip(names, sockets, strict=True)}


class Api:
    """One program's HTTP interface."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str | int | float) -> Any:
        """The JSON of an answer; HTTPError and URLError as they come."""
        url = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.loads(response.read())

    def until(self, question: Callable[[], Any], timeout: float = PATIENCE) -> Any:
        """The first answer that is not empty; refusals and a program that is away count as empty."""

        def asked() -> Any:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                return question()
            return None

        return eventually(asked, timeout=timeout, every=0.2)


class Prometheus(Api):
    """Prometheus's HTTP API."""

    def query(self, promql: str, *, at: float | None = None) -> list[dict[str, Any]]:
        """What an instant query gives now, or at a time in seconds since 1970."""
        moment = {} if at is None else {"time": at}
        return cast(
            "list[dict[str, Any]]", self.get("/api/v1/query", query=promql, **moment)["data"]["result"]
        )

    def wait(self, promql: str, *, timeout: float = PATIENCE) -> list[dict[str, Any]]:
        """The series of an instant query, once there is at least one."""
        return cast("list[dict[str, Any]]", self.until(lambda: self.query(promql), timeout))

    def value(self, promql: str) -> float | None:
        """The one number of an instant query; None where there is no series."""
        found = self.query(promql)
        assert len(found) < 2, f"not one series: {found}"
        return float(found[0]["value"][1]) if found else None

    def reaches(self, promql: str, value: float, *, timeout: float = PATIENCE) -> None:
        """Wait until a query gives this number; AssertionError with the last one when it does not."""
        self.last: float | None = None

        def there() -> bool:
            self.last = self.value(promql)
            return self.last == value

        try:
            self.until(there, timeout)
        except AssertionError:
            raise AssertionError(f"{promql} is {self.last}, not {value}") from None


class Jaeger(Api):
    """Jaeger's query API."""

    def trace(self, trace_id: str, *, spans: int = 1, timeout: float = PATIENCE) -> list[dict[str, Any]]:
        """The spans of a trace, once there are at least so many."""

        def whole() -> list[dict[str, Any]]:
            found = self.get(f"/api/traces/{trace_id}")["data"]
            return found[0]["spans"] if found and len(found[0]["spans"]) >= spans else []

        return cast("list[dict[str, Any]]", self.until(whole, timeout))

    def traces(self, service: str, *, timeout: float = PATIENCE, **query: str) -> list[dict[str, Any]]:
        """The traces of a service, once there is at least one; `query` as in its API: operation, tags."""

        def there() -> list[dict[str, Any]]:
            return cast(
                "list[dict[str, Any]]", self.get("/api/traces", service=service, limit=1000, **query)["data"]
            )

        return cast("list[dict[str, Any]]", self.until(there, timeout))


class Loki(Api):
    """Loki's query API."""

    def query(self, logql: str, *, hours: float = 1, limit: int = 1000) -> list[dict[str, Any]]:
        """The streams of a log query over the last hours."""
        start = int((time.time() - hours * 3600) * 1e9)
        answer = self.get("/loki/api/v1/query_range", query=logql, start=start, limit=limit)
        return cast("list[dict[str, Any]]", answer["data"]["result"])

    def wait(self, logql: str, *, lines: int = 1, timeout: float = PATIENCE) -> list[dict[str, Any]]:
        """The streams of a log query, once they have at least so many lines."""

        def there() -> list[dict[str, Any]]:
            found = self.query(logql)
            return found if sum(len(stream["values"]) for stream in found) >= lines else []

        return cast("list[dict[str, Any]]", self.until(there, timeout))


def copy_config(folder: Path, without: Iterable[str] = ()) -> Path:
    """The shipped configs at a place where a test may change them."""
    place = folder / "collector-config"
    shutil.copytree(CONFIG, place, ignore=shutil.ignore_patterns("__pycache__", *without))
    return place
