"""The Collector's fragments: it takes each of them without a warning, and nothing is open to the net."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.stack.collector import CONFIG, FRAGMENTS, PRODUCTION, options, program
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


def test_nothing_listens_beyond_loopback_unless_it_is_told_to() -> None:
    defaults = "\n".join(path.read_text(encoding="utf-8") for path in FRAGMENTS)
    listening = re.findall(r"(?:endpoint|host): \"?\$\{env:\w+:-([^}]+)\}", defaults)
    assert listening
    assert [
        each for each in listening if not each.startswith(("127.0.0.1", "http://127.0.0.1", "/var/lib"))
    ] == []
    assert re.search(r"pprof|zpages|\bdebug:", defaults) is None


def test_memory_is_limited_first() -> None:
    pipelines = (CONFIG / "70-pipelines.yaml").read_text(encoding="utf-8")
    taken_in = re.findall(r"receivers: \[otlp\]\n\s+processors: \[(\w+)", pipelines)
    assert taken_in == ["memory_limiter"] * 3
