"""What an SLO file says: one service, its objectives and its budget, checked field by field.

Objectives are named as in ``genai-otel report --slo``, so that a report and the alerts speak of the same thing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from genai_otel import semconv
from genai_otel.metrics import DURATION_BUCKETS
from genai_otel.report.objective import Objective, objective
from genai_otel.slo.source import Field, SloError, opened

EVERY: Final = "*"
"""The service that stands for each one that no other file names."""

WINDOWS: Final = ("hour", "day")
RESERVED: Final = frozenset(
    """
    alertname burn deployment_environment_name gen_ai_evaluation_name genai_otel_budget_window service_name severity slo
    """.split()  # noqa: SIM905 - quoted words are harder to read
)
_ONLY: Final = {
    "operation": semconv.OPERATION_NAME,
    "provider": semconv.PROVIDER_NAME,
    "model": semconv.REQUEST_MODEL,
}
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LEAST_QUANTILE: Final = 0.9


@dataclass(frozen=True)
class Slo:
    """One file.

    :ivar name: stands before the names of its objectives, where a service has two files.
    :ivar service: ``service.name``, or ``*``.
    :ivar environment: ``deployment.environment.name``; None is each one for itself.
    :ivar budget: US dollars by window.
    :ivar only: which calls are looked at, by attribute.
    :ivar least_calls: so many calls there must be in the longer window of an alert.
    :ivar labels: further labels of all its series and alerts.
    """

    file: str
    service: str
    name: str = ""
    environment: str | None = None
    objectives: tuple[Objective, ...] = ()
    budget: Mapping[str, float] | None = None
    only: Mapping[str, str] | None = None
    least_calls: int = 10
    labels: Mapping[str, str] | None = None

    def called(self, objective: str) -> str:
        """The value of the label ``slo``."""
        return f"{self.name}/{objective}" if self.name else objective


class Row(NamedTuple):
    """A field of the file: how it is read, and what it means."""

    read: Callable[[Field], Any]
    meaning: str


def _only(field: Field) -> dict[str, str]:
    return {_ONLY[name]: value.text() for name, value in _known(field, _ONLY).items()}


def _budget(field: Field) -> dict[str, float]:
    found = {name: value.number() for name, value in _known(field, WINDOWS).items()}
    for name, value in found.items():
        if not value:
            raise field.fields()[name].wrong("is 0; a limit is more than that")
    return found


def _least(field: Field) -> int:
    if not isinstance(field.value, int) or field.number() != field.value:
        raise field.wrong(f"is {field.value!r}; it must be a whole number, 0 or more")
    return field.value


def _labels(field: Field) -> dict[str, str]:
    found = field.fields()
    for name, value in found.items():
        if not _LABEL.fullmatch(name) or name in RESERVED or name.startswith("__"):
            raise value.wrong(
                f"can be no label; a name has letters, digits and _, and is none of {_all(sorted(RESERVED))}"
            )
    return {name: value.text() for name, value in found.items()}


def _objectives(field: Field) -> tuple[Objective, ...]:
    return tuple(_objective(name, value) for name, value in field.fields().items())


def _objective(name: str, field: Field) -> Objective:
    try:
        found = objective(f"{name}={field.value}")
    except ValueError as error:
        raise field.wrong(f"cannot be: {error}") from None
    if found.of == "cost":
        raise field.wrong("has no window here; write it as budget: {day: 50}")
    if found.of == "share":
        raise field.wrong("is looked at by genai-otel report alone; for alerts give the results a score")
    if found.of == "success" and not 0 < found.limit < 1:
        raise field.wrong(
            f"is {field.value!r}; of what must always, or never, succeed nothing may be used up"
        )
    return _at_bound(found, field) if found.of in ("latency", "first-chunk") else found


def _at_bound(found: Objective, field: Field) -> Objective:
    """The same with its time as the histogram has it."""
    if found.quantile < _LEAST_QUANTILE:
        raise field.wrong("is below p90: burning more than a tenth of the calls is no alarm")
    near = sorted(DURATION_BUCKETS, key=lambda bound: abs(bound - found.limit))[:2]
    if not math.isclose(near[0], found.limit):
        low, high = sorted(near)
        raise field.wrong(
            f"is {field.value!r}, which is no bound of the histogram; near are {low:g}s and {high:g}s"
        )
    return replace(found, limit=near[0])


FIELDS: Final[Mapping[str, Row]] = {
    "service": Row(
        Field.text, "`service.name`; `*` is every service that none of the files that are read together names"
    ),
    "environment": Row(
        Field.text, "`deployment.environment.name`; without it each one is looked at by itself"
    ),
    "objectives": Row(
        _objectives,
        "name: value, as in `genai-otel report --slo`: `success: 99.5` (percent), `latency-p95: 10.24s`, "
        "`first-chunk-p95: 2.56s`, `cost-per-call: 0.01` (USD), `score-NAME: 0.8` (mean of an evaluation); times are "
        f"bounds of the histograms, from {DURATION_BUCKETS[0]:g}s doubling to {DURATION_BUCKETS[-1]:g}s",
    ),
    "budget": Row(_budget, "US dollars that a window may cost: `hour`, `day`"),
    "only": Row(_only, "which calls the objectives are about: `operation`, `provider`, `model`"),
    "least_calls": Row(
        _least,
        "with fewer calls (results of an evaluation) than this in its longer window, an alert is silent; 10",
    ),
    "labels": Row(_labels, "further labels of the alerts, by which they are routed: `team: search`"),
    "name": Row(Field.text, "tells the objectives of two files of one service apart"),
}


def read(path: Path) -> Slo:
    """What a file says.

    Raises:
        SloError: what is wrong, with file, line and field.
    """
    file = opened(path)
    fields = _known(file, FIELDS)
    if "service" not in fields:
        raise file.wrong("names no service")
    found = Slo(file=path.name, **{name: FIELDS[name].read(field) for name, field in fields.items()})
    if not (found.objectives or found.budget):
        raise file.wrong("has neither objectives nor a budget")
    of_all = [each.name for each in found.objectives if each.of not in ("success", "latency", "first-chunk")]
    if found.only and (found.budget or of_all):
        raise fields["only"].wrong(
            f"narrows calls down, and {of_all[0] if of_all else 'budget'} is of the service"
        )
    return found


def together(paths: Iterable[Path]) -> list[Slo]:
    """Several files, whose objectives must not meet.

    Raises:
        SloError: what is wrong in one of them, or between two.
    """
    found: list[Slo] = []
    for path in paths:
        new = read(path)
        for old in found:
            if old.file == new.file:
                raise SloError(f"{path}: another file is called {new.file}, too; rules are named after files")
            if _meet(old, new):
                raise SloError(
                    f"{path} and {old.file} have the same objective of {new.service}: give one of them a name"
                )
        found.append(new)
    return found


def _meet(one: Slo, other: Slo) -> bool:
    if one.service != other.service or (
        one.environment and other.environment and one.environment != other.environment
    ):
        return False
    names = [{each.called(of.name) for of in each.objectives} for each in (one, other)]
    windows = [set(each.budget or ()) for each in (one, other)]
    return bool(names[0] & names[1] or windows[0] & windows[1])


def _known(field: Field, names: Iterable[str]) -> dict[str, Field]:
    found = field.fields()
    for name, value in found.items():
        if name not in names:
            raise value.wrong(f"is no field; there are {_all(names)}")
    return found


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)
