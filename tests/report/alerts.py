"""A real Prometheus that has the history of alerts that was written into it, as its rules would have written it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.harness.patience import eventually

PROGRAMS = [shutil.which(name) for name in ("prometheus", "promtool")]
STEP = 15  # seconds between two evaluations of the rules

Firing = Mapping[tuple[str, str], Sequence[tuple[int, int]]]
"""Name and severity to minutes after the epoch, from and until."""

needed = pytest.mark.skipif(None in PROGRAMS, reason="no Prometheus here: Debian's package prometheus has it")


@contextlib.contextmanager
def fired(folder: Path, epoch: int, firing: Firing) -> Generator[str]:
    """The address of a Prometheus in which alerts fired; ``epoch`` is an even hour, at which its blocks begin."""
    lines = ["# TYPE ALERTS gauge"]
    for (name, severity), times in firing.items():
        labels = f'alertname="{name}",alertstate="firing",severity="{severity}"'
        lines += [
            f"ALERTS{{{labels}}} 1 {epoch + second}"
            for begin, end in times
            for second in range(begin * 60, end * 60, STEP)
        ]
    (folder / "alerts.txt").write_text("\n".join([*lines, "# EOF", ""]))
    (folder / "prometheus.yml").write_text("global: {}\n")
    blocks = ["tsdb", "create-blocks-from", "openmetrics", "alerts.txt", "data"]
    subprocess.run(["promtool", *blocks], cwd=folder, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listening = f"127.0.0.1:{free.getsockname()[1]}"
    options = [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={listening}",
    ]
    # Blocks have no mark where a series ends; rules write one, so that nothing is looked for further back.
    options += ["--storage.tsdb.retention.time=100y", f"--query.lookback-delta={STEP}s"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["prometheus", *options], cwd=folder, stdout=log, stderr=log)
        try:
            eventually(lambda: _is_ready(f"http://{listening}"), timeout=30)
            yield f"http://{listening}"
        finally:
            process.terminate()
            process.wait(30)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
