"""A Collector that is killed in the middle: what it has acknowledged arrives, and every call is counted once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from genai_otel import metrics
from tests.harness.otlp import Point
from tests.stack.observed import Running, Seen
from tests.stack.posting import Batch, post

_TOKENS = 12  # of input, in each span


class Sending(threading.Thread):
    """Sends spans until it is stopped, and knows which were acknowledged."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(daemon=True)
        self._endpoint = endpoint
        self._stop_sending = threading.Event()
        self.acknowledged: set[str] = set()
        self.unanswered: set[str] = set()

    def run(self) -> None:
        batch = Batch("killed", 50)
        while not self._stop_sending.is_set():
            body = batch.renewed()
            kept = self.acknowledged if post(self._endpoint, body) == 200 else self.unanswered
            kept |= batch.span_ids
            time.sleep(0.005)

    def finish(self) -> None:
        self._stop_sending.set()
        self.join(30)


def test_nothing_acknowledged_is_lost_when_it_is_killed_with_a_full_queue(tmp_path: Path) -> None:
    with Running(tmp_path, OTELCOL_QUEUE_ITEMS="20000") as seen:
        seen.traces.mode = seen.others.mode = "refuse"
        batch, sent = Batch("killed", 500), set[str]()
        while post(seen.collector.endpoint, batch.renewed()) == 200:
            sent |= batch.span_ids
            assert len(sent) <= 25_000  # what is on its way to a back end is in no queue
        seen.collector.kill()
        seen.traces.mode = seen.others.mode = "up"
        began = time.monotonic()
        seen.collector.start()
        seen.traces.wait_for(lambda _: sent <= _ids(seen), timeout=60)
        seconds = time.monotonic() - began
        print(
            f"\nfull queue, killed: sent {len(sent)} spans, arrived {len(_ids(seen))}, {seconds:.1f} s to catch up"
        )
        seen.others.wait_for(lambda _: _counted(seen) >= len(sent), timeout=30)
        assert post(seen.collector.endpoint, Batch("after", 1).renewed()) == 200


def test_nothing_acknowledged_is_lost_when_it_is_killed_at_work(tmp_path: Path) -> None:
    with Running(tmp_path) as seen:
        sending = Sending(seen.collector.endpoint)
        sending.start()
        for _ in range(3):
            time.sleep(1.5)
            seen.collector.kill()
            seen.collector.start()
        time.sleep(1)
        sending.finish()
        acknowledged = sending.acknowledged
        seen.traces.wait_for(lambda _: acknowledged <= _ids(seen), timeout=60)
        time.sleep(2)  # what came, came
        arrived = _ids(seen)
        print(
            f"\nthree kills: acknowledged {len(acknowledged)} spans, arrived {len(arrived & acknowledged)}; "
            f"of {len(arrived)} in all {_counted(seen)} were counted"
        )
        # What was being answered when it died may have been taken, or not.
        assert len(acknowledged) <= _counted(seen)
        assert arrived <= acknowledged | sending.unanswered


def _ids(seen: Seen) -> set[str]:
    return {span.span_id for span in seen.spans("killed")}


def _counted(seen: Seen) -> int:
    """Calls by the totals of tokens: each life of the Collector begins one of its own."""
    totals: dict[int, Point] = {}
    for point in seen.points("killed"):
        if point.metric == metrics.TOKEN_USAGE.name and point.attributes["gen_ai.token.type"] == "input":
            totals[point.start] = point
    for point in totals.values():
        assert point.sum == _TOKENS * point.count
    return sum(point.count for point in totals.values())
