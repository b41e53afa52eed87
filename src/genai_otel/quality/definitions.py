"""What is known of each evaluation: which labels it may give, the bounds of its scores, what it has given so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from genai_otel import fence, safe
from genai_otel.metrics import Instrument
from genai_otel.quality.names import FRACTIONS, OTHER, SCORES

MOST_EVALUATIONS: Final = 200
MOST_LABELS: Final = 50
"""So many undeclared names and labels of each become values of metrics; more are ``__other__``."""

_ENOUGH: Final = 5
"""So many failures and nothing else say that the rest is not recorded."""

FAILURES: Final = frozenset(
    """
    0 bad down fail failed failure false hallucinated hallucination incorrect invalid negative no thumbs_down toxic
    unacceptable ungrounded unhelpful unsafe unsatisfied wrong
    """.split()  # noqa: SIM905 - quoted words are harder to read
)
"""Labels that mean a failure where an evaluation does not declare its own."""


class Evaluation:
    """One evaluation of this process, by its name."""

    def __init__(
        self,
        name: str,
        labels: tuple[str, ...] = (),
        buckets: tuple[float, ...] = (),
        *,
        higher_is_better: bool = True,
    ) -> None:
        self.name = name
        self.declared = labels
        self.buckets = buckets
        self.higher_is_better = higher_is_better
        self._seen: set[str] = set()
        self._failures = 0
        self._others = 0
        self._scale: tuple[float, float] | None = None

    def verdict(self, *, value: bool) -> str | None:
        """The label of a yes or no: of two that were declared the better one comes first."""
        text = "true" if value else "false"
        if not self.declared or text in self.declared:
            return text
        return self.declared[value is not self.higher_is_better] if len(self.declared) == 2 else None

    def label(self, given: str) -> str:
        """``given`` as the value of a label: what was not declared, or is one too many, is ``__other__``."""
        if self.declared:
            if given in self.declared:
                return given
            fence.warn(
                f"the evaluation {self.name!r} gave a label that is not one of {', '.join(self.declared)}; "
                f"it is recorded as {OTHER}"
            )
            return OTHER
        label = safe.label(given)
        if label in self._seen:
            return label
        if len(self._seen) >= MOST_LABELS:
            fence.warn(
                f"the evaluation {self.name!r} gives more than {MOST_LABELS} labels; further ones are recorded as "
                f"{OTHER}. Declare its labels with define_evaluation()"
            )
            return OTHER
        self._seen.add(label)
        return label

    def note(self, label: str) -> None:
        """Remember what was recorded, and say so if it is failures only: their rate would read 100 %."""
        if not self._fails(label):
            self._others += 1
            return
        self._failures += 1
        if self._failures >= _ENOUGH and not self._others:
            fence.warn(
                f"the evaluation {self.name!r} has only recorded failures ({label!r}) so far, so its failure rate "
                f"reads 100 %: record what passes, too"
            )

    def on_scale(self, lowest: float, highest: float) -> None:
        """Remember the scale of a score; a mean over two scales says nothing."""
        if self._scale is None:
            self._scale = lowest, highest
        elif self._scale != (lowest, highest):
            fence.warn(
                f"{self.name!r} gets scores on two scales, {self._scale[0]:g} to {self._scale[1]:g} and {lowest:g} to "
                f"{highest:g}, and so its mean says nothing: give one of them a name of its own"
            )

    def _fails(self, label: str) -> bool:
        if any(each.lower() in FAILURES for each in self.declared) or not self.declared:
            return label.lower() in FAILURES
        return len(self.declared) > 1 and label == self.declared[-1]

    def scores(self, usual: tuple[float, ...] = FRACTIONS) -> Instrument:
        """The histogram of the scores, with the declared bounds or else the ``usual`` ones."""
        return _scores(self.buckets or usual)


_evaluations: dict[str, Evaluation] = {}
_defined: dict[str, Evaluation] = {}
_instruments: dict[tuple[float, ...], Instrument] = {}
_rest: Final = Evaluation(OTHER)


def define_evaluation(
    name: str,
    labels: Sequence[str] | None = None,
    buckets: Sequence[float] | None = None,
    *,
    higher_is_better: bool = True,
) -> None:
    """Declare an evaluation before its results come.

    ``labels`` are all labels that it may give, the best first; any other is recorded as ``__other__``.  ``buckets`` are
    the upper bounds of the histogram of its scores, from 0.1 to 1.0 by default; the first and the last are the ends of
    a scale such as ``(1, 2, 3, 4, 5)``.  ``higher_is_better`` says whether a score of 1, and True, is good.

    A second definition of a name replaces the first for the results that follow.  Raises ValueError for what no
    evaluation can have.
    """
    if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance] - programs pass what they have
        raise ValueError(f"the name of an evaluation is a text, not {name!r}")
    known = tuple(labels or ())
    if isinstance(labels, str) or not all(isinstance(label, str) and label for label in known):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"the labels of the evaluation {name!r} are a list of texts, not {labels!r}")
    bounds = tuple(float(bound) for bound in buckets or ())
    if not all(map(math.isfinite, bounds)) or not all(low < high for low, high in pairwise(bounds)):
        raise ValueError(f"the buckets of the evaluation {name!r} are rising numbers, not {buckets!r}")
    _defined[name] = Evaluation(name, known, bounds, higher_is_better=higher_is_better)


def evaluation(name: str) -> Evaluation:
    """What is known of the evaluation ``name``; past the bound all further names are one."""
    found = _defined.get(name) or _evaluations.get(name)
    if found is None:
        if len(_evaluations) >= MOST_EVALUATIONS:
            fence.warn(
                f"there are more than {MOST_EVALUATIONS} names of evaluations; further ones are recorded as {OTHER}"
            )
            return _rest
        found = _evaluations.setdefault(name, Evaluation(safe.label(name)))
    return found


def _scores(bounds: tuple[float, ...]) -> Instrument:
    found = _instruments.get(bounds)
    if found is None:
        found = _instruments.setdefault(bounds, replace(SCORES, buckets=bounds, of=SCORES))
    return found
