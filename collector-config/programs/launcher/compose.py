"""What compose.yaml says, as far as a program needs it that runs without a container."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from programs.launcher import Failed

_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}")
_URL = re.compile(r"https?://(?P<host>[\w.-]+)\S*")


class Mount(NamedTuple):
    """A file or folder that a program sees at another place: a path of this machine, a named volume, or a text."""

    target: str
    folder: Path | None = None
    volume: str = ""
    content: str = ""


class Port(NamedTuple):
    """Where a program listens, and the variable that moves it."""

    number: int
    variable: str


class Service(NamedTuple):
    """One service, its variables filled in."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    ports: tuple[Port, ...]
    working_dir: str
    ready: str  # the URL that answers 200 once it serves


def read(folder: Path, environ: Mapping[str, str]) -> dict[str, Service]:
    """The services by name; variables come from `environ`, then from the file .env.

    Raises `Failed` where PyYAML is missing or a variable is not set anywhere.
    """
    values = {**dotenv(folder / ".env"), **environ}
    raw = _load(folder / "compose.yaml")
    own = folder / "compose.override.yaml"
    if own.exists():
        raw = _merged(raw, _load(own) or {})
    document = cast(dict[str, Any], _each(raw, lambda text: _filled(text, values)))
    ready = _ready(document["services"])
    return {
        name: _service(name, document, raw["services"][name], folder, ready.get(name, ""))
        for name in document["services"]
    }


def _load(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise Failed(
            "compose.yaml is read with PyYAML, which this Python has not: pip install pyyaml\n"
            "(Debian, Ubuntu: apt install python3-yaml)"
        ) from None
    try:
        return cast(dict[str, Any], yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise Failed(f"{path} cannot be read: {error}") from None


def _merged(base: Any, own: Any, key: str = "") -> Any:
    """The file and the person's additions to it, by Compose's rules: lists grow, but a command is replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        there = cast(dict[str, Any], base)
        added = {
            name: _merged(there.get(name), item, name) for name, item in cast(dict[str, Any], own).items()
        }
        return {**there, **added}
    if isinstance(base, list) and isinstance(own, list) and key not in {"command", "test"}:
        return [*cast(list[Any], base), *cast(list[Any], own)]
    return cast(Any, own)


def dotenv(path: Path) -> dict[str, str]:
    """The variables of a file .env."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name is None:
            return "$"
        found = values.get(name) or default
        if found is None:
            raise Failed(f"compose.yaml asks for {name}, which neither the shell nor .env sets")
        return found

    return _VARIABLE.sub(value, text)


def _each(node: Any, change: Callable[[str], str]) -> Any:
    """The same document with every text changed."""
    if isinstance(node, dict):
        return {key: _each(item, change) for key, item in cast(dict[str, Any], node).items()}
    if isinstance(node, list):
        return [_each(item, change) for item in cast(list[Any], node)]
    return change(node) if isinstance(node, str) else node


def _ready(services: Mapping[str, Any]) -> dict[str, str]:
    """The URLs in the health checks, as they are on this machine; a service may be asked by another one."""
    found: dict[str, str] = {}
    for name, service in services.items():
        match = _URL.search(" ".join(service.get("healthcheck", {}).get("test", ())))
        if match:
            host = match["host"]
            found[host if host in services else name] = match[0].replace(host, "127.0.0.1", 1)
    return found


def _service(
    name: str, document: Mapping[str, Any], raw: Mapping[str, Any], folder: Path, ready: str
) -> Service:
    service = document["services"][name]
    mounts = [_volume(entry, folder) for entry in service.get("volumes", ())]
    mounts += [
        Mount(entry["target"], content=document["configs"][entry["source"]]["content"])
        for entry in service.get("configs", ())
    ]
    numbers = [*service.get("ports", ()), *service.get("expose", ())]
    origins = [*raw.get("ports", ()), *raw.get("expose", ())]
    return Service(
        name,
        service["image"],
        tuple(service.get("command", ())),
        {key: str(value) for key, value in service.get("environment", {}).items()},
        tuple({mount.target: mount for mount in mounts}.values()),  # the last one at a place is seen there
        tuple(_port(number, origin) for number, origin in zip(numbers, origins, strict=True)),
        service.get("working_dir", ""),
        ready,
    )


def _volume(entry: str, folder: Path) -> Mount:
    source, target, *_ = entry.split(":")
    if source.startswith("."):
        return Mount(target, folder=(folder / source).resolve())
    return Mount(target, volume=source)


def _port(entry: str, origin: str) -> Port:
    variable = _VARIABLE.search(origin)
    return Port(int(entry.rpartition(":")[2]), variable[1] if variable else "")
