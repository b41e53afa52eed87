"""Services of the tests' own: a module with an ASGI `app`, served by uvicorn in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.harness.process import ROOT, Process
from tests.harness.sink import Sink


def serve(folder: Path, module: str, sink: Sink, **env: str) -> Process:
    """Serve `app` of a module in `folder`; its telemetry goes to `sink` under the module's name."""
    command = [sys.executable, "-m", "uvicorn", "--port", "0", f"{module}:app"]
    paths = {"PYTHONPATH": f"{ROOT / 'src'}:{folder}", "OTEL_SERVICE_NAME": module}
    return Process(command, env={**paths, **sink.environment(), **env}, cwd=folder)


def address(server: Process) -> str:
    """The base URL of a server that has started."""
    port = server.wait_for("127.0.0.1:").rpartition("127.0.0.1:")[2].split()[0].rstrip(")")
    return f"http://127.0.0.1:{port}"
