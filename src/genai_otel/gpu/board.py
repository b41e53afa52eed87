"""A GPU by its place in the machine: opened, read with its MIG instances, lost, and opened again when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from genai_otel.gpu.binding import GONE, LOST, Nvml, NvmlError
from genai_otel.gpu.device import Device, Labels, labelled, status
from genai_otel.gpu.gpm import Gpm
from genai_otel.gpu.scope import Scope
from genai_otel.gpu.snapshots import Points
from genai_otel.gpu.table import STATUS, Metric

_LOOK_AGAIN_SECONDS: Final = 60.0
"""How often MIG instances are looked for."""


class Asking:
    """What a GPU is asked for, of whom, and who is told that it did not answer.

    No named tuple: this may be loaded while the interpreter ends by Ctrl-C, and to make one is to run ``eval``, after
    which CPython forgets how it ended.
    """

    def __init__(
        self,
        nvml: Nvml,
        metrics: tuple[Metric, ...],
        scope: Scope,
        failed: Callable[[NvmlError], None],
        *,
        serial_number: bool,
    ) -> None:
        self.nvml = nvml
        self.metrics = metrics
        self.scope = scope
        self.failed = failed
        self.serial_number = serial_number

    def maybe(self, function: str, *arguments: object) -> Any:
        """An answer, or None where there is none.  Raises :class:`NvmlError` when the GPU or the driver is gone."""
        try:
            return self.nvml.call(function, *arguments)
        except NvmlError as error:
            if error.code in LOST or error.code in GONE:
                raise
            return None


class Gpu:
    """The GPU with one number.  What MIG instances it has is looked for once a minute."""

    def __init__(self, asking: Asking, index: int) -> None:
        self._asking = asking
        self._index = index
        self._handle: Any = None
        self._labels: Labels = {"hw.id": f"index:{index}", **_name(f"GPU {index}")}
        self._whole: Device | None = None
        self._instances: dict[str, Device] = {}
        self._look_at = 0.0

    def read(self) -> Points:
        """The values of the GPU and its instances; of one that is lost only that it is.

        Raises :class:`NvmlError` when the driver is gone.
        """
        try:
            return self._read()
        except NvmlError as error:
            if error.code in GONE:
                raise
            self._asking.failed(error)
            self._handle, self._whole, self._instances = None, None, {}
            ours = error.code in LOST and self._asking.scope.allows(self._labels["hw.id"])
            return {STATUS: status("failed", self._labels)} if ours else {}

    @property
    def is_ours(self) -> bool:
        """Whether it is there, and one that this process may use."""
        return self._whole is not None

    def millijoules(self) -> float | None:
        """What it has used since its driver was loaded."""
        try:
            return self._asking.nvml.call("nvmlDeviceGetTotalEnergyConsumption", self._handle)
        except NvmlError:
            return None

    def _read(self) -> Points:
        if self._handle is None:
            self._open()
        if time.monotonic() >= self._look_at:
            self._look_for_instances()
        points: Points = {}
        for device in (self._whole, *self._instances.values()):
            for name, found in device.read().items() if device else ():
                points.setdefault(name, []).extend(found)
        return points

    def _open(self) -> None:
        asking = self._asking
        handle = asking.nvml.call("nvmlDeviceGetHandleByIndex", self._index)
        uuid = asking.nvml.call("nvmlDeviceGetUUID", handle)
        self._labels = {"hw.id": uuid, **_name(f"GPU {self._index}"), **self._identity(handle)}
        if asking.scope.allows(uuid):
            details = self._details(handle)
            rows = labelled(asking.metrics, self._labels, details)
            self._whole = Device(asking.nvml, handle, rows, Gpm(asking.nvml, handle), asking.failed)
        self._handle, self._look_at = handle, 0.0

    def _identity(self, handle: Any) -> Labels:
        serial = self._asking.maybe("nvmlDeviceGetSerial", handle) if self._asking.serial_number else None
        known = {"hw.model": self._asking.maybe("nvmlDeviceGetName", handle), "hw.serial_number": serial}
        return {label: value for label, value in known.items() if isinstance(value, str)}

    def _details(self, handle: Any) -> Labels:
        maybe = self._asking.maybe
        pci, capability = (
            maybe("nvmlDeviceGetPciInfo_v3", handle),
            maybe("nvmlDeviceGetCudaComputeCapability", handle),
        )
        known = {
            "hw.driver_version": maybe("nvmlSystemGetDriverVersion"),
            "genai_otel.gpu.pci_bus_id": getattr(pci, "busId", None),
            "genai_otel.gpu.compute_capability": ".".join(map(str, capability)) if capability else None,
        }
        return {label: value for label, value in known.items() if isinstance(value, str)}

    def _look_for_instances(self) -> None:
        """Find the MIG instances; what is known of those that are still there stays."""
        asking, before, self._instances = self._asking, self._instances, {}
        mode = asking.maybe("nvmlDeviceGetMigMode", self._handle)
        self._look_at = time.monotonic() + _LOOK_AGAIN_SECONDS if mode else float("inf")
        if not mode or not mode[0]:
            return
        for index in range(asking.maybe("nvmlDeviceGetMaxMigDeviceCount", self._handle) or 0):
            handle = asking.maybe("nvmlDeviceGetMigDeviceHandleByIndex", self._handle, index)
            uuid = asking.maybe("nvmlDeviceGetUUID", handle) if handle is not None else None
            if uuid and asking.scope.allows(uuid, self._labels["hw.id"]):
                self._instances[uuid] = before.get(uuid) or self._instance(handle, uuid)

    def _instance(self, handle: Any, uuid: str) -> Device:
        asking = self._asking
        number = asking.maybe("nvmlDeviceGetGpuInstanceId", handle)
        labels = {
            "hw.id": uuid,
            **_name(f"{self._labels['hw.name']} MIG {number}"),
            **self._identity(handle),
            "hw.parent": self._labels["hw.id"],
        }
        own = [metric for metric in asking.metrics if metric.mig]
        gpm = Gpm(asking.nvml, self._handle, number)
        return Device(asking.nvml, handle, labelled(own, labels), gpm, asking.failed)


def _name(name: str) -> Labels:
    return {"hw.name": name, "hw.vendor": "NVIDIA", "hw.type": "gpu"}
