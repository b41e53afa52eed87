"""Objectives of a service: what was aimed at, what was reached, how much of the allowance is used up."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from genai_otel.report import period

if TYPE_CHECKING:
    from genai_otel.report.distribution import Distribution
    from genai_otel.report.report import Report

_FORM = re.compile(
    r"(success|cost|cost-per-call|(latency|first-chunk)-p(\d{1,2}(?:\.\d+)?)|score-(.+?)|share-(.+?):(.+?))=(.+)"
)


class Reached(NamedTuple):
    """What was reached: None where nothing is known.

    ``used`` is the share of what may go wrong that has gone wrong; more than 1 is too much.
    """

    value: float | None
    is_met: bool | None
    used: float | None = None


@dataclass(frozen=True)
class Objective:
    """One objective.

    :ivar name: as it was written: ``success``, ``latency-p95``, ``score-groundedness``.
    :ivar of: what is looked at: success, cost, cost-per-call, latency, first-chunk, score or share.
    :ivar limit: a share, an amount, seconds or a score.
    :ivar quantile: of what calls the limit must hold.
    :ivar evaluation: whose score it is, or of whose results the ``label`` may have no more than this share.
    """

    NAMES: ClassVar = (
        "an objective: success=99.5 (percent), latency-p95=10s, first-chunk-p95=2s, cost=50, cost-per-call=0.01, "
        "score-NAME=0.8 (mean of an evaluation), share-NAME:LABEL=5 (percent of its results, at most)"
    )

    name: str
    of: str
    limit: float
    quantile: float = 0.0
    evaluation: str = ""
    label: str = ""

    def reached(self, report: Report) -> Reached:
        """How a period did."""
        totals = report.totals
        if self.of == "success":
            good = totals.good_share
            return Reached(good, None if good is None else good >= self.limit, _used(good, self.limit))
        if self.of == "score":
            results = report.evaluations.get(self.evaluation)
            mean = None if results is None else results.mean
            return Reached(mean, None if mean is None else mean >= self.limit)
        if self.of == "share":
            results = report.evaluations.get(self.evaluation)
            labels: dict[str, int] = {} if results is None else dict(results.labels)
            given = sum(labels.values())
            share = labels.get(self.label, 0) / given if given else None
            return Reached(share, None if share is None else share <= self.limit, _spent(share, self.limit))
        if self.of in ("cost", "cost-per-call"):
            amount = totals.amount
            value = amount if amount is None or self.of == "cost" else amount / totals.priced
            return Reached(value, None if value is None else value <= self.limit, _spent(value, self.limit))
        return self._within(totals.seconds if self.of == "latency" else totals.first_chunk)

    def _within(self, spread: Distribution) -> Reached:
        value = spread.quantile(self.quantile)
        if value is None:
            return Reached(None, None)
        return Reached(value, value <= self.limit, _used(spread.share_within(self.limit), self.quantile))


def objective(text: str) -> Objective:
    """What was written as ``name=value``.

    :raises ValueError: there is no such objective, or its value is none.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is none; {Objective.NAMES}")
    name, timed, quantile, evaluation, labelled, label, value = found.groups()
    if timed is not None:
        return Objective(name, timed, period.seconds(value), float(quantile) / 100)
    limit = _number(value)
    if name == "success" or label:
        if limit > 100:
            raise ValueError(f"{value!r} is more than 100 percent")
        of = "share" if label else name
        return Objective(name, of, limit / 100, evaluation=labelled or "", label=label or "")
    return Objective(name, "score" if evaluation else name, limit, evaluation=evaluation or "")


def _number(value: str) -> float:
    try:
        number = float(value.strip().rstrip("%"))
    except ValueError as error:
        raise ValueError(f"{value!r} is no number") from error
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{value!r} can be no objective")
    return number


def _used(reached: float | None, aim: float) -> float | None:
    """The share of the calls that may miss the aim and have missed it."""
    return None if reached is None or aim >= 1 else (1 - reached) / (1 - aim)


def _spent(value: float | None, limit: float) -> float | None:
    return None if value is None or not limit else value / limit
