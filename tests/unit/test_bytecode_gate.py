"""What a call may cost, in bytecodes: the part of `make bench` that no noise can touch, on every run of the tests."""

from __future__ import annotations

import sys

import pytest

from tests.benchmarks import count, gates

WORKLOADS = ("chat", "stream20", "stream200")


@pytest.fixture(scope="module", name="floor")
def _floor() -> dict[str, count.Work]:
    return count.count("floor", WORKLOADS)


@pytest.mark.process
def test_the_harness_counts_nothing_where_nothing_is_patched() -> None:
    assert [gate for gate in gates.of_control(count.count("nothing", ("chat",))) if not gate.holds] == []


@pytest.mark.process
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other interpreters count other bytecodes")
def test_the_yardstick_is_as_long_as_it_always_was(floor: dict[str, count.Work]) -> None:
    """Else a share of it means nothing: 5,805 was measured for code of the same kind."""
    assert floor["chat"].bytecodes == pytest.approx(5805, rel=0.05)


@pytest.mark.process
def test_a_call_costs_no_more_than_promised(floor: dict[str, count.Work]) -> None:
    measured = gates.of_work(count.count("genai_otel", WORKLOADS), floor)
    assert [gate for gate in measured if not gate.holds] == []


@pytest.mark.process
def test_what_is_sampled_out_costs_no_more_than_what_is_not(floor: dict[str, count.Work]) -> None:
    """Its metrics stay exact, so it is not free; but it must not be dearer than the promise, nor write spans."""
    dropped = count.count("genai_otel", WORKLOADS, "sampled out")
    assert dropped["chat"].exported <= gates.SHARE_OF_FLOOR * floor["chat"].exported
    assert count.per_chunk(dropped).bytecodes <= gates.BYTECODES_PER_CHUNK
