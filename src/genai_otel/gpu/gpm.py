"""GPM, how busy the parts of a GPU are: what Hopper and newer ones measure between two samples."""

from __future__ import annotations

import time
from typing import Any, Final

from genai_otel.gpu.binding import NOT_SUPPORTED, Nvml, NvmlError

IDS: Final = (2, 3, 5, 10)  # multiprocessors, their occupancy, tensor cores, the memory's bandwidth
_SECONDS: Final = 0.1
"""Samples that are closer together say nothing."""


class Gpm:
    """The measurements of one GPU, or of one MIG ``instance`` of it, from one reading to the next.

    Its two samples live as long as NVML; they take turns at being the older one.
    """

    def __init__(self, nvml: Nvml, handle: Any, instance: int | None = None) -> None:
        self._nvml = nvml
        self._handle = handle
        self._instance = instance
        self._samples: list[Any] = []
        self._at = 0.0
        self._found: dict[int, float] = {}

    def read(self) -> dict[int, float]:
        """Id of a measurement to per cent; empty at first.  Raises :class:`NvmlError` where there is no GPM."""
        if not self._samples:
            return self._begin()
        if time.monotonic() - self._at >= _SECONDS:
            self._samples.reverse()
            self._sample()
            self._found = self._measured()
        return self._found

    def _begin(self) -> dict[int, float]:
        if not self._nvml.call("nvmlGpmQueryDeviceSupport", self._handle).isSupportedDevice:
            raise NvmlError(NOT_SUPPORTED, self._nvml.kind(NOT_SUPPORTED), "this GPU has no GPM")
        self._samples = [self._nvml.call("nvmlGpmSampleAlloc") for _ in range(2)]
        self._sample()
        return {}

    def _sample(self) -> None:
        if self._instance is None:
            self._nvml.call("nvmlGpmSampleGet", self._handle, self._samples[1])
        else:
            self._nvml.call("nvmlGpmMigSampleGet", self._handle, self._instance, self._samples[1])
        self._at = time.monotonic()

    def _measured(self) -> dict[int, float]:
        asked = self._nvml.constant("c_nvmlGpmMetricsGet_t")()
        asked.version = self._nvml.constant("NVML_GPM_METRICS_GET_VERSION")
        asked.numMetrics = len(IDS)
        asked.sample1, asked.sample2 = self._samples
        for place, number in enumerate(IDS):
            asked.metrics[place].metricId = number
        self._nvml.call("nvmlGpmMetricsGet", asked)
        found = [asked.metrics[place] for place in range(len(IDS))]
        return {one.metricId: one.value for one in found if not one.nvmlReturn}
