"""Incidents out of a real Prometheus, which has the history of alerts that we wrote into it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from genai_otel.report.incidents import history
from genai_otel.report.problem import Problem
from tests.report.alerts import Firing, fired, needed

pytestmark = [pytest.mark.process, needed]

EPOCH = 1_767_225_600 - 1_767_225_600 % 7_200  # blocks begin at even hours
FIRING: Firing = {
    ("Slow", "page"): [(60, 70), (180, 200)],
    ("Errors", "page"): [(65, 75)],
    ("Budget", "ticket"): [(230, 260)],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with fired(tmp_path_factory.mktemp("prometheus"), EPOCH, FIRING) as running:
        yield running


def test_a_real_prometheus_tells_what_fired(address: str) -> None:
    found = history(address, EPOCH, EPOCH + 240 * 60)
    slow, errors, budget = (found.by_alert[key] for key in FIRING)
    assert (slow.count, slow.mttr) == (2, pytest.approx(15 * 60, abs=2 * found.step))
    assert errors.mttr == pytest.approx(10 * 60, abs=2 * found.step)
    assert (budget.count, budget.mttr, budget.episodes[0].has_ended) == (1, None, False)
    assert found.all.mttr == pytest.approx((15 + 20) / 2 * 60, abs=2 * found.step)
    assert found.all.mtbf == pytest.approx((240 - 15 - 20 - 10) / 3 * 60, abs=2 * found.step)


def test_alerts_are_chosen_by_matchers_and_a_wrong_one_is_refused(address: str) -> None:
    assert set(history(address, EPOCH, EPOCH + 240 * 60, 'severity="page"').by_alert) == {
        ("Slow", "page"),
        ("Errors", "page"),
    }
    with pytest.raises(Problem, match=re.compile(r"answered /api/v1/query_range with 400: .*parse error")):
        history(address, EPOCH, EPOCH + 60, "severity=page")
