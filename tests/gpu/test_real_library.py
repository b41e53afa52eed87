"""NVIDIA's own library without a driver: `pytest -m real_nvml tests/gpu`, on Debian with a package archive at hand.

The package is fetched from the archive that the machine uses already, out of its part `non-free`, into a folder of the
test's own, and stays there.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gpu.passes import passes
from tests.gpu.test_doctor import said
from tests.gpu.test_errors import loud

pytestmark = [pytest.mark.process, pytest.mark.real_nvml]

PACKAGE = "libnvidia-ml1"


def fetched(folder: Path) -> Path:
    """The folder of the library; skips the test where it cannot be had."""
    if not shutil.which("apt-get"):
        pytest.skip("needs Debian's package manager, which brings the library")
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has a driver")
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    archives = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\n")
    sources = folder / "sources.list"
    sources.write_text("".join(f"deb {archive} non-free\n" for archive in sorted({*archives} - {""})))
    (folder / "lists" / "partial").mkdir(parents=True)
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder,
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    for command in ([*apt, "update"], [*apt, "download", PACKAGE]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"the archive does not give {PACKAGE}: {done.stderr.strip()[:300]}")
    (package,) = folder.glob(f"{PACKAGE}_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(folder / "root")], check=True)
    (library,) = folder.rglob("libnvidia-ml.so.1")
    return library.parent


def test_the_library_without_a_driver(tmp_path: Path) -> None:
    environ = {"LD_LIBRARY_PATH": str(fetched(tmp_path)), "XDG_RUNTIME_DIR": str(tmp_path)}
    quiet, later = passes(None, {}, {"pass": "minutes"}, GENAI_OTEL_GPU="auto", **environ)
    assert (later.points, later.failures, loud(later)) == ([], {}, [])
    assert "NVMLError_DriverNotLoaded" in quiet.logs[0][1]
    (wanted,) = passes(None, GENAI_OTEL_GPU="on", **environ)
    ((level, text),) = wanted.logs
    assert (level, wanted.failures) == ("WARNING", {"NVMLError_DriverNotLoaded": 1})
    assert "NVMLError_DriverNotLoaded: Driver Not Loaded" in text
    (finding,) = said(**environ)
    assert (finding["level"], finding["gpus"]) == ("ok", 0)
