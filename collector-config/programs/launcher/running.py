"""Which processes of the stack run, started and ended by their ids: never by a name, which others may have too."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import NamedTuple

from programs.launcher import Failed
from programs.launcher.compose import Service
from programs.launcher.native import Command


class Process(NamedTuple):
    """A started program; its start time tells it from another one that has its id later."""

    pid: int
    started: str
    ready: str
    log: str

    def lives(self) -> bool:
        """Whether this very process still runs."""
        return self.started != "" and _started(self.pid) == self.started

    def answers(self) -> bool:
        """Whether it says that it serves."""
        try:
            with urllib.request.urlopen(self.ready, timeout=2) as response:  # noqa: S310 - compose.yaml's, http
                return response.status == 200
        except OSError:
            return False


class State(NamedTuple):
    """The folder where a stack keeps its data, its logs and the note of what runs."""

    folder: Path

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """One launcher at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def processes(self) -> dict[str, Process]:
        """What was started and not ended by us; whether it still lives is another question."""
        try:
            noted = json.loads((self.folder / "running.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {name: Process(**process) for name, process in noted.items()}

    def note(self, processes: dict[str, Process]) -> None:
        """Remember what runs."""
        text = json.dumps({name: process._asdict() for name, process in processes.items()}, indent=1)
        unfinished = self.folder / "running.json.new"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self.folder / "running.json")


def taken(services: Iterable[Service]) -> None:
    """Raises `Failed` where somebody else listens on a port that one of the services needs."""
    problems: list[str] = []
    for service in services:
        for number, variable in service.ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", number))
                except OSError:
                    problems.append(f"{service.name}: port {number} is taken; set {variable} to move it")
    if problems:
        raise Failed("\n".join(problems))


def start(service: Service, binary: Path, command: Command, logs: Path) -> Process:
    """Start a program in a session of its own: the terminal's Ctrl-C is not meant for it."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{service.name}.log"
    if log.exists():
        log.replace(logs / f"{service.name}.log.1")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(binary), *command.arguments],
            cwd=command.folder,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Process(process.pid, _started(process.pid), service.ready, str(log))


def wait(processes: dict[str, Process], seconds: float) -> None:
    """Until all of them serve; raises `Failed` with what the log says last when one ends or does not get there."""
    until = time.monotonic() + seconds
    waiting = dict(processes)
    while waiting:
        for name, process in list(waiting.items()):
            if process.answers():
                del waiting[name]
            elif not process.lives():
                raise Failed(f"{name} ended at once; its log says last\n{_end(process.log)}")
            elif time.monotonic() > until:
                raise Failed(
                    f"{name} does not serve after {seconds:.0f} s; its log says last\n{_end(process.log)}"
                )
        time.sleep(0.1)


def stop(processes: Iterable[Process], seconds: float) -> None:
    """End processes, with time to write what they hold; what then still runs is killed."""
    living = _signal(processes, signal.SIGTERM)
    until = time.monotonic() + seconds
    while living and time.monotonic() < until:
        time.sleep(0.05)
        living = [process for process in living if process.lives()]
    while living := _signal(living, signal.SIGKILL):
        time.sleep(0.05)


def _signal(processes: Iterable[Process], number: signal.Signals) -> list[Process]:
    """Send a signal to those that live; gives them."""
    living = [process for process in processes if process.lives()]
    for process in living:
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
            os.kill(process.pid, number)
    return living


def _started(pid: int) -> str:
    """When a process began, in the kernel's own count; empty when there is none, or only its body."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # After the name, which may hold anything: the state is the 3rd field of all, the start time the 22nd.
    fields = told.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _end(log: str) -> str:
    return "\n".join(Path(log).read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
