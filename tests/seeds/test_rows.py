"""Every row of the seeds that is about the library has a test that shows it."""

from __future__ import annotations

import pytest

from tests.seeds.rows import rows, shown, unknown

LATER = {
    "001-46": "SQLAlchemy's and Redis' own instrumentations, in the seed's own application",
    "001-48": "a canary job, in the seed's own application",
    "004-30": "the Collector's file exporter and Loki, in the stack",
    "004-33": "SQL and LogQL over the events, in the seed's own application",
    "004-34": "the same",
    "004-42": "DSPy, in the seed's own application",
}
"""Rows that need more than the library, and where they are shown."""


def test_there_are_the_rows_of_five_seeds() -> None:
    seeds = [row.id.partition("-")[0] for row in rows().values()]
    assert {seed: seeds.count(seed) for seed in seeds} == {
        "000": 32,
        "001": 60,
        "002": 51,
        "003": 42,
        "004": 43,
    }


@pytest.mark.parametrize(
    "kind", ["agents", "cache", "cost", "evaluation", "events", "feedback", "gpu", "health"]
)
def test_every_row_of_a_kind_has_a_test(kind: str) -> None:
    wanted = {row.id for row in rows().values() if row.kind == kind} - LATER.keys()
    assert wanted
    assert wanted <= shown().keys(), sorted(wanted - shown().keys())


def test_marks_name_rows_that_there_are_and_none_that_comes_later() -> None:
    assert unknown(tuple(shown())) == []
    assert not LATER.keys() & shown().keys()
    assert set(LATER) <= rows().keys()
