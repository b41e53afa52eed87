"""The programs of the stack: where each comes from, and where its binaries lie once they are built.

Binaries stand outside any work tree, in folders named for what they were made from, and serve every copy of this one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from programs.launcher import Failed, gobuild, say

RECIPES = Path(__file__).resolve().parent.parent


class Program(NamedTuple):
    """What one recipe gives; time on two cores with nothing cached, disk with what the build leaves behind."""

    binaries: tuple[str, ...]
    minutes: float
    disk_gb: float
    tags: str = ""


# In the order of a build from nothing; each next one finds modules and packages of those before it.
PROGRAMS: Mapping[str, Program] = {
    "otelcol": Program(("otelcol",), minutes=9, disk_gb=6),
    "jaeger": Program(("jaeger",), minutes=5, disk_gb=2),
    # Without the tag it wants clients of every cloud; files and HTTP discover enough.
    "prometheus": Program(("prometheus", "promtool"), minutes=3, disk_gb=2, tags="remove_all_sd"),
    "alertmanager": Program(("alertmanager", "amtool"), minutes=1, disk_gb=0.5),
    "loki": Program(("loki", "logcli"), minutes=6, disk_gb=3.5, tags="netgo"),
}


def binary(name: str) -> Path | None:
    """Where a binary lies that was built before; None where it must be built first."""
    program = next(program for program, about in PROGRAMS.items() if name in about.binaries)
    place = folder(program) / name
    return place if place.exists() else None


def build(names: Iterable[str] = PROGRAMS) -> None:
    """Build what is missing, in the order of the names.

    Raises `Failed` before it starts where Go or disk is missing, and where a build fails.
    """
    missing = [name for name in names if any(binary(file) is None for file in PROGRAMS[name].binaries)]
    if not missing:
        return
    _check(missing)
    minutes = sum(PROGRAMS[name].minutes for name in missing)
    say(
        f"to build, once: {', '.join(missing)}: about {minutes:.0f} min on two cores when nothing of it is cached,"
        f" {_disk(missing):.1f} GB of disk"
    )
    for name in missing:
        started = time.monotonic()
        _make(name)
        size = sum((folder(name) / file).stat().st_size for file in PROGRAMS[name].binaries)
        say(f"{name}: ready after {time.monotonic() - started:.0f} s, {size / 1e6:.0f} MB in {folder(name)}")


def folder(name: str) -> Path:
    """Where the binaries of a program belong, for what they would be made from now."""
    made_from = hashlib.sha256(f"{gobuild.version()} {PROGRAMS[name].tags}".encode())
    for path in sorted((RECIPES / name).iterdir()):
        made_from.update(path.name.encode() + b"\0" + path.read_bytes())
    return cache() / f"{name}-{made_from.hexdigest()[:12]}"


def cache() -> Path:
    """The folder of all binaries, by the XDG rules."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genai-otel" / "programs"


def _make(name: str) -> None:
    unfinished = (
        cache() / f"{name}.{os.getpid()}"
    )  # moved when whole: an interrupted build leaves no half program
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        gobuild.build(RECIPES / name, PROGRAMS[name].tags, unfinished)
        place = folder(name)
        shutil.rmtree(place, ignore_errors=True)
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check(missing: Iterable[str]) -> None:
    gobuild.check()
    cache().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache()).free / 1e9
    if free < _disk(missing):
        raise Failed(
            f"{_disk(missing):.1f} GB of disk are needed for {', '.join(missing)}, {free:.1f} GB are free in"
            f" {cache()}.\nMake room, or name another disk: XDG_CACHE_HOME for the programs, GOCACHE and GOMODCACHE"
            " for what builds leave behind."
        )


def _disk(names: Iterable[str]) -> float:
    return sum(PROGRAMS[name].disk_gb for name in names)
