"""Which GPUs the metrics will have: found as a program finds them, within a few seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from genai_otel.cli.finding import Finding, Level
from genai_otel.config import Config
from genai_otel.gpu.machine import Machine
from genai_otel.gpu.observe import chosen
from genai_otel.gpu.scope import Claim, Scope
from genai_otel.gpu.snapshots import Points
from genai_otel.gpu.table import STATUS

_SECONDS = 5.0
_AREA = "gpus"


def gpus(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The GPUs, or why there are none."""
    if config.gpu == "off":
        yield Finding(_AREA, "ok", "GPUs are not read, as GENAI_OTEL_GPU says")
        return
    scope = Scope({} if config.gpu == "all" else environ)
    machine = Machine(chosen(config), scope)
    points = _read(machine)
    if points is None:
        yield Finding(
            _AREA,
            "problem",
            f"the driver of the GPUs does not answer within {_SECONDS:g} s",
            "programs go on, without its metrics; `nvidia-smi` hangs, too, until the driver is loaded anew",
        )
        return
    yield from _found(config, scope, machine, points)
    if points and config.gpu == "auto":
        yield from _reader(scope)


def _read(machine: Machine) -> Points | None:
    """What can be read; None when the driver hangs."""
    found: list[Points] = []

    def read() -> None:
        found.append(machine.read())
        machine.close()

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    reading.join(_SECONDS)
    return found[0] if found else None


def _found(config: Config, scope: Scope, machine: Machine, points: Points) -> Iterator[Finding]:
    if machine.unavailable:
        wanted = config.gpu in ("on", "all")
        level: Level = "problem" if wanted or machine.failures else "ok"
        advice = "GENAI_OTEL_GPU asks for GPUs" if wanted else ""
        yield Finding(_AREA, level, f"no GPU can be read: {machine.unavailable}", advice, {"gpus": 0})
        return
    states = [dict(point.attributes or {}) for point in points.get(STATUS, ()) if point.value]
    allowed = f" of those that the variables name: {', '.join(scope.named)}" if scope.named else ""
    yield Finding(_AREA, "ok", f"{len(states)} GPUs can be read{allowed}", facts={"gpus": len(states)})
    for labels in states:
        state = str(labels["hw.state"])
        readings = sum(
            (each.attributes or {})["hw.id"] == labels["hw.id"] for found in points.values() for each in found
        )
        text = f"{labels['hw.name']}, {labels.get('hw.model', 'unknown')}: {state}, {readings} series"
        yield Finding(_AREA, "ok" if state == "ok" else "problem", text, facts={"gpu": labels["hw.id"]})
    for kind, count in machine.failures.items():
        yield Finding(_AREA, "note", f"{count} readings failed with {kind}", _advice(kind), {"kind": kind})


def _advice(kind: str) -> str:
    return "the user of this process may not read them" if kind.endswith("NoPermission") else ""


def _reader(scope: Scope) -> Iterator[Finding]:
    claim = Claim(scope)
    if claim.held():
        claim.release()
    else:
        text = "a process of this user reads them already; a program that starts now leaves that to it"
        yield Finding(_AREA, "note", text, "GENAI_OTEL_GPU=on lets each process read them")
