"""Back ends that answer badly: the others get all of it at once, and they when they have come to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from genai_otel import metrics
from tests.harness.sink import Mode
from tests.stack.observed import Running, Seen
from tests.stack.posting import Batch, post

_SPANS = 200


@pytest.mark.parametrize("mode", ["refuse", "silent", "throttle", "slow"])
def test_metrics_that_are_not_taken_hold_up_no_trace(tmp_path: Path, mode: Mode) -> None:
    with Running(tmp_path) as seen:
        seen.others.mode = mode
        for _ in range(3):
            assert post(seen.collector.endpoint, Batch("one", _SPANS).renewed()) == 200
        seen.traces.wait_for(lambda sink: len(sink.spans()) == 3 * _SPANS)
        if mode != "refuse":
            seen.others.wait_for(lambda sink: sink.attempts)
        seen.others.mode = "refuse"  # ends what hangs, as a restart does
        seen.others.mode = "up"
        seen.others.wait_for(lambda _: _counted(seen) == 3 * _SPANS, timeout=60)


def _counted(seen: Seen) -> int:
    counts = [point.count for point in seen.points("one") if point.metric == metrics.OPERATION_DURATION.name]
    return max(counts, default=0)
