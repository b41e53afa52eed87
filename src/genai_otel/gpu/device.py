"""One GPU, or one MIG instance: who it is, and one pass over all that is read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from opentelemetry.metrics import Observation

from genai_otel.gpu import calls
from genai_otel.gpu.binding import ABSENT, GONE, LOST, NO_PERMISSION, QUIET, Nvml, NvmlError
from genai_otel.gpu.calls import FIELD, Call
from genai_otel.gpu.fields import Unwrapped, value_of
from genai_otel.gpu.gpm import Gpm
from genai_otel.gpu.nvlink import Nvlink
from genai_otel.gpu.snapshots import Points
from genai_otel.gpu.table import STATES, STATUS, Metric, Row, Source

Labels = dict[str, str]
Labelled = tuple[str, Row, Labels]
"""A row with the name of its metric and all labels of its value."""

MOST_CALLS: Final = 15
"""Calls of NVML for one GPU in one pass; those that take turns wait when the others need as many."""


class Device:
    """What is read of one GPU.  ``failed`` is told of calls that should have been answered and were not."""

    def __init__(
        self, nvml: Nvml, handle: Any, rows: list[Labelled], gpm: Gpm, failed: Callable[[NvmlError], None]
    ) -> None:
        self._nvml = nvml
        self._handle = handle
        self._rows = rows
        self._failed = failed
        asked = {source.call: None for _, row, _ in rows for source in row.sources}
        if calls.STATE in asked:
            asked[calls.RECOVERY_ACTION] = None
        self._fields = [call for call in asked if call.function == FIELD]
        self._absent: set[Call] = set()
        self._kept: dict[Call, Any] = {}
        self._answers: dict[Call, Any] = {}
        self._unwrapped: dict[Call, Unwrapped] = {}
        self._regular = 0  # calls of the last pass that are made in each
        self._own: Mapping[str, Callable[[], Any]] = {
            calls.STATE.function: self._state,
            calls.GPM.function: gpm.read,
            calls.NVLINK.function: Nvlink(nvml, handle).read,
        }

    def read(self) -> Points:
        """The values of one moment.  Raises :class:`NvmlError` when the GPU or the driver is gone."""
        self._forget_oldest()
        self._answers = {**self._kept, **self._asked_fields()}
        points: Points = {}
        for name, row, labels in self._rows:
            value = self._value(row)
            if value is not None:
                points.setdefault(name, []).append(Observation(value, labels))
        return points

    def _forget_oldest(self) -> None:
        """Let the calls that take turns and waited longest be made in this pass, as many as there is room for."""
        room = max(1, MOST_CALLS - self._regular)
        for call in [call for call in self._kept if call.often == "turn"][:room]:
            del self._kept[call]
        self._regular = 0

    def _value(self, row: Row) -> float | None:
        for source in row.sources:
            answer = self._answer(source.call)
            if answer is not None:
                value = self._picked(source, answer)
                return value if value is None or source.per == 1 else value / source.per
        return None

    def _picked(self, source: Source, answer: Any) -> float | None:
        try:
            return source.pick(answer)
        except Exception as error:  # noqa: BLE001 - a binding may answer in another shape
            self._failed(NvmlError(-1, type(error).__name__, f"the answer of {source.call.function}"))
            return None

    def _answer(self, call: Call) -> Any:
        """What NVML answers in this pass; None where it has nothing to say."""
        if call not in self._answers:
            known_absent = call in self._absent or call.function == FIELD
            self._answers[call] = None if known_absent else self._ask(call)
        return self._answers[call]

    def _ask(self, call: Call) -> Any:
        self._regular += call.cost if call.often == "pass" else 0
        try:
            own = self._own.get(call.function)
            answer = own() if own else self._nvml.call(call.function, self._handle, *call.arguments)
        except NvmlError as error:
            self._unanswered([call], error)
            return None
        if call.often != "pass":
            self._kept[call] = answer
        return answer

    def _unanswered(self, asked: Iterable[Call], error: NvmlError) -> None:
        if error.code in LOST or error.code in GONE:
            raise error
        if error.code in ABSENT or error.code == NO_PERMISSION:
            self._absent.update(asked)
        if error.code not in ABSENT and error.code not in QUIET:
            self._failed(error)

    def _asked_fields(self) -> Mapping[Call, Any]:
        """All fields by one call; each of them may fail alone."""
        asked = [call for call in self._fields if call not in self._absent]
        if not asked:
            return {}
        self._regular += 1
        numbers = [call.arguments[0] for call in asked]
        try:
            values = self._nvml.call("nvmlDeviceGetFieldValues", self._handle, numbers)
        except NvmlError as error:
            self._unanswered(asked, error)
            return {}
        return {call: self._field(call, value) for call, value in zip(asked, values, strict=True)}

    def _field(self, call: Call, field: Any) -> float | None:
        code = field.nvmlReturn
        if code:
            self._unanswered([call], NvmlError(code, self._nvml.kind(code), f"field {call.arguments[0]}"))
            return None
        value = value_of(field)
        return self._unwrapped.setdefault(call, Unwrapped()).next(value) if call.grows else value

    def _state(self) -> str:
        """One of :data:`STATES`; a GPU that is lost is not asked."""
        _, _, pending, failure = self._answer(calls.REMAPPED_ROWS) or (0, 0, 0, 0)
        if failure:
            return "failed"
        if pending:
            return "predicted_failure"
        return "degraded" if self._answer(calls.RECOVERY_ACTION) else "ok"


def labelled(metrics: Iterable[Metric], labels: Labels, details: Labels | None = None) -> list[Labelled]:
    """The rows of a GPU with these labels; its ``details`` stand on ``hw.status`` alone."""
    return [
        (metric.name, row, {**labels, **((details or {}) if metric.name == STATUS else {}), **row.labels})
        for metric in metrics
        for row in metric.rows
    ]


def status(state: str, labels: Labels) -> list[Observation]:
    """The points of ``hw.status`` of a GPU that cannot be asked."""
    return [Observation(int(state == each), {**labels, "hw.state": each}) for each in STATES]
