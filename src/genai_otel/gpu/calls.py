"""The questions that are asked of NVML: functions of its binding, and what follows the GPU's handle."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Often = Literal["pass", "turn", "once"]


class Call(NamedTuple):
    """One question, asked in each pass, or in turn with the others that change rarely, or once.

    A ``function`` that is no function of NVML is put together from several, in :mod:`.device`.
    """

    function: str
    arguments: tuple[object, ...] = ()
    often: Often = "pass"
    grows: bool = False
    cost: int = 1  # calls of NVML that the binding makes


FIELD: Final = "field"
"""Fields are all asked for by one call, and each may be absent alone."""


def field(number: int, *, grows: bool = False) -> Call:
    """A field by its number (``NVML_FI_*``); one that ``grows`` may be a counter of 32 bits that starts anew."""
    return Call(FIELD, (number,), grows=grows)


UTILIZATION: Final = Call("nvmlDeviceGetUtilizationRates")
ENCODER: Final = Call("nvmlDeviceGetEncoderUtilization")
DECODER: Final = Call("nvmlDeviceGetDecoderUtilization")
MEMORY: Final = Call(
    "nvmlDeviceGetMemoryInfo", (0x02000028,)
)  # nvmlMemory_v2: size and version of the struct
MEMORY_V1: Final = Call("nvmlDeviceGetMemoryInfo")
ENERGY: Final = Call("nvmlDeviceGetTotalEnergyConsumption")
POWER: Final = Call("nvmlDeviceGetPowerUsage")
POWER_LIMIT: Final = Call("nvmlDeviceGetEnforcedPowerLimit", often="turn")
TEMPERATURE: Final = Call("nvmlDeviceGetTemperatureV", (0,))
TEMPERATURE_V1: Final = Call("nvmlDeviceGetTemperature", (0,))
LIMIT_DEGRADED: Final = Call("nvmlDeviceGetTemperatureThreshold", (1,), "once")
LIMIT_CRITICAL: Final = Call("nvmlDeviceGetTemperatureThreshold", (0,), "once")
ECC_CORRECTED: Final = Call("nvmlDeviceGetTotalEccErrors", (0, 0), "turn")
ECC_UNCORRECTED: Final = Call("nvmlDeviceGetTotalEccErrors", (1, 0), "turn")
PCIE_REPLAY: Final = Call("nvmlDeviceGetPcieReplayCounter", often="turn")
CLOCK_SM: Final = Call("nvmlDeviceGetClockInfo", (1,))
CLOCK_MEMORY: Final = Call("nvmlDeviceGetClockInfo", (2,))
EVENT_REASONS: Final = Call("nvmlDeviceGetCurrentClocksEventReasons")
THROTTLE_REASONS: Final = Call("nvmlDeviceGetCurrentClocksThrottleReasons")  # its name in older drivers
PROCESSES: Final = Call("nvmlDeviceGetComputeRunningProcesses_v3", cost=2)
PROCESSES_V2: Final = Call("nvmlDeviceGetComputeRunningProcesses_v2", cost=2)
PROCESS_UTILIZATION: Final = Call("nvmlDeviceGetProcessUtilization", (0,), cost=2)
REMAPPED_ROWS: Final = Call("nvmlDeviceGetRemappedRows", often="turn")
RECOVERY_ACTION: Final = field(230)
FAN: Final = Call("nvmlDeviceGetFanSpeed")

STATE: Final = Call("state", cost=0)
GPM: Final = Call("gpm", cost=2)
NVLINK: Final = Call("nvlink")
