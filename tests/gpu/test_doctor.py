"""What doctor says of GPUs: how many, or why none."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gpu.nvml import FakeNvml
from tests.gpu.test_whole import port_of, scraped_until, serve
from tests.harness.process import Process

pytestmark = pytest.mark.process


def said(**environ: str) -> list[dict[str, Any]]:
    """The findings about GPUs."""
    with Process((sys.executable, "-m", "genai_otel.cli", "doctor", "--json"), env=environ) as process:
        findings = json.loads(process.finish().out)["findings"]
    return [finding for finding in findings if finding["area"] == "gpus"]


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="this machine has a driver")
def test_a_machine_without_a_driver_is_healthy_unless_gpus_are_wanted() -> None:
    (finding,) = said()
    assert (finding["level"], finding["gpus"]) == ("ok", 0)
    assert "NVMLError_LibraryNotFound" in finding["text"]
    (finding,) = said(GENAI_OTEL_GPU="on")
    assert (finding["level"], finding["advice"]) == ("problem", "GENAI_OTEL_GPU asks for GPUs")
    (finding,) = said(GENAI_OTEL_GPU="off")
    assert finding["text"] == "GPUs are not read, as GENAI_OTEL_GPU says"


def test_gpus_are_counted_and_a_lost_one_is_a_problem(nvml: FakeNvml) -> None:
    nvml.set(gpus=2)
    count, *each = said(**nvml.environment())
    assert (count["text"], count["gpus"]) == ("2 GPUs can be read", 2)
    assert [finding["level"] for finding in each] == ["ok", "ok"]
    assert each[0]["text"].startswith("GPU 0, NVIDIA H200: ok, ")
    nvml.set(gpu1__fail=15)
    assert {"problem", "note"} <= {finding["level"] for finding in said(**nvml.environment())}


def test_what_may_not_be_read_and_a_driver_of_another_version_are_named(nvml: FakeNvml) -> None:
    nvml.set(fail__nvmlDeviceGetPowerUsage=4)
    assert "1 readings failed with NVMLError_NoPermission" in [
        finding["text"] for finding in said(**nvml.environment())
    ]
    nvml.set(fail__nvmlInitWithFlags=18)
    (finding,) = said(**nvml.environment())
    assert finding["level"] == "problem"
    assert "load the driver anew" in finding["text"]


@pytest.mark.slow
def test_a_driver_that_hangs_is_a_problem_and_not_a_doctor_that_hangs(nvml: FakeNvml) -> None:
    nvml.set(delay_us__nvmlDeviceGetPowerUsage=20_000_000)
    (finding,) = said(**nvml.environment())
    assert (finding["level"], "does not answer within 5 s" in finding["text"]) == ("problem", True)


def test_the_process_that_reads_them_already_is_mentioned(nvml: FakeNvml) -> None:
    with serve(nvml) as process:
        scraped_until(port_of(process), "hw_power_watts")
        assert any(
            "a process of this user reads them already" in finding["text"]
            for finding in said(**nvml.environment())
        )
