"""promtool and amtool: of the stack's own programs where they are built, else of a package."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import pytest
from programs.launcher import programs

needs_tools = pytest.mark.tools
"""Of a test that calls one of them; `make stack-test` runs it with the programs that the stack has."""


@functools.cache
def _found(name: str) -> str | None:
    built = programs.binary(name)
    return str(built) if built is not None else shutil.which(name)


def call(name: str, *arguments: str | Path) -> str:
    """What a tool prints; AssertionError with all of it when it finds something wrong.  Skips where it is not."""
    tool = _found(name)
    if tool is None:
        pytest.skip(f"no {name} here: Debian's packages prometheus and prometheus-alertmanager have them")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
