"""What a GPU has sent and received over its NVLinks, all of them together."""

from __future__ import annotations

from typing import Any, Final

from genai_otel.gpu.binding import NOT_SUPPORTED, Nvml, NvmlError
from genai_otel.gpu.fields import value_of

_LINKS: Final = 18
_COUNTERS: Final = ((202, 204, 1), (138, 139, 1024))
"""Fields for sent and received, and how many bytes they count in: of NVLink 5, and of those before."""


class Nvlink:
    """The links of one GPU that have counters, as found at the first reading."""

    def __init__(self, nvml: Nvml, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle
        self._fields: list[tuple[int, int]] = []
        self._unit = 1

    def read(self) -> tuple[float, float] | None:
        """Bytes sent and received; None when a link does not answer, since a sum without it would seem to fall.

        Raises :class:`NvmlError` where there are no such counters.
        """
        if not self._fields:
            self._look()
        found = self._ask(self._fields)
        if len(found) < len(self._fields):
            return None
        values = list(found.values())  # sent and received by turns
        return sum(values[::2]) * self._unit, sum(values[1::2]) * self._unit

    def _look(self) -> None:
        for send, receive, unit in _COUNTERS:
            found = self._ask([(field, link) for link in range(_LINKS) for field in (send, receive)])
            links = [link for link in range(_LINKS) if {(send, link), (receive, link)} <= found.keys()]
            self._fields = [(field, link) for link in links for field in (send, receive)]
            self._unit = unit
            if self._fields:
                return
        raise NvmlError(NOT_SUPPORTED, self._nvml.kind(NOT_SUPPORTED), "no NVLink counts its bytes")

    def _ask(self, fields: list[tuple[int, int]]) -> dict[tuple[int, int], float]:
        values = self._nvml.call("nvmlDeviceGetFieldValues", self._handle, fields)
        answered = {
            key: value_of(value) for key, value in zip(fields, values, strict=True) if not value.nvmlReturn
        }
        return {key: value for key, value in answered.items() if value is not None}
