"""The launcher of the stack, on a stack of one small program: what it starts, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from programs.launcher import Failed, compose, native, programs

from tests.harness.stack import CONFIG, free_ports

_COMPOSE = """
services:
  alertmanager:
    image: none
    command: ["--listen=0.0.0.0:${ALERTMANAGER_PORT}", --config=/etc/small/config.yaml, --data=/data]
    environment: {PEER: "http://alertmanager:${ALERTMANAGER_PORT}/x", WORDS: "${WORDS:-some words}"}
    working_dir: /etc/small
    volumes: [./small:/etc/small:ro, data:/data]
    configs: [{source: targets, target: /etc/targets/all.json}]
    ports: ["127.0.0.1:${ALERTMANAGER_PORT}:${ALERTMANAGER_PORT}"]
    healthcheck: {test: [CMD, wget, "http://127.0.0.1:${ALERTMANAGER_PORT}/ready"]}
configs:
  targets:
    content: |
      ["alertmanager:${ALERTMANAGER_PORT}"]
"""
_PROGRAM = f"""#!{sys.executable}
import http.server, json, os, sys
arguments = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
told = {{"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}}
told["config"] = open(arguments["config"]).read()
if "end" in told["config"]:
    sys.exit("the config is not good")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())
    def log_message(self, *_): pass
host, port = arguments["listen"].split(":")
open(os.path.join(arguments["data"], "told.json"), "w").write(json.dumps(told))
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


class Small(NamedTuple):
    """A folder like collector-config with one program that is built already."""

    folder: Path
    state: Path
    port: int
    environment: Mapping[str, str]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(self.folder / "stack.py"), *arguments, "--state", str(self.state)],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def pid(self) -> int:
        return json.loads((self.state / "running.json").read_text())["alertmanager"]["pid"]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    folder = tmp_path / "stack"
    recipe = folder / "programs" / "alertmanager"
    shutil.copytree(CONFIG / "programs" / "launcher", folder / "programs" / "launcher")
    shutil.copy(CONFIG / "stack.py", folder)
    (folder / "small").mkdir()
    (folder / "small" / "config.yaml").write_text("a: config")
    recipe.mkdir()
    (recipe / "go.mod").write_text("module small")
    (folder / "compose.yaml").write_text(_COMPOSE)
    port = free_port()
    (folder / ".env").write_text(f"# ports\nALERTMANAGER_PORT={port}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    made = Small(folder, tmp_path / "state", port, environment)
    _install(made)
    return made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _install(small: Small) -> None:
    where = subprocess.run(
        [
            sys.executable,
            "-c",
            "from programs.launcher import programs; print(programs.folder('alertmanager'))",
        ],
        cwd=small.folder,
        env=small.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    place = Path(where.stdout.strip())
    place.mkdir(parents=True)
    for name in programs.PROGRAMS["alertmanager"].binaries:
        (place / name).write_text(_PROGRAM)
        (place / name).chmod(0o755)


def test_a_program_runs_as_in_its_container_but_on_loopback_and_on_this_machines_paths(small: Small) -> None:
    try:
        up = small.run("up", WORDS="other words")
        told = json.loads((small.state / "volumes" / "data" / "told.json").read_text())
        root = small.state / "roots" / "alertmanager"

        assert up.returncode == 0, up.stderr
        assert f"http://localhost:{small.port}" in up.stdout
        assert told["arguments"]["listen"] == f"127.0.0.1:{small.port}"
        assert Path(told["arguments"]["config"]).resolve() == small.folder / "small" / "config.yaml"
        assert Path(told["folder"]) == small.folder / "small"
        assert told["environment"]["PEER"] == f"http://127.0.0.1:{small.port}/x"
        assert told["environment"]["WORDS"] == "other words"
        assert set(told["environment"]) <= {"PATH", "HOME", "PEER", "WORDS", "LC_CTYPE"}
        assert json.loads((root / "etc/targets/all.json").read_text()) == [f"127.0.0.1:{small.port}"]
    finally:
        small.run("down")


def test_up_leaves_what_runs_and_down_ends_it_and_keeps_its_data(small: Small) -> None:
    try:
        small.run("up")
        pid = small.pid()
        again = small.run("up")
        status = small.run("status")
        same = small.pid() == pid
    finally:
        down = small.run("down")

    assert "0 started, 1 ran before" in again.stdout
    assert same
    assert (status.returncode, "serves" in status.stdout) == (0, True)
    assert "ended: alertmanager" in down.stdout
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", small.port))
    assert (small.state / "volumes" / "data" / "told.json").exists()
    assert small.run("status").returncode == 1


def test_a_process_that_has_the_id_of_one_that_ended_is_let_alone(small: Small) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            small.run("up")
            os.kill(small.pid(), signal.SIGKILL)
            noted = json.loads((small.state / "running.json").read_text())
            noted["alertmanager"]["pid"] = stranger.pid
            (small.state / "running.json").write_text(json.dumps(noted))
            status = small.run("status")
            down = small.run("down")
            lives = stranger.poll() is None
        finally:
            stranger.kill()

    assert "ended by itself" in status.stdout
    assert "nothing" in down.stdout
    assert lives


def test_a_taken_port_is_named_with_the_variable_that_moves_it(small: Small) -> None:
    with socket.create_server(("127.0.0.1", small.port)):
        refused = small.run("up")
        moved = small.run("up", ALERTMANAGER_PORT=str(free_port()))
    small.run("down")

    assert refused.returncode == 1
    assert f"port {small.port} is taken; set ALERTMANAGER_PORT to move it" in refused.stderr
    assert moved.returncode == 0


def test_a_program_that_ends_at_once_is_shown_by_its_last_words(small: Small) -> None:
    (small.folder / "small" / "config.yaml").write_text("end: true")
    failed = small.run("up")

    assert failed.returncode == 1
    assert "the config is not good" in failed.stderr
    assert "nothing" in small.run("down").stdout


def test_without_go_the_message_says_what_to_install(small: Small) -> None:
    (small.folder / "programs" / "alertmanager" / "go.mod").write_text("module changed")
    without = small.run("up", PATH=str(small.folder))

    assert without.returncode == 1
    assert "Go 1.26 or newer is needed" in without.stderr
    assert "docker compose up" in without.stderr


def test_a_failed_build_shows_its_end_without_addresses(small: Small, tmp_path: Path) -> None:
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(
        '#!/bin/sh\n[ "$1" = version ] && { echo go version go1.99 linux/amd64; exit; }\n'
        "echo go: downloading one v1 >&2; echo could not get https://user:secret@proxy.test/x >&2; exit 1\n"
    )
    go.chmod(0o755)
    failed = small.run("build", "alertmanager", PATH=f"{go.parent}:{os.environ['PATH']}")

    assert failed.returncode == 1
    assert "could not get (address)" in failed.stderr
    assert "secret" not in failed.stderr
    assert "alertmanager.log" in failed.stderr


def test_too_little_disk_is_said_before_a_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def little(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=1)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(programs.gobuild, "check", lambda: None)
    monkeypatch.setattr(programs.shutil, "disk_usage", little)

    with pytest.raises(Failed, match=r"6\.0 GB of disk are needed for otelcol, 0\.0 GB are free"):
        programs.build(["otelcol"])


def test_an_unknown_service_is_refused_with_those_that_there_are(small: Small) -> None:
    refused = small.run("up", "grafana")

    assert refused.returncode == 1
    assert "no such service: grafana; there are alertmanager" in refused.stderr


def test_a_variable_that_nobody_sets_is_named(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {one: {image: '${NO_SUCH_VERSION}'}}")

    with pytest.raises(Failed, match="NO_SUCH_VERSION"):
        compose.read(tmp_path, {})


def test_a_compose_file_that_is_not_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {one: {")

    with pytest.raises(Failed, match=r"compose.yaml(?s:.)*line 1"):
        compose.read(tmp_path, {})


def test_only_names_of_services_before_a_port_are_addresses(tmp_path: Path) -> None:
    service = compose.Service(
        "loki", "", ("-x=loki:3100", "--loki=/loki", "other-loki:1", "loki.example:2", "/loki/x", "a/loki"), {},
        (compose.Mount("/loki", volume="loki"),), (), "", "",
    )  # fmt: skip
    command = native.prepare(service, ["loki", "jaeger"], tmp_path)
    root = tmp_path / "roots" / "loki"

    assert command.arguments == (
        "-x=127.0.0.1:3100", f"--loki={root}/loki", "other-loki:1", "loki.example:2", f"{root}/loki/x", "a/loki",
    )  # fmt: skip


def test_a_file_that_is_put_into_a_mounted_folder_leaves_the_folder_itself_alone(tmp_path: Path) -> None:
    shipped, mine = tmp_path / "shipped", tmp_path / "mine.yaml"
    (shipped / "deep").mkdir(parents=True)
    (shipped / "a.yaml").write_text("a")
    mine.write_text("mine")
    mounts = [compose.Mount("/etc/x/mine.yaml", folder=mine), compose.Mount("/etc/x", folder=shipped)]
    service = compose.Service("loki", "", (), {}, tuple(mounts), (), "", "")
    native.prepare(service, ["loki"], tmp_path / "state")
    seen = tmp_path / "state" / "roots" / "loki" / "etc" / "x"

    assert {path.name for path in shipped.iterdir()} == {"a.yaml", "deep"}
    assert {path.name for path in seen.iterdir()} == {"a.yaml", "deep", "mine.yaml"}
    assert (seen / "mine.yaml").read_text() == "mine"

    deep = service._replace(mounts=(*mounts, compose.Mount("/etc/x/deep/mine.yaml", folder=mine)))
    with pytest.raises(Failed, match=r"/etc/x/deep/mine\.yaml deep inside"):
        native.prepare(deep, ["loki"], tmp_path / "state")
    assert not any((shipped / "deep").iterdir())


def test_each_variable_of_a_port_moves_one_port() -> None:
    ports = free_ports()
    services = compose.read(CONFIG, {name: str(port) for name, port in ports.items()})
    moved = {port.variable: port.number for service in services.values() for port in service.ports}

    assert moved == ports
