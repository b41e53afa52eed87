"""The weekly report: a week of an application, made by the library itself, beside a real Prometheus with its alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.harness.process import run
from tests.report.alerts import fired, needed
from tests.report.week import DAY, MINUTE, OUTAGE, SLOW
from tests.report.written import Page, page_of

pytestmark = [pytest.mark.process, needed]

MONDAY = 1_796_601_600  # 2026-12-07
FIRING = {
    ("VendorDown", "page"): [(OUTAGE[0] // MINUTE + 2, (OUTAGE[0] + OUTAGE[1]) // MINUTE + 4)],
    ("SlowAnswers", "ticket"): [(SLOW[0] // MINUTE + 10, sum(SLOW) // MINUTE)],
}


SCRIPT = """
import sys
from pathlib import Path
from tests.report.week import main
main(Path(sys.argv[1]), int(sys.argv[2]))
"""


class Seen(NamedTuple):
    page: Page
    done: dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("week")
    done = json.loads(run(SCRIPT, arguments=[str(folder), str(MONDAY)]).ok().out)
    with fired(folder, MONDAY, FIRING) as prometheus:
        options = [
            "--since",
            "2026-12-07",
            "--until",
            "2026-12-14",
            "--service",
            "copilot",
            "--prometheus",
            prometheus,
        ]
        for objective in (
            "success=99.5",
            "latency-p95=3s",
            "cost=50",
            "score-groundedness=0.95",
            "score-user_feedback=4",
            "share-groundedness:fail=5",
        ):
            options += ["--slo", objective]
        yield Seen(page_of(folder / "spans.jsonl", *options, "--by", "plant.id", "--title", "Week 50"), done)


@pytest.mark.seed_rows("002-50")
def test_requests_tokens_and_cost_are_what_the_program_did(seen: Seen) -> None:
    page, done = seen
    assert page.figures["calls"] == done["calls"]
    assert page.figures["cost"] == pytest.approx(done["spent"])
    assert page.figures["good"] == pytest.approx(1 - done["failed"] / done["calls"])
    assert page.figures["latency"] == pytest.approx(done["p95"], rel=0.02)


@pytest.mark.seed_rows("002-50")
def test_objectives_say_what_was_reached(seen: Seen) -> None:
    page, done = seen
    ratings = done["ratings"]
    verdicts = {row[0]: row[3] for row in page.tables["objectives"][1:]}
    mean = sum(ratings) / len(ratings)
    assert page.numbers("objectives", "score-user_feedback")["reached"] == pytest.approx(mean)
    share = page.numbers("objectives", "share-groundedness:fail")["reached"]
    assert share == pytest.approx(done["groundedness fail"] / 512)
    assert (verdicts["success"], verdicts["share-groundedness:fail"]) == ("met", "met")
    assert verdicts["latency-p95"] == "missed"
    assert verdicts["score-user_feedback"] == ("met" if mean >= 4 else "missed")


@pytest.mark.seed_rows("002-50")
def test_incidents_are_those_of_the_alerts(seen: Seen) -> None:
    together = seen.page.numbers("incidents", "all alerts together")
    outage, slow = [sum((end - begin) * MINUTE for begin, end in times) for times in FIRING.values()]
    assert together["incidents"] == 2
    assert together["MTTR"] == pytest.approx((outage + slow) / 2, abs=180)
    assert "Alerts fired for 3 h 32 min, 2 h 50 min of it SlowAnswers." in seen.page.text
    assert together["MTBF"] == pytest.approx((7 * DAY - outage - slow) / 2, abs=180)


@pytest.mark.seed_rows("002-50")
def test_quality_is_told_by_label_and_by_mean(seen: Seen) -> None:
    page, done = seen
    row = page.row("evaluations", "groundedness")
    assert row["results"] == f"{done['groundedness pass'] + done['groundedness fail']:,}"
    assert f"fail {done['groundedness fail']}" in " ".join(row.values()).replace(" | ", " ")
