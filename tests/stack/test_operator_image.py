"""The image for the OpenTelemetry operator: what its Dockerfile installs, injected as the operator injects it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.process import ROOT, run
from tests.harness.sink import HttpSink
from tests.pythons import VERSIONS, find

IMAGE = ROOT / "collector-config" / "kubernetes" / "python-image"
PROGRAM = """
import sys
from opentelemetry import trace

with trace.get_tracer("app").start_as_current_span("work"):
    pass
print([name for name in sys.modules if name.split(".")[0] in ("grpc", "example")])
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage of the Dockerfile leaves, from this tree; installed once, by this Python."""
    folder = tmp_path_factory.mktemp("image") / "packages"
    step = re.search(
        r"^RUN (pip install (?:.|\\\n)*?[^\\])$", (IMAGE / "Dockerfile").read_text(), re.MULTILINE
    )
    assert step
    uv = Path(sys.executable).parent / "uv"
    command = step[1].replace("pip install --no-cache-dir", f"{uv} pip install -q --python {sys.executable}")
    command = command.replace("genai-otel==${VERSION}", str(ROOT)).replace("/packages", str(folder))
    subprocess.run(["sh", "-ec", command], check=True, env={**os.environ, "EXTRA": ""})
    return folder


@pytest.mark.parametrize("version", [version for version in VERSIONS if not version.endswith("t")])
def test_a_program_of_another_python_is_traced(version: str, packages: Path) -> None:
    python = find(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    injected = {  # as injectPythonSDKToContainer and getDefaultPythonEnvVars of the operator do
        "PYTHONPATH": f"{packages}/opentelemetry/instrumentation/auto_instrumentation:{packages}",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_SERVICE_NAME": "app",
    }
    with HttpSink() as sink:
        done = run(PROGRAM, env={**sink.environment(), **injected}, launcher=(python,)).ok()
        (span,) = sink.spans("work")
    assert done.out == "[]\n"
    assert span.resource["telemetry.distro.name"] == "genai-otel"
    assert span.resource["service.name"] == "app"


def test_the_image_has_both_folders_that_the_operator_copies() -> None:
    dockerfile = (IMAGE / "Dockerfile").read_text()
    stages = dict(re.findall(r"^COPY --from=(\w+) \S+ /packages (\S+)$", dockerfile, re.MULTILINE))
    assert stages == {"glibc": "/autoinstrumentation", "musl": "/autoinstrumentation-musl"}
    installs = re.findall(r"pip install (?:.|\\\n)*?[^\\]$", dockerfile, re.MULTILINE)
    assert len(set(installs)) == 1, "the stages install different things"
