"""Calls whose model runs in this process, with the energy that the GPUs used for them on their spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import Span

from genai_otel import fence, semconv
from genai_otel.engine.record import Recorder
from genai_otel.gpu.energy import ENGINES, JOULES, METHOD, Counter, Energy

if TYPE_CHECKING:
    from genai_otel.engine.call import Call
    from genai_otel.gpu.driver import Driver


def recorder(driver: Driver, environ: Mapping[str, str]) -> Callable[..., Recorder]:
    """What makes the recorder of a process whose calls are to have their energy."""
    energy = Energy(Counter(driver, environ).read)
    driver.add(energy)
    return partial(EnergyRecorder, energy)


class EnergyRecorder(Recorder):
    """A recorder that asks ``energy`` when a call to one of :data:`ENGINES` begins and ends; it touches no other."""

    def __init__(self, energy: Energy, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._energy = energy

    def _start(self, call: Call, context: Context) -> Span:
        if _is_here(call):
            with fence.contain("gpu.energy"):
                self._energy.began(id(call))
        return super()._start(call, context)

    def end(self, call: Call) -> None:
        if _is_here(call):
            with fence.contain("gpu.energy"):
                found = self._energy.ended(id(call))
                if found is not None:
                    call.attributes[JOULES], call.attributes[METHOD] = found
        super().end(call)


def _is_here(call: Call) -> bool:
    return call.origin.address is None and call.origin.attributes[semconv.PROVIDER_NAME] in ENGINES
