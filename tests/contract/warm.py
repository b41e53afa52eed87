"""Scripts in forked children of one process that has the clients imported and nothing set up.

A set-up counts once per process, and importing a client takes a second: a fork of a warm process takes none of it.
A child is a whole process otherwise; it ends as an interpreter ends.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.process import CRASHES_AT_END, environment

_PROCESS = """
import gc, json, os, signal, sys, traceback

import opentelemetry.sdk.trace, opentelemetry.sdk.metrics, opentelemetry.sdk._logs
import opentelemetry.exporter.otlp.proto.http.trace_exporter
import opentelemetry.exporter.otlp.proto.http.metric_exporter
from genai_otel.testing import ModelServer
from tests.contract.payloads import openai

with ModelServer() as server:
    for asynchronous in (False, True):
        client = openai.PAYLOAD.make(server.base_url, asynchronous)
        if not asynchronous:  # what a first call imports
            for case in openai.PAYLOAD.cases[:3]:
                case.call(client, openai.PAYLOAD.model)
            client.close()

def child(job):
    signal.alarm(60)  # a child that hangs ends, and its test with it
    # httpx's pool hangs, with and without us, when a dropped stream is collected while the pool holds its lock.
    gc.disable()
    os.environ.update(job["env"])
    out = os.open(job["out"], os.O_WRONLY | os.O_CREAT)
    os.dup2(out, 1)
    os.dup2(out, 2)
    exec(compile(job["script"], "script.py", "exec"), {"__name__": "__main__"})

while True:
    line = sys.stdin.readline()
    if not line:
        break
    job = json.loads(line)
    pid = os.fork()
    if not pid:
        child(job)
        break  # and end as an interpreter ends
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Ran:
    """A child that ended well; ``said`` is what it printed as JSON, line by line."""

    out: str

    @property
    def said(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith(("{", "[", '"'))]


class Warm:
    """The warm process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="genai-otel-")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def run(self, script: str, env: Mapping[str, str] | None = None, *, code: int = 0) -> Ran:
        """Run Python source to its end; AssertionError with its output when it does not end with ``code``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        out = Path(self._folder.name) / "out"
        out.write_text("")
        job = {"script": textwrap.dedent(script), "env": dict(env or {}), "out": str(out)}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        ended = self._process.stdout.readline().strip()
        said = out.read_text(errors="replace")
        crashed = CRASHES_AT_END and ended == str(-signal.SIGSEGV)
        assert ended == str(code) or crashed, f"exit code {ended}\n{said}"
        return Ran(said)

    def end(self) -> None:
        self._process.communicate(timeout=10)
        self._folder.cleanup()
