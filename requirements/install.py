"""Makes a virtual environment from a hashed lock: `python3 install.py FOLDER LOCK [LOCK ...]`.

The first LOCK is installed, unless any of the named ones already is: name a second one that contains the first.
Needs only the standard library and a package registry, says in a line each what it does, and returns at once,
silently, when there is nothing to do.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 10)
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
BOOT = ROOT / ".venvs" / "uv"  # uv outside any environment, for a Python that cannot make one


class Failed(Exception):
    """A step did not work; the message is for the person at the terminal."""


def main(folder: Path, *locks: Path) -> None:
    if any(current(folder, lock) for lock in locks):
        return
    started = time.monotonic()
    if not (folder / "bin" / "python").exists() or outdated(folder):
        create(folder)
    fill(folder, locks[0])
    (folder / f"installed-{locks[0].stem}").write_text(fingerprint(locks[0]))
    say(f"ready after {time.monotonic() - started:.0f} s")


def current(folder: Path, lock: Path) -> bool:
    stamp = folder / f"installed-{lock.stem}"
    return stamp.is_file() and stamp.read_text() == fingerprint(lock)


def outdated(folder: Path) -> bool:
    """Whether the folder holds an installation that is not the wanted one: it is made anew, never patched up."""
    stamps = folder.glob("installed-*")
    return not all(current(folder, LOCKS / (stamp.name.partition("-")[2] + ".txt")) for stamp in stamps)


def fingerprint(lock: Path) -> str:
    """What an installation depends on: this Python, the locked packages, our own metadata (not tool settings)."""
    metadata = (ROOT / "pyproject.toml").read_bytes().partition(b"\n[tool.ruff]")[0]
    locked = lock.read_bytes() if lock.exists() else b""
    version = (ROOT / "src" / "genai_otel" / "version.py").read_bytes()
    return hashlib.sha256(b"\0".join((sys.version.encode(), locked, metadata, version))).hexdigest()


def create(folder: Path) -> None:
    say(f"making {folder.name} with Python {sys.version.split()[0]}")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        run(sys.executable, "-m", "venv", folder)
    except Failed:
        shutil.rmtree(folder, ignore_errors=True)
        say("this Python cannot make environments by itself (it has no ensurepip); trying uv")
        run(uv_without_environment(), "venv", "--quiet", "--seed", "--python", sys.executable, folder)


def uv_without_environment() -> "str | Path":
    try:
        pip = (sys.executable, "-m", "pip", "install", "-q")
        run(*pip, "--require-hashes", "--target", BOOT, "-r", LOCKS / "uv.txt")
        return BOOT / "bin" / "uv"
    except Failed:
        found = shutil.which("uv")
        if found:
            return found
    raise Failed(
        f"{sys.executable} has neither ensurepip nor pip, so nothing can be installed with it.\n"
        "Install your system's package for virtual environments (Debian, Ubuntu: python3-venv) or name another\n"
        "Python: make PYTHON=/path/to/python3 demo"
    )


def fill(folder: Path, lock: Path) -> None:
    """The locked packages, each checked against its hash, then this project itself, editable."""
    python = folder / "bin" / "python"
    pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    say(f"installing requirements/{lock.name}, each package checked against its hash")
    try:
        uv = find_uv(folder)
        if not uv:
            run(*pip, "--only-binary", ":all:", "--require-hashes", "-r", LOCKS / "uv.txt")
            uv = folder / "bin" / "uv"
        install(uv, "pip", "install", "-q", "--python", python, lock=lock)
    except Failed as failure:
        say(f"going on with pip, which takes longer, because of uv: {str(failure).splitlines()[0]}")
        install(*pip, lock=lock)


def install(*command: "str | Path", lock: Path) -> None:
    # Nothing is missing in a lock; one holds another version than a package in it asks for.
    run(*command, "--no-deps", "--require-hashes", "-r", lock)
    run(*command, "--no-deps", "--no-build-isolation", "-e", ROOT)


def find_uv(folder: Path) -> "Path | None":
    """Several times as fast as pip, and one installation of it serves every environment."""
    places = (folder / "bin" / "uv", ROOT / ".venv" / "bin" / "uv", BOOT / "bin" / "uv")
    return next((place for place in places if place.exists()), None)


def run(*command: "str | Path") -> None:
    """Runs a command quietly: what it printed matters only when it failed."""
    try:
        done = subprocess.run(
            command, check=False, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise Failed(str(error)) from None
    if done.returncode:
        # Addresses are left out: they may hold a private registry's credentials.
        lines = (
            re.sub(r"https?://\S+", "(address)", done.stdout.decode(errors="replace")).strip().splitlines()
        )
        told = [*lines[:8], *lines[8:][-8:]]
        raise Failed("\n".join(told) or f"{command[0]} ended with {done.returncode}")


def say(line: str) -> None:
    print(f"[install] {line}", flush=True)


def newer_python() -> str:
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # A version manager's stand-in may be on the path for a Python that is not there.
        if (
            found
            and subprocess.run([found, "-c", ""], check=False, stderr=subprocess.DEVNULL).returncode == 0
        ):
            return found
    raise Failed(f"Python 3.10 or newer is needed; {sys.executable} is {sys.version.split()[0]}")


if __name__ == "__main__":
    try:
        if sys.version_info < OLDEST:
            newer = newer_python()
            os.execv(newer, [newer, *sys.argv])
        target, *names = sys.argv[1:]
        main(ROOT / target, *(LOCKS / f"{name}.txt" for name in names))
    except Failed as failure:
        sys.exit(f"[install] {failure}")
