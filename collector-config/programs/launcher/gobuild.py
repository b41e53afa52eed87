"""Builds a program from a recipe: a folder with go.mod, which names the packages as tools, and go.sum."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from programs.launcher import Failed, say

_LEAST = (1, 26)
_GENERATE = "tool builder --config builder.yaml --skip-compilation --skip-get-modules"
# -v names each package when it is compiled: the only progress that Go tells.
_FLAGS = ("-v", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
_EVERY = 30  # seconds between two lines about a build that goes on


@functools.cache
def version() -> str:
    """What `go version` says: release and platform; empty without Go."""
    go = shutil.which("go")
    if not go:
        return ""
    told = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    return told.removeprefix("go version ").strip()


def check() -> None:
    """Raises `Failed` where these recipes cannot be built: they are locked for Linux, and want a recent Go."""
    if sys.platform != "linux":
        raise Failed(
            "the programs are built on Linux only; run them in containers: docker compose up -d --wait"
        )
    found = re.match(r"go(\d+)\.(\d+)", version())
    if not found or tuple(map(int, found.groups())) < _LEAST:
        raise Failed(
            f"Go {'.'.join(map(str, _LEAST))} or newer is needed to build the programs; here is"
            f" {version() or 'none on the path'}.\nInstall it (Debian: golang-go from backports or testing), or run"
            " the stack in containers: docker compose up -d --wait"
        )


def build(recipe: Path, tags: str, folder: Path) -> None:
    """Build what the recipe's go.mod names as its tools into `folder`; the log stays beside it when it fails."""
    source = folder / "source"
    shutil.copytree(recipe, source)
    log = folder.parent / f"{recipe.name}.log"
    with log.open("wb") as output:
        packages = "tool"
        if (recipe / "builder.yaml").exists():  # a Collector: its main package is generated from the manifest
            _go(recipe.name, _GENERATE.split(), source, output.fileno(), log)
            packages = "."
        arguments = ["build", *_FLAGS, "-tags", tags, "-o", f"{folder}/", packages]
        _go(recipe.name, arguments, source, output.fileno(), log)
    shutil.rmtree(source)
    log.unlink()


def _go(name: str, arguments: Sequence[str], source: Path, output: int, log: Path) -> None:
    # A workspace or flags of the person's own projects must not change what is built here.
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    started = time.monotonic()
    with subprocess.Popen(
        ["go", *arguments],
        cwd=source,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    ) as go:
        while True:
            try:
                ended = go.wait(_EVERY)
                break
            except subprocess.TimeoutExpired:
                say(f"{name}: {_progress(log)}, {(time.monotonic() - started) / 60:.1f} min")
            except BaseException:
                go.terminate()
                raise
    if ended:
        raise Failed(f"{name} could not be built: go {arguments[0]} says\n{_end(log)}\nThe whole log: {log}")


def _progress(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    fetched = sum(line.startswith("go: downloading") for line in lines)
    return f"{fetched} modules fetched, {len(lines) - fetched} packages compiled"


def _end(log: Path) -> str:
    """The last lines that say something, without addresses: one may hold a private registry's credentials."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [line for line in lines if " " in line and not line.startswith("go: downloading")]
    return re.sub(r"https?://\S+", "(address)", "\n".join(telling[-8:]))
