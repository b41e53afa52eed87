"""Scripts and commands in processes of their own: output, exit, signals, time.

done = run("print('hello')", env=sink.environment())
assert (done.code, done.out) == (0, "hello\\n")

with Process.script(server_text) as server:
    server.wait_for("ready")
    server.signal(signal.SIGTERM)
    assert server.finish().seconds_after("stopping") < 5
"""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
CRASHES_AT_END = sys.version_info[:3] == (3, 13, 0)
"""Of a signal, with and without us, when an interpreter ends while a generator of a client's stream is alive."""
_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "LANG", "LC_ALL", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Finished:
    """A process that ended. `seconds` is its whole life, `lines` are (seconds since its start, line) of stdout."""

    code: int
    out: str
    err: str
    seconds: float
    lines: tuple[tuple[float, str], ...]

    def seconds_after(self, text: str) -> float:
        """From the first line of stdout with `text` to the end of the process."""
        moment = next((moment for moment, line in self.lines if text in line), None)
        assert moment is not None, f"{text!r} is not in the output: {self.out}\n{self.err}"
        return self.seconds - moment

    def ok(self) -> Finished:
        """Itself, or AssertionError with the output where the exit code is not 0."""
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment: nothing of the shell's OpenTelemetry or OpenAI settings, our errors fatal."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "GENAI_OTEL_STRICT": "1", **(extra or {})}


class Process:
    """A running process; killed, with its children, at the end of the `with` block."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._started = time.monotonic()
        self._lines: list[tuple[float, str]] = []
        self._errors: list[str] = []
        self._news = threading.Condition()
        self._popen = subprocess.Popen(
            list(command),
            env=environment(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # so that children can be killed with it, and Ctrl-C here does not reach it
        )
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        streams = [(self._popen.stdout, True), (self._popen.stderr, False)]
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    @classmethod
    def script(
        cls,
        text: str,
        *,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        launcher: Sequence[str] = (sys.executable,),
    ) -> Process:
        """Python source as a file of its own (what `multiprocessing` and tracebacks need)."""
        folder = tempfile.TemporaryDirectory(prefix="genai-otel-")
        path = Path(folder.name) / "script.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        process = cls([*launcher, str(path), *arguments], env=env, cwd=path.parent)
        process._folder = folder
        return process

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def out(self) -> str:
        return "".join(line for _, line in list(self._lines))

    @property
    def err(self) -> str:
        return "".join(list(self._errors))

    def wait_for(self, text: str, *, timeout: float = 20.0) -> str:
        """The first line, of stdout or stderr, with `text`; AssertionError when it does not come."""
        end = time.monotonic() + timeout
        with self._news:
            while True:
                said = [*(line for _, line in self._lines), *self._errors]
                if found := next((line for line in said if text in line), None):
                    return found
                ended = not any(reader.is_alive() for reader in self._readers)
                left = end - time.monotonic()
                assert left > 0, f"{text!r} did not come within {timeout} s: {said}"
                assert not ended, f"the process ended without {text!r}: {said}"
                self._news.wait(min(left, 0.2))

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def finish(self, *, timeout: float = 30.0) -> Finished:
        """Wait for the end; AssertionError, with the output, when it does not come."""
        try:
            code = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {timeout} s\n{self.out}\n{self.err}") from None
        seconds = time.monotonic() - self._started
        for reader in self._readers:
            reader.join(2)  # a child that outlives it may hold the pipe open
        return Finished(code, self.out, self.err, seconds, tuple(self._lines))

    def kill(self) -> None:
        try:
            os.killpg(self._popen.pid, signals.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._popen.kill()
        self._popen.wait()
        for reader in self._readers:
            reader.join(2)
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _read(self, stream: IO[str], is_out: bool) -> None:
        with stream:  # closed by the thread that reads it: closing under a reader is an error of its own
            for line in stream:
                self._note(line, is_out)
        with self._news:
            self._news.notify_all()

    def _note(self, line: str, is_out: bool) -> None:
        with self._news:
            if is_out:
                self._lines.append((time.monotonic() - self._started, line))
            else:
                self._errors.append(line)
            self._news.notify_all()


def run(
    script: str,
    *,
    env: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    launcher: Sequence[str] = (sys.executable,),
    timeout: float = 30.0,
) -> Finished:
    """Run Python source to its end in a process of its own; the exit code is not judged (`.ok()` does)."""
    with Process.script(script, env=env, arguments=arguments, launcher=launcher) as process:
        return process.finish(timeout=timeout)
