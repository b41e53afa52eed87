"""The Collector's fragments: it takes each of them without a warning."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.stack.collector import FRAGMENTS, PRODUCTION, options, program
from tests.stack.observed import Running

MORE = sorted(PRODUCTION.glob("*.yaml"))


def test_the_collector_takes_them_without_a_warning(tmp_path: Path) -> None:
    with Running(tmp_path) as seen:
        process = seen.collector.process
        assert process is not None
        told = [line for line in process.err.splitlines() if '"level":"info"' not in line]
    # The first look for the socket of its own receiver comes before that listens.
    assert [line for line in told if "@/genai-otel/" not in line] == []


@pytest.mark.parametrize("fragment", MORE, ids=lambda path: path.stem)
def test_fragments_for_production_are_layered_on_them(fragment: Path, tmp_path: Path) -> None:
    needed = re.findall(r"\$\{env:(\w+)\}", fragment.read_text(encoding="utf-8"))
    env = {"PATH": "", "OTELCOL_STATE": str(tmp_path), **dict.fromkeys(needed, "/dev/null")}
    env["VENDOR_OTLP_HEADERS"] = "{api-key: secret}"
    command = [program(), "validate", *options((*FRAGMENTS, fragment))]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
