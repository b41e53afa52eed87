"""Every reading, through the real binding: what the driver says is exported, and what it does not say is absent."""

from __future__ import annotations

import os

import pytest

from genai_otel.gpu.device import MOST_CALLS
from genai_otel.gpu.fields import Unwrapped
from genai_otel.gpu.table import METRICS, THROTTLE_BITS
from tests.gpu.nvml import GIB, STATE, FakeNvml
from tests.gpu.passes import Step, passes

pytestmark = pytest.mark.process

GPU_0 = "GPU-00000000-0000-4000-8000-000000000000"
GPU_1 = "GPU-00000000-0000-4000-8000-000000000001"
ALL = {"GENAI_OTEL_GPU_EXTRA": "fan,nvlink,process,serial_number", "GENAI_OTEL_GPU_GPM": "on"}

WHOLE: dict[str, object] = {
    "util": 87,
    "memutil": 41,
    "enc": 3,
    "dec": 5,
    "mem_total": 141 * GIB,
    "mem_used": 120 * GIB,
    "mem_reserved": GIB // 2,
    "energy_mj": 98_765_432_100,
    "power_mw": 523_400,
    "power_limit_mw": 700_000,
    "temp0": 61,
    "field82": 74,
    "temp_threshold0": 95,
    "temp_threshold1": 87,
    "ecc_vol_cor": 3,
    "ecc_vol_unc": 1,
    "pcie_replay": 2,
    "field197": 10_000,
    "field198": 20_000,
    "clock1": 1980,
    "clock2": 2619,
    "clock_reasons": 0x1 | 0x2 | 0x4 | 0x40,
    "field74": 1_500_000_000,
    "field76": 0,
    "field269": 2_000_000_000,
    "field270": 250_000_000,
    "field271": 0,
    "procs": 2,
    "proc0.mem": 7 * GIB,
    "proc0.sm": 44,
    "proc1.pid": 1,
    "proc1.mem": GIB,
    "proc1.sm": 11,
    "remap_unc": 0,
    "gpm": 1,
    "gpm2": 81.5,
    "gpm3": 40,
    "gpm5": 61.75,
    "gpm10": 12,
    "field202": 1000,
    "field204": 2000,
    "fan_percent": 130,
    "serial": "1650522000001",
}


@pytest.mark.seed_rows("003-07", "003-08")
def test_every_metric_says_what_the_driver_says(nvml: FakeNvml) -> None:
    _, second = passes(nvml, WHOLE, {"sleep": 0.15}, **ALL)
    assert second.metrics == {metric.name for metric in METRICS}
    assert second.values("hw.gpu.utilization", "hw.id", "hw.gpu.task") == {
        (GPU_0, "general"): 0.87,
        (GPU_0, "memory_access"): 0.41,
        (GPU_0, "encoder"): 0.03,
        (GPU_0, "decoder"): 0.05,
    }
    one = {
        "hw.gpu.memory.usage": 120 * GIB,
        "hw.gpu.memory.limit": 141 * GIB,
        "hw.gpu.memory.utilization": 120 / 141,
        "genai_otel.gpu.memory.reserved": GIB // 2,
        "hw.energy": 98_765_432.1,
        "hw.power": 523.4,
        "genai_otel.gpu.power.limit": 700,
        "genai_otel.gpu.process.memory.usage": 7 * GIB,
        "genai_otel.gpu.process.utilization": 0.44,
        "genai_otel.gpu.sm.utilization": 0.815,
        "genai_otel.gpu.sm.occupancy": 0.4,
        "genai_otel.gpu.tensor.utilization": 0.6175,
        "genai_otel.gpu.memory.bandwidth.utilization": 0.12,
        "hw.fan.speed_ratio": 1.3,
    }
    assert {name: second.value(name) for name in one} == one
    assert second.values("hw.temperature", "hw.sensor_location") == {"gpu": 61, "memory": 74}
    assert second.values("hw.temperature.limit", "hw.limit_type") == {
        "high.degraded": 87,
        "high.critical": 95,
    }
    assert second.values("hw.errors", "error.type") == {"corrected": 3, "uncorrected": 1, "pcie_replay": 2}
    assert second.values("hw.gpu.io", "network.io.direction") == {"transmit": 10_000, "receive": 20_000}
    assert second.values("genai_otel.gpu.nvlink.io", "network.io.direction") == {
        "transmit": 18_000,
        "receive": 36_000,
    }
    clocks = second.values("genai_otel.gpu.clock.frequency", "genai_otel.gpu.clock.domain")
    assert clocks == {"sm": 1_980_000_000, "memory": 2_619_000_000}
    reasons = second.values("genai_otel.gpu.clock.throttled", "genai_otel.gpu.throttle.reason")
    assert set(reasons) == set(THROTTLE_BITS)  # neither idle nor clocks that somebody has set
    assert {reason for reason, value in reasons.items() if value} == {"sw_power_cap", "hw_thermal_slowdown"}
    assert second.values("genai_otel.gpu.clock.throttled.time", "genai_otel.gpu.throttle.reason") == {
        "sw_power_cap": 1.5,
        "sync_boost": 0,
        "sw_thermal_slowdown": 2,
        "hw_thermal_slowdown": 0.25,
        "hw_power_brake_slowdown": 0,
    }
    assert second.failures == {}


@pytest.mark.seed_rows("003-07")
def test_who_a_gpu_is_stands_on_every_point_and_its_details_on_its_status(nvml: FakeNvml) -> None:
    nvml.set(serial="1650522000001")
    (alone,) = passes(nvml)
    common = {
        "hw.id": GPU_0,
        "hw.name": "GPU 0",
        "hw.model": "NVIDIA H200",
        "hw.vendor": "NVIDIA",
        "hw.type": "gpu",
    }
    details = {
        "hw.driver_version": "615.71.09",
        "genai_otel.gpu.pci_bus_id": "00000000:01:00.0",
        "genai_otel.gpu.compute_capability": "9.0",
    }
    assert alone.labels("hw.power") == [common]
    states = ("ok", "degraded", "failed", "predicted_failure")
    assert alone.labels("hw.status") == [{**common, **details, "hw.state": state} for state in states]
    (with_serial,) = passes(nvml, GENAI_OTEL_GPU_EXTRA="serial_number")
    assert with_serial.labels("hw.power") == [{**common, "hw.serial_number": "1650522000001"}]


def test_what_a_driver_does_not_say_is_absent_and_asked_once(nvml: FakeNvml) -> None:
    nvml.set(**{**dict.fromkeys(STATE), "gpus": 1})
    first, second = passes(nvml, {}, {}, **ALL)
    assert first.metrics == second.metrics == {"hw.status"}
    assert second.values("hw.status", "hw.state")["ok"] == 1
    assert second.calls == 1 + 2  # how many GPUs there are; the processes, as nobody runs
    assert second.failures == {}
    assert [line for line in second.logs if line[0] != "DEBUG"] == []


AGAIN: list[Step] = [{}] * 4
OLD_DRIVER: dict[str, object] = {key: value for key, value in WHOLE.items() if not key.startswith("field")}


@pytest.mark.parametrize("state", [WHOLE, OLD_DRIVER], ids=["new", "old"])
def test_a_pass_makes_few_calls_and_one_init(nvml: FakeNvml, state: dict[str, object]) -> None:
    nvml.set(gpus=2)
    done = passes(nvml, state, *AGAIN, {})
    for each in done[1:]:
        assert each.calls <= 1 + 2 * MOST_CALLS
        assert each.metrics == done[0].metrics
    assert MOST_CALLS <= 15
    assert {each.refs for each in done} == {1}


def test_what_takes_turns_is_read_again_within_a_few_passes(nvml: FakeNvml) -> None:
    changed = {"ecc_vol_unc": 9, "power_limit_mw": 500_000, "pcie_replay": 8, "remap_pending": 1}
    *_, last = passes(nvml, OLD_DRIVER, changed, *AGAIN)
    assert last.values("hw.errors", "error.type") == {"corrected": 3, "uncorrected": 9, "pcie_replay": 8}
    assert last.value("genai_otel.gpu.power.limit") == 500
    assert last.values("hw.status", "hw.state")["predicted_failure"] == 1


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"remap_unc": 2, "remap_pending": 0}, "ok"),
        ({"remap_unc": 2, "remap_pending": 1}, "predicted_failure"),
        ({"remap_unc": 2, "remap_failure": 1, "remap_pending": 1}, "failed"),
        ({"field230": 2}, "degraded"),
        ({"field230": 0}, "ok"),
    ],
)
def test_the_state_of_a_gpu(nvml: FakeNvml, state: dict[str, object], expected: str) -> None:
    (alone,) = passes(nvml, state)
    states = alone.values("hw.status", "hw.state")
    assert {name for name, value in states.items() if value} == {expected}
    assert len(states) == 4


def test_newer_fields_are_preferred_to_calls(nvml: FakeNvml) -> None:
    (alone,) = passes(nvml, {"field83": 5_000, "field186": 6_000, "field3": 7, "field4": 8, "field94": 9})
    assert (alone.value("hw.energy"), alone.value("hw.power")) == (5, 6)
    assert alone.values("hw.errors", "error.type") == {"corrected": 7, "uncorrected": 8, "pcie_replay": 9}


@pytest.mark.seed_rows("003-08")
def test_the_memory_of_this_process_is_its_own_or_absent(nvml: FakeNvml) -> None:
    nvml.set(procs=1, proc0__mem=GIB)
    mine, others, unknown = passes(
        nvml, {}, {"proc0.pid": os.getppid()}, {"proc0.pid": 2**22, "proc0.mem": 2**64 - 1}
    )
    assert mine.value("genai_otel.gpu.process.memory.usage") == GIB
    assert others.value("genai_otel.gpu.process.memory.usage") is None
    assert unknown.value("genai_otel.gpu.process.memory.usage") is None


def test_a_mig_instance_is_a_gpu_of_its_own_without_what_its_gpu_measures(nvml: FakeNvml) -> None:
    nvml.set(
        gpus=2, gpu1__mig=2, gpu1__mig0__mem_used=GIB, gpu1__mig1__mem_used=2 * GIB, procs=1, proc0__mem=5
    )
    (alone,) = passes(nvml)
    first, second = (f"MIG-00000000-0000-4000-8{number:03}-000000000001" for number in (0, 1))
    assert alone.values("hw.gpu.memory.usage") == {
        GPU_0: 120 * GIB,
        GPU_1: 120 * GIB,
        first: GIB,
        second: 2 * GIB,
    }
    assert set(alone.values("hw.power")) == set(alone.values("hw.status")) == {GPU_0, GPU_1}
    parents = {labels["hw.id"]: labels.get("hw.parent") for labels in alone.labels("hw.gpu.memory.usage")}
    assert parents == {GPU_0: None, GPU_1: None, first: GPU_1, second: GPU_1}
    names = {labels["hw.id"]: labels["hw.name"] for labels in alone.labels("hw.gpu.memory.usage")}
    assert (names[first], names[second]) == ("GPU 1 MIG 1", "GPU 1 MIG 2")
    assert alone.values("genai_otel.gpu.process.memory.usage")[second] == 5


def test_gpm_needs_two_samples_some_time_apart(nvml: FakeNvml) -> None:
    first, at_once, later = passes(nvml, WHOLE, {}, {"sleep": 0.15}, **ALL)
    assert first.value("genai_otel.gpu.tensor.utilization") is None
    assert at_once.value("genai_otel.gpu.tensor.utilization") is None
    assert later.value("genai_otel.gpu.tensor.utilization") == 0.6175


def test_gpm_of_a_mig_instance_is_its_own(nvml: FakeNvml) -> None:
    halves: dict[str, object] = {"mig": 2, "gpu0.mig0.gpm5": 25, "gpu0.mig1.gpm5": 75, "gpu0.gpm5": 50}
    _, second = passes(nvml, {**WHOLE, **halves}, {"sleep": 0.15}, **ALL)
    tensor = second.values("genai_otel.gpu.tensor.utilization", "hw.parent", "hw.name")
    assert tensor == {(None, "GPU 0"): 0.5, (GPU_0, "GPU 0 MIG 1"): 0.25, (GPU_0, "GPU 0 MIG 2"): 0.75}
    _, without = passes(nvml, {**WHOLE, **halves, "gpu0.mig1.gpm": 0}, {"sleep": 0.15}, **ALL)
    assert without.values("genai_otel.gpu.tensor.utilization", "hw.name").keys() == {"GPU 0", "GPU 0 MIG 1"}
    assert without.failures == {}


def test_a_counter_of_32_bits_that_goes_round_goes_on() -> None:
    counter = Unwrapped()
    assert [counter.next(value) for value in (2**32 - 10, 5, 7, 3)] == [
        2**32 - 10,
        2**32 + 5,
        2**32 + 7,
        2 * 2**32 + 3,
    ]
    wide = Unwrapped()
    assert [wide.next(value) for value in (2**40, 5, 8)] == [2**40, None, 8]


def test_pcie_counters_go_round_and_energy_starts_anew(nvml: FakeNvml) -> None:
    states = [{"field197": 2**32 - 10, "energy_mj": 9000}, {"field197": 5, "energy_mj": 1000}]
    first, second = passes(nvml, *states)
    assert first.values("hw.gpu.io", "network.io.direction") == {"transmit": 2**32 - 10}
    assert second.values("hw.gpu.io", "network.io.direction") == {"transmit": 2**32 + 5}
    assert (first.value("hw.energy"), second.value("hw.energy")) == (9, 1)  # a counter that was reset
