"""Whatever comes in, an attribute or a label comes out that breaks no export."""

from __future__ import annotations

import math
from typing import Any

import pytest

from genai_otel import safe, semconv
from genai_otel.safe import REDACTED
from tests.harness.poison import POISON, Colour, Evil, EvilFloat, EvilList, EvilNumber, EvilText, Level, Role


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("caf\u00e9", "caf\u00e9"),
        ("a\ud800b", "a?b"),
        (True, True),
        (7, 7),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-(2**63), -(2**63)),
        (2**70, None),
        (0.5, 0.5),
        (math.nan, None),
        (math.inf, None),
        (["a", "b"], ("a", "b")),
        (("a", None, 2**70, ["nested"], 1), ("a", 1)),
        (list(range(1000)), tuple(range(128))),
        ([], ()),
        (Colour.RED, "red"),
        (Colour.BIG, None),
        (Role.USER, "user"),
        (Level.HIGH, 3),
        (None, None),
        ({"a": 1}, None),
        (b"bytes", None),
    ],
)
def test_an_attribute_is_harmless(value: Any, expected: Any) -> None:
    found = safe.attribute(value)
    assert found == expected
    assert type(found) is type(expected)


def test_subclasses_are_read_as_what_they_extend() -> None:
    values = [EvilText("text"), EvilNumber(7), EvilFloat(7.5), EvilList(["a"])]
    found = [safe.attribute(value) for value in values]
    assert found == ["text", 7, 7.5, ("a",)]
    assert [type(value) for value in found] == [str, int, float, tuple]


@pytest.mark.parametrize("name", POISON)
def test_poison_is_no_attribute_or_a_harmless_one(name: str) -> None:
    found = safe.attribute(POISON[name])
    if isinstance(found, str):
        found.encode()
    assert found is None or type(found) in (str, int, float, tuple)


def test_clean_changes_a_dictionary_in_place() -> None:
    text = "unchanged"
    attributes: dict[str, Any] = {
        "text": text,
        "role": Role.USER,
        "huge": 2**70,
        "evil": Evil(),
        "list": ["a"],
    }
    safe.clean(attributes)
    assert attributes == {"text": text, "role": "user", "list": ("a",)}
    assert attributes["text"] is text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gpt-4o", "gpt-4o"),
        ("m" * 500, "m" * 128),
        ("a\ud800", "a?"),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        (Role.USER, "user"),
        (None, semconv.OTHER),
        (["a"], semconv.OTHER),
        ("sk-proj-0123456789abcdef", REDACTED),
    ],
)
def test_a_label_is_a_short_text(value: Any, expected: str) -> None:
    assert safe.label(value) == expected
