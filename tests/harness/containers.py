"""Compose's own reading of compose.yaml: its plugin needs no container engine for that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from programs.launcher.compose import Mount, Port, Service
from programs.launcher.programs import cache

from tests.harness.debian import fetch

# Also where make stack-test puts it, so that the quick suite has it from then on.
_PLACES = (
    str(cache().parent / "tools" / "docker-compose"),
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/usr/local/lib/docker/cli-plugins/docker-compose",
)


def plugin() -> Path | None:
    """Where this machine has Compose of the second generation."""
    found = [shutil.which("docker-compose"), *_PLACES]
    return next((Path(path) for path in found if path and Path(path).exists() and _is_second(path)), None)


def plugin_or_fetch() -> Path:
    """The plugin, from Debian where this machine has none."""
    return plugin() or fetch("docker-compose", "docker-compose", cache().parent / "tools")


def _is_second(path: str) -> bool:
    told = subprocess.run([path, "version", "--short"], capture_output=True, text=True, check=False).stdout
    return told.startswith(("2.", "3.", "4.", "5."))


def read(folder: Path, compose: Path, environment: Mapping[str, str]) -> dict[str, Service]:
    """What Compose makes of the file, in the form of the launcher's own reading; variables of ports are not told."""
    done = subprocess.run(
        [str(compose), "--profile", "*", "config", "--format", "json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return {
        name: _service(name, service, document["configs"]) for name, service in document["services"].items()
    }


def without_variables(service: Service) -> Service:
    """The launcher's reading as far as Compose tells the same."""
    ports = tuple(Port(port.number, "") for port in service.ports)
    return service._replace(ports=ports, ready="")


def _service(name: str, service: Mapping[str, Any], configs: Mapping[str, Any]) -> Service:
    mounts = [
        Mount(entry["target"], folder=Path(entry["source"]))
        if entry["type"] == "bind"
        else Mount(entry["target"], volume=entry["source"])
        for entry in service.get("volumes", ())
    ]
    mounts += [
        Mount(entry["target"], content=configs[entry["source"]]["content"])
        for entry in service.get("configs", ())
    ]
    published = [int(port["target"]) for port in service.get("ports", ())]
    return Service(
        name,
        service["image"],
        tuple(service.get("command") or ()),
        service.get("environment", {}),
        tuple(mounts),
        tuple(Port(int(number), "") for number in [*published, *service.get("expose", ())]),
        service.get("working_dir", ""),
        "",
    )
