"""What has been spent, by trace, tenant and window of time, from the same measurements that the cost counter has.

It knows what this process has priced since it started, or was forked: of other processes, of unpriced calls, and of
traces and tenants that were too many to be kept, it knows nothing.  It blocks no call.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.trace import SpanContext

from genai_otel import fence, metrics, safe, semconv
from genai_otel.prices.budget import WINDOWS, Budget, Limit
from genai_otel.processing.costs import spent
from genai_otel.processing.measure import Reading

_MOST_TRACES: Final = 4_096
_MOST_TENANTS: Final = 1_000
_SLICES: Final = 60  # of a window
_RECENT: Final = 3  # slices that a rate is of: a twentieth of the window
_NONE: Final = Budget(None, {})


class Spending:
    """What was spent in a window, in slices: the oldest ones go, whatever the calendar says."""

    def __init__(self, limit: Limit, whose: Mapping[str, str]) -> None:
        self.limit = limit
        self.labels = {**whose, semconv.BUDGET_WINDOW: limit.window}
        self._slice = WINDOWS[limit.window] / _SLICES
        self._slices: deque[list[float]] = deque()  # [number of the slice, amount]

    def add(self, amount: float, now: float) -> None:
        """Note an amount; the first one that is too much is said."""
        number = now // self._slice
        if self._slices and self._slices[-1][0] >= number:
            self._slices[-1][1] += amount
        else:
            self._slices.append([number, amount])
        if self.spent(now) > self.limit.amount:
            whose = self.labels.get(semconv.TENANT)
            fence.warn(
                f"the budget of {self.limit.amount:g} USD/{self.limit.window}"
                f"{'' if whose is None else f' of tenant {whose!r}'} is exceeded"
            )

    def spent(self, now: float, slices: int = _SLICES) -> float:
        """US dollars in the window before now, or in its last ``slices``."""
        first = now // self._slice - slices
        while self._slices and self._slices[0][0] <= now // self._slice - _SLICES:
            self._slices.popleft()
        return sum(amount for number, amount in self._slices if number > first)


class Ledger:
    """Adds up what calls cost.  ``budget`` are the limits against which some of it is held."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or _NONE
        self.after_fork()

    def after_fork(self) -> None:
        """A forked child has spent nothing yet."""
        self._lock = threading.RLock()
        self._all = 0.0
        self._traces: dict[int, float] = {}
        self._tenants: dict[str, float] = {}
        self._held: dict[str | None, Spending] = {}
        if self._budget.total is not None:
            self._held[None] = Spending(self._budget.total, {})

    def note(self, amount: float, tenant: Any, context: SpanContext) -> None:
        """Add what one call cost."""
        if not amount:
            return
        now = time.time()
        with self._lock:
            self._all += amount
            _add(self._traces, context.trace_id, amount, _MOST_TRACES)
            if tenant is not None:
                self._of_tenant(safe.label(tenant), amount, now)
            if (total := self._held.get(None)) is not None:
                total.add(amount, now)

    def _of_tenant(self, tenant: str, amount: float, now: float) -> None:
        _add(self._tenants, tenant, amount, _MOST_TENANTS)
        held, limit = self._held.get(tenant), self._budget.of(tenant)
        if held is None and limit is not None and len(self._held) < _MOST_TENANTS:
            held = self._held[tenant] = Spending(limit, {semconv.TENANT: tenant})
        if held is not None:
            held.add(amount, now)

    def spent(self, *, trace: int | None = None, tenant: str | None = None) -> float:
        """US dollars of one trace, of one tenant, or of the process."""
        with self._lock:
            if trace is not None:
                return self._traces.get(trace, 0.0)
            return self._all if tenant is None else self._tenants.get(safe.label(tenant), 0.0)

    # --- metrics ----------------------------------------------------------------------------------------------------

    def observe(self, meter: Meter, settle: Any) -> None:
        """Register the observable instruments of the budgets; ``settle`` lets what was read be measured first."""

        def reading(of: Any) -> Any:
            def read(_: CallbackOptions) -> Iterator[Observation]:
                settle()
                now = time.time()
                with self._lock:
                    found = [Observation(of(held, now), held.labels) for held in self._held.values()]
                yield from found

            return read

        for name, unit, description, of in (
            (metrics.BUDGET_LIMIT, "USD", "What may be spent in a window.", _limit),
            (metrics.BUDGET_SPENT, "USD", "What was spent in the window before now.", Spending.spent),
            (metrics.BUDGET_RATIO, "1", "Spent of the limit; above 1 it is exceeded.", _ratio),
            (
                metrics.BUDGET_BURN_RATE,
                "1",
                "How often the limit would be spent, going on as of late.",
                _burn,
            ),
        ):
            meter.create_observable_gauge(name, [reading(of)], unit, description)


class Unread:
    """A sink that nobody collects from: what calls cost is added up, and nothing else is measured."""

    def record(self, reading: Reading, context: SpanContext) -> None:
        """Add what was read of one span."""
        if reading[0].pricer is not None:  # else it is no call of a model
            spent(reading, context)

    def settle(self) -> None:
        """Nothing waits here."""


def _limit(held: Spending, _: float) -> float:
    return held.limit.amount


def _ratio(held: Spending, now: float) -> float:
    return held.spent(now) / held.limit.amount


def _burn(held: Spending, now: float) -> float:
    return held.spent(now, _RECENT) * _SLICES / _RECENT / held.limit.amount


def _add(kept: dict[Any, float], key: Any, amount: float, most: int) -> None:
    """The one that was added to longest ago goes."""
    before = kept.pop(key, 0.0)
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[key] = before + amount
