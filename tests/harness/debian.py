"""A tool from a Debian package of the testing release, without changing this machine's packages.

apt runs with lists of its own, from the mirror and with the keys that the machine has; the package is only unpacked.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def fetch(package: str, binary: str, folder: Path) -> Path:
    """Put a package's program into `folder`, once; AssertionError with apt's words where that does not work."""
    place = folder / binary
    if place.exists():
        return place
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="apt-", dir=folder) as name:
        apt = Path(name)
        options = _private(apt, _mirror())
        _run("apt-get", *options, "-q", "update", cwd=apt)
        _run("apt-get", *options, "-q", "download", package, cwd=apt)
        _run("dpkg-deb", "-x", str(next(apt.glob("*.deb"))), "unpacked", cwd=apt)
        found = next(path for path in (apt / "unpacked" / "usr").rglob(binary) if path.is_file())
        shutil.move(found, place)
    return place


def _mirror() -> str:
    """Where this machine gets Debian from: what an update would fetch, known also where the lists were removed."""
    told = _run("apt-get", "-oDebug::NoLocking=1", "--print-uris", "update")
    found = re.search(r"'(\S+/debian)/dists/\w+/InRelease'", told)
    assert found, f"no archive of Debian's is known here:\n{told}"
    return found[1]


def _private(place: Path, mirror: str) -> list[str]:
    """Options that keep apt away from the machine's own lists, caches and state."""
    for folder in ("state", "lists/partial", "cache/archives/partial"):
        (place / folder).mkdir(parents=True)
    (place / "status").touch()
    (place / "sources.list").write_text(f"deb [signed-by={_KEYS}] {mirror} testing main\n")
    settings = {
        "Dir::State": "state",
        "Dir::State::Lists": "lists",
        "Dir::State::Status": "status",
        "Dir::Cache": "cache",
        "Dir::Etc::SourceList": "sources.list",
    }
    options = [f"-o{name}={place / value}" for name, value in settings.items()]
    # No fragments of the machine's, no user of apt's own, who could not write here; no translations.
    return [*options, "-oDir::Etc::SourceParts=-", "-oAPT::Sandbox::User=", "-oAcquire::Languages=none"]


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]} {command[-1]}: {done.stderr}"
    return done.stdout
