"""The Collector's fragments as far as no running program is needed; `make stack-test` runs them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from programs.launcher import programs

from tests.harness.process import ROOT

FRAGMENTS = sorted((ROOT / "collector-config" / "otelcol").glob("[0-9]*.yaml"))


def test_the_collector_takes_them(tmp_path: Path) -> None:
    binary = programs.binary("otelcol")
    if binary is None:
        pytest.skip("the Collector is not built; make stack-up builds it")
    command = [str(binary), "validate", *(f"--config={fragment}" for fragment in FRAGMENTS)]
    env = {"OTELCOL_STATE": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_compose_layers_all_of_them() -> None:
    compose = (ROOT / "collector-config" / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"--config=/etc/otelcol/(\S+)", compose) == [fragment.name for fragment in FRAGMENTS]


def test_nothing_listens_beyond_loopback_unless_it_is_told_to() -> None:
    defaults = "\n".join(path.read_text(encoding="utf-8") for path in FRAGMENTS)
    listening = re.findall(r"(?:endpoint|host): \"?\$\{env:\w+:-([^}]+)\}", defaults)
    assert listening
    assert [each for each in listening if not each.startswith(("127.0.0.1", "http://127.0.0.1"))] == []
    assert re.search(r"pprof|zpages|\bdebug:", defaults) is None


def test_memory_is_limited_first() -> None:
    pipelines = FRAGMENTS[-1].read_text(encoding="utf-8")
    taken_in = re.findall(r"receivers: \[otlp\]\n\s+processors: \[(\w+)", pipelines)
    assert taken_in == ["memory_limiter"] * 3


def test_every_queue_is_a_file_and_tries_for_ever() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FRAGMENTS[-3:]]
    queues = sum(text.count("sending_queue:") for text in texts)
    assert queues == 4
    assert sum(len(re.findall(r"storage: file_storage|\*queue\b", text)) for text in texts) == queues
    assert sum(text.count("max_elapsed_time: 0s") + text.count("*retry") for text in texts) == queues
