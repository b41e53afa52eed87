"""Records the spans that other people's packages make of the same calls, each in its newest version.

    python -m tests.golden.record                 # all of them, each in an environment of its own (needs uv)
    python -m tests.golden.record openllmetry     # this one

The calls go to the local model server.  What differs from run to run (ids, ports, times) is made equal, so that a
second recording of the same versions changes no file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.golden.recipes import RECIPES, Recipe

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SPANS = HERE / "spans"
_PORT = 8080
_TIME = "2026-01-01T00:00:00.001500Z"  # half a tick after a first span began, as `replay.py` has it


def record(recipe: Recipe) -> dict[str, Any]:
    """The spans of every call of a recipe, in this environment, which has its packages."""
    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

    with ModelServer() as server:
        seen = Seen()
        calls: dict[str, Any] = {}
        for name, call in recipe.calls(server, seen):
            server.clear()
            call()
            calls[name] = _normal(seen.taken(), server.port)
    return {"packages": {**_versions(recipe), **seen.packages}, "calls": calls}


def _versions(recipe: Recipe) -> dict[str, str]:
    names = [re.split(r"[\[<>=]", requirement)[0] for requirement in recipe.requirements]
    return {name: metadata.version(name) for name in sorted(names)}


def _normal(value: Any, port: int) -> Any:
    """``value`` with what differs from run to run replaced, equal things by equal ones."""
    text = json.dumps(value, default=str)
    text = re.sub(rf"(127\.0\.0\.1|localhost):{port}\b", rf"\1:{_PORT}", text)
    text = re.sub(rf'(port"?: ){port}\b', rf"\g<1>{_PORT}", text)
    text = re.sub(r"\b(chatcmpl-|resp_|call_|msg_|req_|rs_|fc_)[0-9A-Za-z]{8,}", r"\1example", text)
    text = re.sub(
        r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "00000000-0000-4000-8000-000000000000", text
    )
    text = re.sub(r"\b(?=[0-9a-f]*[a-f])[0-9a-f]{32}\b", "0" * 32, text)
    text = re.sub(r"(?<!\.)\b(?=[0-9a-f]*[a-f])[0-9a-f]{16}\b", "0" * 16, text)
    text = re.sub(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?", _TIME, text)
    text = re.sub(r"\b1[789]\d{8}(?:\d{3}|\d{6}|\d{9})?\b", "1767225600", text)
    text = re.sub(r"\b\d+\.\d{5,}(?:e-\d+)?\b", "0.5", text)
    text = re.sub(r"\b\d\.\d+e-\d+\b", "0.5", text)
    text = re.sub(r"\b0x[0-9a-f]{8,}\b", "0x0", text)
    text = re.sub(r"(?:/[\w.-]+)+/(?=site-packages/|python3)", "", text)
    return json.loads(text.replace(str(ROOT), ""))


def in_its_own_environment(name: str, recipe: Recipe) -> None:
    """Install the packages of a recipe into a fresh environment and record there."""
    with tempfile.TemporaryDirectory() as folder:
        python = str(Path(folder) / "bin" / "python")
        subprocess.run(["uv", "venv", "-q", folder], check=True)
        wanted = ["opentelemetry-sdk", *recipe.requirements]
        overrides = Path(folder) / "overrides.txt"
        overrides.write_text("\n".join(recipe.overrides), encoding="utf-8")
        install = [
            "uv",
            "pip",
            "install",
            "-q",
            "--upgrade",
            "--python",
            python,
            "--override",
            str(overrides),
        ]
        subprocess.run([*install, *wanted], check=True)
        subprocess.run(
            [python, "-m", "tests.golden.record", "--here", name], check=True, cwd=ROOT, env=_environment()
        )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}


def _chosen(names: list[str]) -> Iterator[tuple[str, Recipe]]:
    table: Mapping[str, Recipe] = RECIPES
    for name in names or table:
        yield name, table[name]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--here", action="store_true", help="in this environment")
    arguments = parser.parse_args()
    for name, recipe in _chosen(arguments.names):
        if not arguments.here:
            in_its_own_environment(name, recipe)
            continue
        os.environ.update(recipe.environment)
        recorded = json.dumps(record(recipe), indent=1, sort_keys=True, ensure_ascii=False)
        (SPANS / f"{name}.json").write_text(recorded + "\n", encoding="utf-8")
        print(name, {call: len(spans) for call, spans in json.loads(recorded)["calls"].items()})
    sys.stdout.flush()
    if arguments.here:
        os._exit(0)  # some packages wait for back ends that are not there


if __name__ == "__main__":
    main()
