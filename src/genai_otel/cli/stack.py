"""``genai-otel stack DIR``: the bundled stack as a folder of the person's own, to run and to change."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_NOTE = ".written-by-genai-otel.json"
"""Which files were written, and how: a newer release replaces those that nobody changed since."""


def run(name: str, *, force: bool) -> int:
    """Write the stack into a folder; exit code 1, and nothing written, where that would lose somebody's changes."""
    folder = Path(name)
    wanted = dict(_shipped())
    noted = _read_note(folder)
    changed = [
        path for path in {**wanted, **noted} if _is_changed(folder / path, wanted.get(path), noted.get(path))
    ]
    if changed and not force:
        print(f"{folder}: changed since they were written, or not ours:", file=sys.stderr)
        print("\n".join(f"  {path}" for path in sorted(changed)), file=sys.stderr)
        print("nothing was written; --force replaces them", file=sys.stderr)
        return 1
    _write(folder, wanted, noted)
    print(f"{len(wanted)} files in {folder}; README.md says what is what")
    print(f"with a container engine:  cd {folder} && docker compose up -d --wait")
    print(f"without:                  {Path(sys.executable).name} {folder / 'stack.py'} up")
    return 0


def bundled() -> Path:
    """The folder that comes with this package; in a checkout it stands beside ``src``."""
    carried = _PACKAGE / "collector-config"
    return carried if carried.is_dir() else _PACKAGE.parents[1] / "collector-config"


def _shipped() -> Iterator[tuple[str, bytes]]:
    source = bundled()
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(source).as_posix(), path.read_bytes()


def _read_note(folder: Path) -> dict[str, str]:
    try:
        return json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def _is_changed(path: Path, wanted: bytes | None, noted: str | None) -> bool:
    """Whether a file holds what neither this release nor the one that wrote it put there."""
    if not path.exists():
        return False
    content = path.read_bytes()
    return content != wanted and _hash(content) != noted


def _write(folder: Path, wanted: Mapping[str, bytes], noted: Mapping[str, str]) -> None:
    for path in set(noted) - set(wanted):  # a rule file that is shipped no more must not go on firing
        (folder / path).unlink(missing_ok=True)
    for path, content in wanted.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    note = {path: _hash(content) for path, content in wanted.items()}
    (folder / _NOTE).write_text(json.dumps(note, indent=1), encoding="utf-8")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
