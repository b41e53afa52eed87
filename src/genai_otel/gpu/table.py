"""What is read of a GPU, as one table: metric, unit, instrument, labels, and where NVML has the value.

Names are the conventions' (``hw.*``) where they have one, else ``genai_otel.gpu.*``.  A row's sources are tried in
order; the first that a GPU has is used.  A row without an ``option`` is on by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter, itemgetter
from typing import Any, Final, Literal, NamedTuple

from genai_otel.gpu import calls, picks
from genai_otel.gpu.calls import Call, field

Kind = Literal["counter", "gauge", "up_down_counter"]
Option = Literal["", "fan", "gpm", "nvlink", "process"]


class Source(NamedTuple):
    """Where a value is: a call, what to take of its answer, and how many of NVML's units make one of ours."""

    call: Call
    pick: Callable[[Any], float | None] = picks.number
    per: int = 1


class Row(NamedTuple):
    """One series of a metric: its own labels, and its sources, the best first."""

    labels: Mapping[str, str]
    sources: tuple[Source, ...]


class Metric(NamedTuple):
    """One instrument.  ``mig`` marks what a MIG instance has of its own, ``option`` what is read only if asked for."""

    name: str
    kind: Kind
    unit: str
    description: str
    rows: tuple[Row, ...]
    option: Option = ""
    mig: bool = False


def _one(*sources: Source) -> tuple[Row, ...]:
    return (Row({}, sources),)


_TASK: Final = "hw.gpu.task"
_SENSOR: Final = "hw.sensor_location"
_DIRECTION: Final = "network.io.direction"
_REASON: Final = "genai_otel.gpu.throttle.reason"
_DOMAIN: Final = "genai_otel.gpu.clock.domain"
_FIRST: Final = itemgetter(0)

STATUS: Final = "hw.status"
"""The metric that also carries what is known of a GPU beside its name: driver, bus, compute capability."""

ENERGY_METRIC: Final = "hw.energy"
STATES: Final = ("ok", "degraded", "failed", "predicted_failure")
# Bits of the event mask.  Idle (0x1) and clocks that a user has set (0x2) are no trouble.
THROTTLE_BITS: Final = {
    "sw_power_cap": 0x4,
    "hw_slowdown": 0x8,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake_slowdown": 0x80,
    "display_clock_setting": 0x100,
    "board_limit": 0x200,
    "reliability": 0x400,
}
# Fields that count the nanoseconds for which a reason held.
_THROTTLE_TIMES: Final = {
    "sw_power_cap": 74,
    "sync_boost": 76,
    "sw_thermal_slowdown": 269,
    "hw_thermal_slowdown": 270,
    "hw_power_brake_slowdown": 271,
}

# What GPM measures between two collections: metric, its number in NVML, meaning.
_GPM: Final = (
    ("genai_otel.gpu.sm.utilization", 2, "Share of the multiprocessors that were busy."),
    ("genai_otel.gpu.sm.occupancy", 3, "Share of the possible warps that were active."),
    ("genai_otel.gpu.tensor.utilization", 5, "Share of the time in which tensor cores worked."),
    ("genai_otel.gpu.memory.bandwidth.utilization", 10, "Share of the memory's bandwidth that was used."),
)

METRICS: Final = (
    Metric(
        "hw.gpu.utilization",
        "gauge",
        "1",
        "Share of the last sample period (1/6 to 1 s) in which a unit worked: general is any kernel at all, "
        "memory_access reading or writing the memory.",
        (
            Row({_TASK: "general"}, (Source(calls.UTILIZATION, attrgetter("gpu"), 100),)),
            Row({_TASK: "memory_access"}, (Source(calls.UTILIZATION, attrgetter("memory"), 100),)),
            Row({_TASK: "encoder"}, (Source(calls.ENCODER, _FIRST, 100),)),
            Row({_TASK: "decoder"}, (Source(calls.DECODER, _FIRST, 100),)),
        ),
    ),
    # The older call counts what the driver has reserved as used, too.
    Metric(
        "hw.gpu.memory.usage",
        "up_down_counter",
        "By",
        "GPU memory that is allocated.",
        _one(Source(calls.MEMORY, attrgetter("used")), Source(calls.MEMORY_V1, attrgetter("used"))),
        mig=True,
    ),
    Metric(
        "hw.gpu.memory.limit",
        "up_down_counter",
        "By",
        "GPU memory that there is.",
        _one(Source(calls.MEMORY, attrgetter("total")), Source(calls.MEMORY_V1, attrgetter("total"))),
        mig=True,
    ),
    Metric(
        "hw.gpu.memory.utilization",
        "gauge",
        "1",
        "Share of the GPU memory that is allocated.",
        _one(Source(calls.MEMORY, picks.share_used), Source(calls.MEMORY_V1, picks.share_used)),
        mig=True,
    ),
    Metric(
        "genai_otel.gpu.memory.reserved",
        "up_down_counter",
        "By",
        "GPU memory that the driver keeps for itself.",
        _one(Source(calls.MEMORY, attrgetter("reserved"))),
        mig=True,
    ),
    Metric(
        ENERGY_METRIC,
        "counter",
        "J",
        "Energy that the GPU has used since its driver was loaded.",
        _one(Source(field(83), per=1000), Source(calls.ENERGY, per=1000)),
    ),
    Metric(
        "hw.power",
        "gauge",
        "W",
        "Power that the GPU draws now; on older ones the mean of the last second.",
        _one(Source(field(186), per=1000), Source(calls.POWER, per=1000)),
    ),
    Metric(
        "genai_otel.gpu.power.limit",
        "gauge",
        "W",
        "Power that the GPU may draw.",
        _one(Source(calls.POWER_LIMIT, per=1000)),
    ),
    Metric(
        "hw.temperature",
        "gauge",
        "Cel",
        "Temperature of the GPU and of its memory.",
        (
            Row({_SENSOR: "gpu"}, (Source(calls.TEMPERATURE), Source(calls.TEMPERATURE_V1))),
            Row({_SENSOR: "memory"}, (Source(field(82)),)),
        ),
    ),
    Metric(
        "hw.temperature.limit",
        "gauge",
        "Cel",
        "Temperature at which the GPU slows down (high.degraded) and stops (high.critical).",
        (
            Row({_SENSOR: "gpu", "hw.limit_type": "high.degraded"}, (Source(calls.LIMIT_DEGRADED),)),
            Row({_SENSOR: "gpu", "hw.limit_type": "high.critical"}, (Source(calls.LIMIT_CRITICAL),)),
        ),
    ),
    Metric(
        "hw.errors",
        "counter",
        "{error}",
        "Errors of the memory since the driver was loaded, and transfers over PCIe that were repeated.",
        (
            Row({"error.type": "corrected"}, (Source(field(3)), Source(calls.ECC_CORRECTED))),
            Row({"error.type": "uncorrected"}, (Source(field(4)), Source(calls.ECC_UNCORRECTED))),
            Row({"error.type": "pcie_replay"}, (Source(field(94)), Source(calls.PCIE_REPLAY))),
        ),
    ),
    Metric(
        "hw.gpu.io",
        "counter",
        "By",
        "Bytes that the GPU has sent and received over PCIe.",
        (
            Row({_DIRECTION: "transmit"}, (Source(field(197, grows=True)),)),
            Row({_DIRECTION: "receive"}, (Source(field(198, grows=True)),)),
        ),
    ),
    Metric(
        "genai_otel.gpu.clock.frequency",
        "gauge",
        "Hz",
        "Frequency of a clock now.",
        (
            Row({_DOMAIN: "sm"}, (Source(calls.CLOCK_SM, picks.megahertz),)),
            Row({_DOMAIN: "memory"}, (Source(calls.CLOCK_MEMORY, picks.megahertz),)),
        ),
    ),
    Metric(
        "genai_otel.gpu.clock.throttled",
        "up_down_counter",
        "1",
        "Whether a reason slows the clocks down now.",
        tuple(
            Row(
                {_REASON: reason},
                (Source(calls.EVENT_REASONS, picks.bit(bit)), Source(calls.THROTTLE_REASONS, picks.bit(bit))),
            )
            for reason, bit in THROTTLE_BITS.items()
        ),
    ),
    Metric(
        "genai_otel.gpu.clock.throttled.time",
        "counter",
        "s",
        "Time for which a reason has slowed the clocks down.",
        tuple(
            Row({_REASON: reason}, (Source(field(number), per=1_000_000_000),))
            for reason, number in _THROTTLE_TIMES.items()
        ),
    ),
    Metric(
        "genai_otel.gpu.process.memory.usage",
        "up_down_counter",
        "By",
        "GPU memory of this process; absent where it does not know its number in the driver's list.",
        _one(Source(calls.PROCESSES, picks.own_memory), Source(calls.PROCESSES_V2, picks.own_memory)),
        mig=True,
    ),
    Metric(
        STATUS,
        "up_down_counter",
        "1",
        "1 for the state that the GPU is in, 0 for the others.",
        tuple(Row({"hw.state": state}, (Source(calls.STATE, picks.equals(state)),)) for state in STATES),
    ),
    Metric(
        "genai_otel.gpu.process.utilization",
        "gauge",
        "1",
        "Share of the time in which kernels of this process ran.",
        _one(Source(calls.PROCESS_UTILIZATION, picks.own_utilization, 100)),
        option="process",
    ),
    *(
        Metric(name, "gauge", "1", text, _one(Source(calls.GPM, picks.item(number), 100)), "gpm", mig=True)
        for name, number, text in _GPM
    ),
    Metric(
        "genai_otel.gpu.nvlink.io",
        "counter",
        "By",
        "Bytes that the GPU has sent and received over all its NVLinks.",
        (
            Row({_DIRECTION: "transmit"}, (Source(calls.NVLINK, _FIRST),)),
            Row({_DIRECTION: "receive"}, (Source(calls.NVLINK, itemgetter(1)),)),
        ),
        option="nvlink",
    ),
    Metric(
        "hw.fan.speed_ratio",
        "gauge",
        "1",
        "Intended speed of the fan, as a share of the fastest; it may exceed 1.",
        (Row({_SENSOR: "gpu"}, (Source(calls.FAN, per=100),)),),
        option="fan",
    ),
)


def co2e(grams_per_kwh: float) -> Metric:
    """What the energy stands for where the operator says how much a kilowatt-hour emits; nobody else can know it."""
    grams = picks.times(grams_per_kwh / 3_600_000_000)  # a kilowatt-hour in millijoules
    return Metric(
        "genai_otel.co2e",
        "counter",
        "g",
        "CO2 equivalents of the energy that the GPU has used, by the intensity that was set.",
        _one(Source(field(83), grams), Source(calls.ENERGY, grams)),
    )
