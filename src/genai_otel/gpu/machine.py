"""All GPUs of this machine: found, read, lost and found again, without ever being asked in vain for long."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from genai_otel import fence
from genai_otel.config import Config
from genai_otel.gpu.binding import (
    DRIVER_NOT_LOADED,
    NO_LIBRARY,
    NO_PERMISSION,
    OTHER_DRIVER,
    UNINITIALIZED,
    Nvml,
    NvmlError,
)
from genai_otel.gpu.board import Asking, Gpu
from genai_otel.gpu.scope import Claim, Scope
from genai_otel.gpu.snapshots import Points
from genai_otel.gpu.table import Metric

RETRY_SECONDS: Final = 300.0
"""How long nothing is asked after the driver was not there; it may be loaded later."""
_LOADED: Final = Path("/proc/driver/nvidia/version")


def machine(config: Config, environ: Mapping[str, str], metrics: Iterable[Metric]) -> Machine:
    """The GPUs that the settings and the standard variables make ours."""
    scope = Scope({} if config.gpu == "all" else environ)
    claim = Claim(scope) if config.gpu == "auto" else None
    serial_number = "serial_number" in config.gpu_extra
    return Machine(metrics, scope, claim, wanted=claim is None, serial_number=serial_number)


class Machine:
    """NVML and its GPUs.  All methods run in one thread at a time.

    With a ``claim`` they are read by the process that has it.  Where they are ``wanted``, that there is none is worth a
    word and a failure.  ``failures`` counts what was not read, by the binding's error; ``unavailable`` says why no GPU
    can be read, and is empty else.
    """

    def __init__(
        self,
        metrics: Iterable[Metric],
        scope: Scope,
        claim: Claim | None = None,
        *,
        wanted: bool = False,
        serial_number: bool = False,
    ) -> None:
        self._metrics = tuple(metrics)
        self._scope = scope
        self._claim = claim
        self._wanted = wanted
        self._serial_number = serial_number
        self.failures: dict[str, int] = {}
        self.unavailable = ""
        self._nvml: Nvml | None = None
        self._stale: Nvml | None = None
        self._gpus: list[Gpu] = []
        self._retry_at = 0.0

    def load(self) -> None:
        """Load the binding, which takes a while and asks nobody, if this process is the one that reads."""
        if self._claim is None or self._claim.held():
            with contextlib.suppress(NvmlError):  # told when it is used
                Nvml()

    def read(self) -> Points:
        """The values of all GPUs; empty where there is none."""
        if time.monotonic() < self._retry_at or (self._claim is not None and not self._claim.held()):
            return {}
        for again in (True, False):
            try:
                return self._read()
            except NvmlError as error:
                self._stale, self._nvml = self._nvml, None
                if error.code != UNINITIALIZED or not again:  # else somebody has shut NVML down: once more
                    self._unavailable(error)
                    break
        return {}

    def joules(self) -> float | None:
        """What the GPUs have used since their drivers were loaded; None unless all of them say so."""
        self.read()
        found = [gpu.millijoules() for gpu in self._gpus if gpu.is_ours]
        known = [each for each in found if each is not None]
        return sum(known) / 1000 if found and len(known) == len(found) else None

    def close(self) -> None:
        """Shut NVML down, once."""
        nvml, self._nvml, self._gpus = self._nvml, None, []
        self._retry_at = float("inf")
        if nvml is not None:
            try:
                nvml.call("nvmlShutdown")
            except NvmlError as error:
                self._count(error)
        if self._claim is not None:
            self._claim.release()

    def after_fork(self) -> None:
        """A child initialises NVML anew when it is first asked, and has failures of its own."""
        self._stale, self._nvml, self._gpus = self._nvml or self._stale, None, []
        self.failures.clear()
        if self._claim is not None:
            self._claim.release()

    def _read(self) -> Points:
        if self._nvml is None:
            self._nvml, self._gpus = self._initialised(), []
            self.unavailable = ""
        count = self._nvml.call("nvmlDeviceGetCount")
        if count != len(self._gpus):
            asking = Asking(
                self._nvml, self._metrics, self._scope, self._failed, serial_number=self._serial_number
            )
            self._gpus = [Gpu(asking, index) for index in range(count)]
        points: Points = {}
        for gpu in self._gpus:
            for name, found in gpu.read().items():
                points.setdefault(name, []).extend(found)
        return points

    def _initialised(self) -> Nvml:
        stale, self._stale = self._stale, None
        if stale is not None:
            with contextlib.suppress(NvmlError):
                stale.call("nvmlShutdown")
        nvml = stale or Nvml()
        nvml.call("nvmlInit")
        return nvml

    def _unavailable(self, error: NvmlError) -> None:
        """No GPU can be read: say so once, and look again later if that can help."""
        self._retry_at = float("inf") if error.code == NO_LIBRARY else time.monotonic() + RETRY_SECONDS
        if self._claim is not None:
            self._claim.release()
        self.unavailable = f"{error}{_versions() if error.code == OTHER_DRIVER else ''}"
        if self._wanted or error.code not in (NO_LIBRARY, DRIVER_NOT_LOADED):
            self._count(error)
            fence.warn(f"GPUs are not read: {self.unavailable}")
        else:
            fence.debug(f"GPUs are not read: {self.unavailable}")

    def _failed(self, error: NvmlError) -> None:
        self._count(error)
        if error.code == NO_PERMISSION:
            fence.info(f"some readings of a GPU are left out: {error}")

    def _count(self, error: NvmlError) -> None:
        self.failures[error.kind] = self.failures.get(error.kind, 0) + 1


def _versions() -> str:
    """The two versions that do not agree, and what to do."""
    library, loaded = "of an unknown version", "another one"
    with contextlib.suppress(NvmlError):
        library = Nvml().call("nvmlSystemGetNVMLVersion")
    with contextlib.suppress(OSError):
        loaded = _LOADED.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    return (
        f". The library is {library}, the driver that is loaded is {loaded}: "
        "load the driver anew, or restart the machine"
    )
