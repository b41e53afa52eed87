"""What a span of others costs: a look at the names of any span, a table for those of GenAI, whatever else they say."""

from __future__ import annotations

import timeit
from typing import Any

import pytest
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan

from genai_otel.processing.dialects import operation, recognised, translated
from tests.benchmarks.count import Tally
from tests.golden.replay import SPANS, golden
from tests.harness.guarding import ended, has

NAMES = sorted(path.stem for path in SPANS.glob("*.json"))


def test_looking_at_a_span_of_a_web_server_is_cheap() -> None:
    spans = ended(has(**{f"http__a{number}": "value" for number in range(15)}))
    attributes = spans[0].attributes

    def best(function: Any) -> float:
        return min(timeit.repeat(function, number=2000, repeat=9))

    # A plain look at 15 names in a frozenset, which takes about half a microsecond, is the measure of this machine.
    names = frozenset({"a", "b"})
    plain = dict(attributes or {})
    assert best(lambda: recognised(attributes)) < 8 * best(lambda: names.isdisjoint(plain))


def _bytecodes(function: Any, attributes: Any) -> int:
    """The least of some calls: one may fill a cache, another meet the garbage collector."""
    found: list[int] = []
    for _ in range(8):
        tally = Tally()
        tally.run(lambda _: function(attributes), 1)
        found.append(tally.bytecodes)
    return min(found)


def _bounded(told: dict[str, Any], more: int) -> BoundedAttributes:
    return BoundedAttributes(None, {**told, **{f"app.a{number}": "value" for number in range(more)}})


@pytest.mark.parametrize("name", NAMES)
def test_recognising_a_span_costs_the_same_however_much_it_says(name: str) -> None:
    for span in (span for call in golden(name).values() for span in call):
        few, many = (_bytecodes(operation, _bounded(span["start"], more)) for more in (0, 100))
        assert few == many
        assert few < 400


@pytest.mark.parametrize("name", NAMES)
def test_translating_a_span_costs_what_the_table_costs(name: str) -> None:
    def read(attributes: BoundedAttributes) -> None:
        translated(ReadableSpan("x", attributes=attributes, start_time=1, end_time=2))

    for span in (span for call in golden(name).values() for span in call):
        few, many = (_bytecodes(read, _bounded(span["end"], more)) for more in (0, 100))
        assert many - few < 100
        assert few < 12_000
