"""Incidents by the history of Prometheus' alerts: how long they lasted, how long it was quiet between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from genai_otel.report.asking import ask
from genai_otel.report.problem import Problem

_MOST_POINTS: Final = 10_000  # Prometheus gives 11,000 of a series
_FINEST: Final = 15  # seconds; rules are seldom evaluated more often


class Episode(NamedTuple):
    """A time of firing, in seconds since the epoch; it may have begun before the period, or go on after it."""

    start: float
    end: float
    has_begun: bool
    has_ended: bool

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Incidents:
    """Episodes that do not overlap, in a period of ``seconds``."""

    episodes: Sequence[Episode]
    seconds: float

    @property
    def count(self) -> int:
        return len(self.episodes)

    @property
    def down(self) -> float:
        """Seconds of firing."""
        return sum(each.seconds for each in self.episodes)

    @property
    def mttr(self) -> float | None:
        """Mean seconds from the begin of an episode to its end; of those of which both are in the period."""
        whole = [each.seconds for each in self.episodes if each.has_begun and each.has_ended]
        return sum(whole) / len(whole) if whole else None

    @property
    def mtbf(self) -> float | None:
        """Mean quiet seconds per episode; None where nothing fired."""
        return (self.seconds - self.down) / self.count if self.count else None

    @property
    def quiet_share(self) -> float | None:
        return 1 - self.down / self.seconds if self.seconds > 0 else None


@dataclass(frozen=True)
class History:
    """What fired in a period.

    :ivar by_alert: incidents by the name of the alert and its severity.
    :ivar all: the same of all alerts together; what overlaps is one.
    :ivar step: seconds between two looks: begins and ends are known as exactly as that.
    """

    by_alert: Mapping[tuple[str, str], Incidents]
    all: Incidents
    step: int
    start: float
    end: float


def history(base: str, start: float, end: float, matchers: str = "") -> History:
    """Ask a Prometheus what fired between two moments (seconds since the epoch).

    :raises Problem: it cannot be reached, or refuses.
    """
    step = max(_FINEST, math.ceil((end - start) / _MOST_POINTS))
    query = "ALERTS{" + ",".join(filter(None, ('alertstate="firing"', matchers.strip().strip("{}")))) + "}"
    answer = ask(base, "/api/v1/query_range", query=query, start=f"{start:.3f}", end=f"{end:.3f}", step=step)
    found: dict[tuple[str, str], list[Episode]] = {}
    try:
        for series in answer["data"]["result"]:
            labels = series["metric"]
            key = (str(labels.get("alertname", "")), str(labels.get("severity", "")))
            moments = [float(moment) for moment, _ in series["values"]]
            found.setdefault(key, []).extend(_episodes(moments, step, start, end))
    except (KeyError, TypeError, ValueError) as error:
        raise Problem(f"{base} answered a query with something else than series") from error
    seconds = end - start
    by_alert = {key: Incidents(_joined(each), seconds) for key, each in found.items()}
    together = Incidents(_joined(episode for each in found.values() for episode in each), seconds)
    return History(by_alert, together, step, start, end)


def _episodes(moments: Sequence[float], step: int, start: float, end: float) -> list[Episode]:
    """Firing begins half a step before the first moment of a run, and ends half a step after its last, in the mean."""
    runs: list[list[float]] = []
    for moment in moments:
        if runs and moment - runs[-1][1] < 1.5 * step:
            runs[-1][1] = moment
        else:
            runs.append([moment, moment])
    return [
        Episode(
            max(first - step / 2, start), min(last + step / 2, end), first - step >= start, last + step <= end
        )
        for first, last in runs
    ]


def _joined(episodes: Iterable[Episode]) -> list[Episode]:
    """What overlaps or touches becomes one."""
    joined: list[Episode] = []
    for each in sorted(episodes):
        before = joined[-1] if joined else None
        if before is None or each.start > before.end:
            joined.append(each)
            continue
        last = max(before, each, key=lambda episode: episode.end)
        has_begun = before.has_begun and (each.has_begun or each.start > before.start)
        joined[-1] = Episode(before.start, last.end, has_begun, last.has_ended)
    return joined
