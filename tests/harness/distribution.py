"""Installed distributions of a test's own: a folder for the path with modules and their metadata."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path


def distribution(
    folder: Path,
    name: str,
    *,
    modules: Mapping[str, str] | None = None,
    version: str = "1.0",
    requires: Sequence[str] = (),
    entry_points: Mapping[str, str] | None = None,
) -> None:
    """Write a distribution into `folder`.

    `modules` maps dotted names to source; `entry_points` maps "group:name" to "module:attribute".
    """
    for module, text in (modules or {}).items():
        path = folder / (module.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    wanted = "".join(f"Requires-Dist: {each}\n" for each in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wanted}")
    (info / "top_level.txt").write_text("\n".join({each.partition(".")[0] for each in modules or {}}))
    lines: list[str] = []
    for key, value in (entry_points or {}).items():
        group, _, entry = key.partition(":")
        lines += [f"[{group}]", f"{entry} = {value}"]
    (info / "entry_points.txt").write_text("\n".join(lines))
