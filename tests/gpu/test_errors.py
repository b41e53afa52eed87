"""What NVML answers in place of a value: every code has its consequence, and none of them is a number."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.gpu.nvml import GIB, FakeNvml
from tests.gpu.passes import Pass, passes
from tests.gpu.test_readings import GPU_0, GPU_1
from tests.harness.process import run

pytestmark = pytest.mark.process


def loud(one: Pass) -> list[tuple[str, str]]:
    """What was logged above DEBUG."""
    return [line for line in one.logs if line[0] != "DEBUG"]


# --- no GPU can be read --------------------------------------------------------------------------


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="this machine has a driver")
def test_without_a_library_auto_says_nothing_and_on_says_it_once(tmp_path: Path) -> None:
    for one in passes(None, {}, {}, GENAI_OTEL_GPU="auto", XDG_RUNTIME_DIR=str(tmp_path)):
        assert (one.points, one.failures, loud(one)) == ([], {}, [])
        ((level, text),) = one.logs
        assert level == "DEBUG"
        assert "NVMLError_LibraryNotFound" in text
    for one in passes(None, {}, {}, GENAI_OTEL_GPU="on"):
        ((level, text),) = one.logs
        assert level == "WARNING"
        assert "GPUs are not read: NVMLError_LibraryNotFound" in text
        assert one.failures == {"NVMLError_LibraryNotFound": 1}  # it was not tried again


def test_without_the_binding_there_are_no_gpus() -> None:
    script = "import sys; sys.modules['pynvml'] = None; sys.argv = ['', '[{}]']\n"
    script += "from tests.gpu.passes import main; main([{}])"
    done = run(script, env={"GENAI_OTEL_GPU": "on"}).ok()
    assert '"points": []' in done.out
    assert "pynvml cannot be imported" in done.out


def test_a_driver_that_is_loaded_later_is_found_without_a_restart(nvml: FakeNvml) -> None:
    no_driver, at_once, later = passes(
        nvml,
        {"fail.nvmlInitWithFlags": 9},
        {"fail.nvmlInitWithFlags": 0},
        {"pass": "minutes"},
        GENAI_OTEL_GPU="auto",
    )
    assert (no_driver.points, no_driver.failures, loud(no_driver)) == ([], {}, [])
    assert (at_once.points, at_once.calls) == ([], 0)  # nobody asks a missing driver every few seconds
    assert later.value("hw.power") == 523.4


def test_a_library_of_another_version_than_the_driver_is_one_warning_with_both(nvml: FakeNvml) -> None:
    broken, still, repaired = passes(
        nvml,
        {"fail.nvmlInitWithFlags": 18, "nvml": "13.615.71"},
        {"pass": "minutes"},
        {"pass": "minutes", "fail.nvmlInitWithFlags": 0},
    )
    ((level, text),) = still.logs
    assert level == "WARNING"
    assert "The library is 13.615.71, the driver that is loaded is" in text
    assert still.failures == {"NVMLError_LibRmVersionMismatch": 2}
    assert broken.points == still.points == []
    assert repaired.value("hw.power") == 523.4


@pytest.mark.parametrize("code", [10, 17, 999])
def test_any_other_error_of_the_beginning_is_counted_and_tried_again(nvml: FakeNvml, code: int) -> None:
    broken, repaired = passes(
        nvml,
        {"fail.nvmlInitWithFlags": code},
        {"pass": "minutes", "fail.nvmlInitWithFlags": 0},
        GENAI_OTEL_GPU="auto",
    )
    assert sum(broken.failures.values()) == 1
    assert repaired.value("hw.power") == 523.4


def test_somebody_else_who_shuts_nvml_down_is_noticed_and_it_is_opened_again(nvml: FakeNvml) -> None:
    before, after = passes(nvml, {}, {"call": "nvmlShutdown"})
    assert after.points == before.points
    assert (after.refs, after.failures) == (1, {})


def test_an_nvml_that_stays_uninitialised_is_a_failure_and_no_loop(nvml: FakeNvml) -> None:
    (alone,) = passes(nvml, {"fail.nvmlDeviceGetCount_v2": 1})
    assert alone.points == []
    assert alone.failures == {"NVMLError_Uninitialized": 1}
    assert alone.calls < 10


def test_a_driver_that_goes_and_comes_back(nvml: FakeNvml) -> None:
    there, gone, back = passes(
        nvml,
        {},
        {"fail.nvmlDeviceGetUtilizationRates": 9},
        {"pass": "minutes", "fail.nvmlDeviceGetUtilizationRates": 0},
    )
    assert gone.points == []
    assert back.points == there.points
    assert back.refs == 1  # what was open was shut down first


# --- one GPU cannot be read ----------------------------------------------------------------------


@pytest.mark.seed_rows("003-10")
@pytest.mark.parametrize("code", [15, 16])
def test_a_lost_gpu_says_so_while_the_other_goes_on_and_comes_back(nvml: FakeNvml, code: int) -> None:
    nvml.set(gpus=2)
    there, lost, still, back = passes(
        nvml, {}, {"gpu1.fail": code}, {"energy_mj": 98_765_433_000}, {"gpu1.fail": 0}
    )
    for each in (lost, still):
        states = each.values("hw.status", "hw.id", "hw.state")
        assert (states[GPU_1, "failed"], states[GPU_1, "ok"]) == (1, 0)
        assert (states[GPU_0, "failed"], states[GPU_0, "ok"]) == (0, 1)
        own = Counter(name for name, _, labels in each.points if labels["hw.id"] == GPU_1)
        assert own == {"hw.status": 4}
        assert each.values("hw.gpu.utilization", "hw.id") == {GPU_0: 0.41}
    assert still.values("hw.energy") == {GPU_0: 98_765_433}
    assert [*lost.failures.values(), *still.failures.values()] == [1, 2]
    assert {name for name, _, _ in back.points} == there.metrics
    assert back.values("hw.status", "hw.id", "hw.state")[GPU_1, "ok"] == 1


def test_a_gpu_that_is_lost_from_the_beginning_is_known_by_its_number(nvml: FakeNvml) -> None:
    nvml.set(gpus=2, gpu0__fail=15)
    (alone,) = passes(nvml)
    assert alone.values("hw.status", "hw.name", "hw.state")["GPU 0", "failed"] == 1
    assert alone.values("hw.power") == {GPU_1: 523.4}


@pytest.mark.parametrize("code", [2, 3, 13, 25, 26])
def test_what_is_not_supported_is_not_asked_again(nvml: FakeNvml, code: int) -> None:
    first, second = passes(nvml, {"fail.nvmlDeviceGetUtilizationRates": code}, {})
    assert "hw.gpu.utilization" not in first.metrics | second.metrics
    assert (second.failures, loud(second)) == ({}, [])
    assert second.calls < first.calls
    again, _ = passes(
        nvml, {"fail.nvmlDeviceGetUtilizationRates": code}, {"fail.nvmlDeviceGetUtilizationRates": 0}
    )
    assert "hw.gpu.utilization" not in again.metrics


def test_what_is_not_permitted_is_left_out_with_one_word(nvml: FakeNvml) -> None:
    nvml.set(gpus=2)
    first, second = passes(nvml, {"gpu1.fail.nvmlDeviceGetPowerUsage": 4}, {})
    assert second.values("hw.power") == {GPU_0: 523.4}
    assert second.values("hw.gpu.memory.usage") == {GPU_0: 120 * GIB, GPU_1: 120 * GIB}
    ((level, text),) = loud(second)
    assert (level, "NVMLError_NoPermission" in text) == ("INFO", True)
    assert first.failures == second.failures == {"NVMLError_NoPermission": 1}


def test_a_gpu_of_somebody_else_is_left_out(nvml: FakeNvml) -> None:
    nvml.set(gpus=2, gpu1__fail=4)
    (alone,) = passes(nvml)
    assert alone.values("hw.power") == {GPU_0: 523.4}
    assert alone.values("hw.status", "hw.id", "hw.state").keys() == {
        (GPU_0, state) for state in ("ok", "degraded", "failed", "predicted_failure")
    }


@pytest.mark.parametrize("code", [6, 21])
def test_nothing_to_tell_just_now_is_no_failure(nvml: FakeNvml, code: int) -> None:
    now, later = passes(
        nvml, {"fail.nvmlDeviceGetUtilizationRates": code}, {"fail.nvmlDeviceGetUtilizationRates": 0}
    )
    assert ("hw.gpu.utilization" in now.metrics, now.failures) == (False, {})
    assert "hw.gpu.utilization" in later.metrics


@pytest.mark.parametrize("code", [10, 17, 20, 999])
def test_any_other_error_is_counted_and_asked_again(nvml: FakeNvml, code: int) -> None:
    now, later = passes(
        nvml, {"fail.nvmlDeviceGetUtilizationRates": code}, {"fail.nvmlDeviceGetUtilizationRates": 0}
    )
    assert "hw.gpu.utilization" not in now.metrics
    assert now.value("hw.power") == 523.4
    assert [kind.startswith("NVMLError_") for kind in now.failures] == [True]
    assert "hw.gpu.utilization" in later.metrics


# --- older drivers -------------------------------------------------------------------------------


def test_functions_that_an_older_driver_lacks_are_done_without(tmp_path: Path) -> None:
    without = (
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetTemperatureV",
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetFieldValues",
        "nvmlDeviceGetMigMode",
    )
    nvml = FakeNvml(tmp_path, without=without, clock_reasons=0x40, procs=1)
    (alone,) = passes(nvml)
    # The older call counts what the driver has reserved as used, too.
    assert alone.value("hw.gpu.memory.usage") == 120 * GIB + GIB // 2
    assert "genai_otel.gpu.memory.reserved" not in alone.metrics
    assert alone.values("hw.temperature", "hw.sensor_location") == {"gpu": 61}
    reasons = alone.values("genai_otel.gpu.clock.throttled", "genai_otel.gpu.throttle.reason")
    assert {reason for reason, value in reasons.items() if value} == {"hw_thermal_slowdown"}
    assert (alone.failures, loud(alone)) == ({}, [])


def test_a_struct_of_another_version_falls_back_to_the_older_call(nvml: FakeNvml) -> None:
    (alone,) = passes(nvml, {"fail.nvmlDeviceGetMemoryInfo_v2": 25})
    assert alone.value("hw.gpu.memory.usage") == 120 * GIB + GIB // 2
    assert alone.failures == {}


# --- which GPUs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "seen"),
    [
        ({}, {GPU_0, GPU_1}),
        ({"CUDA_VISIBLE_DEVICES": "0"}, {GPU_0, GPU_1}),  # CUDA's order need not be NVML's
        ({"CUDA_VISIBLE_DEVICES": GPU_1}, {GPU_1}),
        ({"NVIDIA_VISIBLE_DEVICES": f"{GPU_0},x"}, {GPU_0}),
        ({"CUDA_VISIBLE_DEVICES": GPU_1, "NVIDIA_VISIBLE_DEVICES": GPU_0}, {GPU_1}),
        ({"CUDA_VISIBLE_DEVICES": GPU_1, "GENAI_OTEL_GPU": "all"}, {GPU_0, GPU_1}),
        ({"CUDA_VISIBLE_DEVICES": GPU_1[:-2]}, {GPU_0, GPU_1}),  # beginnings will do
        ({"CUDA_VISIBLE_DEVICES": "GPU-ffff"}, set[str]()),
    ],
)
def test_gpus_are_ours_by_their_uuids(nvml: FakeNvml, variables: dict[str, str], seen: set[str]) -> None:
    nvml.set(gpus=2)
    (alone,) = passes(nvml, **variables)
    assert set(alone.values("hw.power")) == seen


def test_a_mig_instance_can_be_named_alone(nvml: FakeNvml) -> None:
    nvml.set(mig=2)
    instance = "MIG-00000000-0000-4000-8001-000000000000"
    (alone,) = passes(nvml, CUDA_VISIBLE_DEVICES=instance)
    assert {labels["hw.id"] for _, _, labels in alone.points} == {instance}


def test_an_instance_that_is_made_later_is_found(nvml: FakeNvml) -> None:
    before, after = passes(nvml, {"mig": 1}, {"mig": 2, "pass": "minutes"})
    assert [len(each.values("hw.gpu.memory.usage")) for each in (before, after)] == [2, 3]


@pytest.mark.seed_rows("003-10", "003-08")
def test_the_binding_is_loaded_without_a_warning_and_no_cuda_context_is_made(nvml: FakeNvml) -> None:
    script = """
    import os, sys, warnings
    from genai_otel.config import Config
    from genai_otel.gpu.machine import machine
    from genai_otel.gpu.observe import chosen
    config = Config.load({}, os.environ)
    gpus = machine(config, os.environ, chosen(config))
    filters = list(warnings.filters)
    assert "pynvml" not in sys.modules
    assert gpus.read()
    assert warnings.filters == filters
    with open("/proc/self/maps") as maps:
        loaded = maps.read()
    assert "libnvidia-ml" in loaded
    assert "libcuda" not in loaded
    """
    done = run(
        script, env=nvml.environment(GENAI_OTEL_GPU="on"), launcher=(sys.executable, "-W", "error")
    ).ok()
    assert done.err == ""
