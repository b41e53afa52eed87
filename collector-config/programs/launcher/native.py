"""A service of compose.yaml as a process of this machine: its paths, addresses and environment put right."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from programs.launcher import Failed
from programs.launcher.compose import Mount, Service

_LOOPBACK = "127.0.0.1"


class Command(NamedTuple):
    """What to start, where, with which environment."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: Path


def prepare(service: Service, names: Iterable[str], state: Path) -> Command:
    """Lay out what the container would mount, below a folder of its own, and give the command that runs on it.

    Named volumes live on in `state`/volumes; everything else there is made anew.
    """
    root = state / "roots" / service.name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for mount in sorted(
        service.mounts, key=lambda mount: mount.target
    ):  # by target: a folder before what is put into it
        inside = any(other.target.startswith(f"{mount.target}/") for other in service.mounts)
        _mount(mount, root, state / "volumes", names, inside=inside)

    def here(text: str) -> str:
        return _paths(_addresses(text, names), service.mounts, root)

    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {name: here(value) for name, value in service.environment.items()}
    folder = root / service.working_dir.lstrip("/")
    return Command(tuple(map(here, service.command)), environment, folder)


def _mount(mount: Mount, root: Path, volumes: Path, names: Iterable[str], *, inside: bool) -> None:
    """Put one thing where the program looks for it; a folder into which another is put has its entries, not itself."""
    place = root / mount.target.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.parent.resolve().is_relative_to(root.resolve()):
        raise Failed(
            f"compose.yaml mounts {mount.target} deep inside another mount, which only containers can do"
        )
    place.unlink(missing_ok=True)
    if mount.content:
        place.write_text(_addresses(mount.content, names), encoding="utf-8")
        return
    source = mount.folder or volumes / mount.volume
    if mount.volume:
        source.mkdir(parents=True, exist_ok=True)
    if not inside:
        place.symlink_to(source)
        return
    place.mkdir()
    for entry in source.iterdir():
        (place / entry.name).symlink_to(entry)


def _addresses(text: str, names: Iterable[str]) -> str:
    """Siblings are found by their names in the network of the containers, and on loopback here."""
    return re.sub(rf"(?<![\w.-])(?:0\.0\.0\.0\b|(?:{'|'.join(names)})(?=:\d))", _LOOPBACK, text)


def _paths(text: str, mounts: Iterable[Mount], root: Path) -> str:
    targets = "|".join(re.escape(mount.target) for mount in mounts)
    if not targets:
        return text
    return re.sub(rf"(?<![^=:,\s])(?:{targets})(?=[/,\s]|$)", lambda match: f"{root}{match[0]}", text)
