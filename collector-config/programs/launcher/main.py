"""The commands of stack.py."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from programs.launcher import Failed, compose, native, programs, running, say
from programs.launcher.compose import Service
from programs.launcher.running import Process, State

CONFIG = Path(__file__).resolve().parents[2]
_PATIENCE = 90.0  # seconds that a start may take; replaying a long write-ahead log takes longest
_GRACE = 20.0  # seconds to write what is held


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 good, 1 told why not."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was begun is ended, as at Ctrl-C
    try:
        return _COMMANDS[options.command](options)
    except Failed as failure:
        print("\n".join(f"[stack] {line}" for line in str(failure).splitlines()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stack.py", description="The stack without a container engine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    texts = {
        "up": "build what is missing, start what does not run, wait until all of it serves",
        "down": "end what up started; data stays",
        "status": "what runs, and where to look; fails unless all of it serves",
        "build": "build what is missing, and start nothing",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("services", nargs="*", metavar="service", help="all of them by default")
        command.add_argument(
            "--state",
            type=Path,
            default=_state(),
            help="where data, logs and ids are kept (default: %(default)s)",
        )
    return parser


def _state() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "genai-otel" / "stack"


def _up(options: argparse.Namespace) -> int:
    services = _services(options.services)
    every = compose.read(CONFIG, os.environ)  # containers that are not started here have names, too
    state = State(options.state.resolve())
    with state.locked():
        known = state.processes()
        begun = [name for name in services if not (name in known and known[name].lives())]
        running.taken(services[name] for name in begun)
        programs.build(services)
        started: dict[str, Process] = {}
        try:
            for name in begun:
                command = native.prepare(services[name], every, state.folder)
                program = programs.binary(name)
                assert program is not None  # built above
                started[name] = running.start(services[name], program, command, state.folder / "logs")
                state.note(known | started)
            running.wait({name: (known | started)[name] for name in services}, _PATIENCE)
        except BaseException:
            running.stop(started.values(), _GRACE)
            state.note(known)
            raise
    say(f"{len(started)} started, {len(services) - len(started)} ran before; data and logs: {state.folder}")
    _where(services)
    return 0


def _down(options: argparse.Namespace) -> int:
    state = State(options.state.resolve())
    with state.locked():
        known = state.processes()
        names = _services(options.services) if options.services else known
        ended = {name: process for name, process in known.items() if name in names}
        living = [name for name, process in ended.items() if process.lives()]
        running.stop(ended.values(), _GRACE)
        state.note({name: process for name, process in known.items() if name not in ended})
    say(f"ended: {', '.join(living) or 'nothing, none of it ran'}")
    return 0


def _status(options: argparse.Namespace) -> int:
    known = State(options.state.resolve()).processes()
    serving: dict[str, Service] = {}
    services = _services(options.services)
    for name, service in services.items():
        process = known.get(name)
        if process is None:
            told = "does not run"
        elif not process.lives():
            told = f"ended by itself; see {process.log}"
        elif not process.answers():
            told = f"does not answer (pid {process.pid}); see {process.log}"
        else:
            told = f"serves (pid {process.pid})"
            serving[name] = service
        say(f"{name:<13} {told}")
    _where(serving)
    return 0 if len(serving) == len(services) else 1


def _build(options: argparse.Namespace) -> int:
    programs.build(_services(options.services) if options.services else programs.PROGRAMS)
    return 0


def _services(names: Sequence[str]) -> dict[str, Service]:
    """The services that have a recipe and so run without a container: all of them, or those that are named."""
    services = compose.read(CONFIG, os.environ)
    native = {name: service for name, service in services.items() if name in programs.PROGRAMS}
    if unknown := [name for name in names if name not in native]:
        raise Failed(f"no such service: {', '.join(unknown)}; there are {', '.join(native)}")
    return {name: native[name] for name in names or native}


def _where(services: dict[str, Service]) -> None:
    """Where a person looks, and where programs send to."""
    ports = {port.variable: port.number for service in services.values() for port in service.ports}
    for variable, what in _WHAT.items():
        if variable in ports:
            say(f"{what:<38} http://localhost:{ports[variable]}")
    if {"otelcol", "jaeger", "prometheus"} <= set(services):
        say(f"try it: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:{ports['OTLP_HTTP_PORT']} genai-otel demo")
        seen = f"http://localhost:{ports['JAEGER_PORT']} --prometheus http://localhost:{ports['PROMETHEUS_PORT']}"
        say(f"see it: genai-otel report {seen}")


_WHAT = {
    "OTLP_GRPC_PORT": "send telemetry here (OTLP, gRPC)",
    "OTLP_HTTP_PORT": "send telemetry here (OTLP, HTTP)",
    "JAEGER_PORT": "traces (Jaeger's API, no pages)",
    "PROMETHEUS_PORT": "metrics (Prometheus's API, no pages)",
    "LOKI_PORT": "logs (Loki's API)",
    "ALERTMANAGER_PORT": "alerts (Alertmanager, with pages)",
}
_COMMANDS = {"up": _up, "down": _down, "status": _status, "build": _build}
