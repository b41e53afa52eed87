"""The shipped configs with a few values of the test's: how often, how long, whom to tell."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml


@contextmanager
def change(path: Path) -> Generator[Any]:
    """What a YAML file says, to be changed in the block."""
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield said
    path.write_text(yaml.safe_dump(said), encoding="utf-8")


def at_once(config: Path) -> None:
    """Rules are evaluated each second, those of thirty days too."""
    with change(config / "prometheus" / "prometheus.yml") as prometheus:
        prometheus["global"]["evaluation_interval"] = "1s"
    for path in (config / "prometheus" / "rules").glob("*.yml"):
        with change(path) as rules:
            for group in rules["groups"]:
                group.pop("interval", None)
