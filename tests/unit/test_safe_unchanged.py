"""What needs no copy becomes the very JSON that a copy would have become; everything else is left to the copy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai_otel import safe
from genai_otel.safe import unchanged
from tests.harness.poison import POISON
from tests.harness.values import JSON, every_value

MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "parts": [{"type": "text", "content": "You answer in one sentence."}]},
    {"role": "user", "parts": [{"type": "text", "content": 'Say "three"\n\tcolours: äöü €'}], "name": "ann"},
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c", "arguments": {"n": [1, 2.5, None, True]}}],
    },
]

# Pieces of secrets and media, so that chance finds whole ones, and ones that two texts make together.
PIECES = st.sampled_from(
    [
        "sk-", "proj0123456789", "api_key", "=", '"', ": ", "\\", "\n", "Bearer ", "hunter2", "data:", "image/png",
        ";base64,", "blob", "type", "content", "password", "Password", "eyJ", "https://u", "@", " ", "é", "\ud83d",
        "A" * 20, "text", "-----BEGIN PRIVATE KEY-----", "[REDACTED]", "%20", "AKIA", "ABCDEFGH12345678",
    ]
)  # fmt: skip
WORDS = st.lists(PIECES, max_size=5).map("".join)
SUSPICIOUS = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


def copied(value: object, value_bytes: int) -> str:
    return json.dumps(safe.plain(value, budget=value_bytes), ensure_ascii=False, separators=(",", ":"))


def agree(value: object, value_bytes: int) -> None:
    found = unchanged.json_of(value, value_bytes)
    assert found is None or found == copied(value, value_bytes)


@given(value=every_value() | JSON, value_bytes=st.integers(64, 2000))
@settings(max_examples=100, deadline=None)
def test_any_value_is_the_same_as_its_copy_or_left_to_it(value: Any, value_bytes: int) -> None:
    agree(value, value_bytes)


@given(value=SUSPICIOUS, value_bytes=st.sampled_from([64, 200, 16_384]))
@settings(max_examples=200, deadline=None)
def test_secrets_and_media_are_left_to_the_copy(value: Any, value_bytes: int) -> None:
    agree(value, value_bytes)


@given(st.lists(st.text(max_size=300), max_size=4), st.integers(64, 1500))
@settings(max_examples=100, deadline=None)
def test_what_is_to_be_cut_is_left_to_the_copy(texts: list[str], value_bytes: int) -> None:
    agree([{"role": "user", "content": text} for text in texts], value_bytes)


@pytest.mark.parametrize("name", POISON)
def test_poison_is_left_to_the_copy(name: str) -> None:
    for value in (POISON[name], {"value": POISON[name]}, [[POISON[name]]], {"a": {"b": (POISON[name],)}}):
        agree(value, 16_384)


def test_messages_need_no_copy() -> None:
    found = unchanged.json_of(MESSAGES, 16_384)
    assert found is not None, "else all of this is in vain"
    assert json.loads(found) == MESSAGES
    assert found == copied(MESSAGES, 16_384)


def test_the_same_container_many_times_over_ends() -> None:
    value: list[Any] = ["x" * 100]
    for _ in range(30):
        value = [value] * 10
    assert unchanged.json_of(value, 16_384) is None


@pytest.mark.parametrize(
    "value",
    [
        {"password": "hunter2"},
        {"a": [{"X-Api-Key": "k"}]},
        ["use sk-proj-0123456789abcdef now"],
        {"type": "blob", "content": "iVBORw0KGgo="},
        {"url": "DATA:image/png;base64,iVBORw0KGgo="},
        [2**63],
        [float("nan")],
        {1: "a"},
        {"a": b"bytes"},
        ["half a pair \ud83d"],
        {"n" * 129: 1},
        ["x" * 8200, "y" * 8200],
    ],
)
def test_what_a_copy_changes_is_left_to_it(value: Any) -> None:
    assert unchanged.json_of(value, 16_384) is None
