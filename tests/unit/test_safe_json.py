"""Any value becomes JSON within a budget: nothing of it is run or consumed, no secret and no medium stays."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai_otel import safe
from genai_otel.safe import REDACTED
from tests.harness.poison import (
    POISON,
    Array,
    Data,
    Evil,
    File,
    Model,
    Slotted,
    bite,
    circular,
    deep,
    endless,
)
from tests.harness.values import JSON, every_value


@pytest.mark.parametrize("name", POISON)
@pytest.mark.parametrize("value_bytes", [64, 1000, 16_384])
def test_poison_becomes_json_within_its_budget(name: str, value_bytes: int) -> None:
    started = time.process_time()
    for value in (POISON[name], {"value": POISON[name]}, [POISON[name]] * 3):
        text = safe.json_text(value, value_bytes=value_bytes)
        assert len(text.encode()) <= value_bytes
        json.loads(text, parse_constant=bite(None))
    assert time.process_time() - started < 2, "nothing here may take long"


@given(value=every_value(), value_bytes=st.integers(64, 5000))
@settings(max_examples=100, deadline=None)
def test_any_value_becomes_json_within_its_budget(value: Any, value_bytes: int) -> None:
    text = safe.json_text(value, value_bytes=value_bytes)
    assert len(text.encode()) <= value_bytes
    json.loads(text, parse_constant=bite(None))


@given(JSON)
def test_what_is_plain_and_fits_stays_as_it_is(value: Any) -> None:
    copied = safe.plain(value, budget=100_000)
    if safe.scrub(json.dumps(value, ensure_ascii=False)) == json.dumps(value, ensure_ascii=False):
        assert copied == value


def test_an_iterator_is_not_consumed() -> None:
    numbers = iter([1, 2, 3])
    assert safe.plain({"items": numbers}, budget=1000) == {"items": {"type": "list_iterator"}}
    assert list(numbers) == [1, 2, 3]


def test_models_are_copied_by_their_stored_fields() -> None:
    value = [Model.model_validate({"name": "n", "more": 1}), Data("d", Slotted("s"))]
    assert safe.plain(value, budget=1000) == [
        {"name": "n", "parts": [], "more": 1},
        {"name": "d", "inner": {"name": "s", "password": REDACTED}},
    ]


def test_what_is_no_data_becomes_the_name_of_its_class() -> None:
    value = [Array(), File(b""), Evil(), endless(), math.nan, 2**70]
    names = [{"type": "Array"}, {"type": "File"}, {"type": "Evil"}, {"type": "generator"}]
    assert safe.plain(value, budget=1000) == [*names, None, None]


def test_circles_and_depth_end() -> None:
    assert safe.plain(circular(), budget=1000) == [{"outer": "[circular]"}]
    assert json.dumps(safe.plain(deep(1000), budget=10_000)).count("[") == 33
    twice = ["a"]
    assert safe.plain([twice, twice], budget=1000) == [["a"], ["a"]], "the same list twice is no circle"


@given(st.text(min_size=1), st.integers(60, 200))
def test_a_cut_text_says_how_much_is_missing(piece: str, budget: int) -> None:
    text = piece * (2000 // len(piece.encode("utf-8", "replace")) + 1)
    cut = safe.plain(text, budget=budget)
    assert len(cut.encode()) <= budget
    kept, _, mark = cut.rpartition("…[truncated ")
    missing = int(mark.removesuffix(" bytes]"))
    if REDACTED not in cut:
        total = len(text.encode("utf-8", "replace"))
        assert total - budget <= missing <= total
        assert text.encode("utf-8", "replace").decode().startswith(kept)


def test_of_many_messages_the_first_and_the_last_survive() -> None:
    messages = [{"role": "user", "parts": [{"type": "text", "content": f"message {n}"}]} for n in range(400)]
    copied = json.loads(safe.json_text(messages, value_bytes=2000))
    assert copied[0] == messages[0]
    assert copied[-1] == messages[-1]
    kept = len(copied) - 1
    assert kept > 15
    assert copied[1] == {"role": "truncated", "parts": [{"type": "truncated", "items": 400 - kept}]}


def test_one_long_text_leaves_room_for_the_others() -> None:
    messages = [{"role": "system", "content": "x" * 100_000}, {"role": "user", "content": "the question"}]
    copied = json.loads(safe.json_text(messages, value_bytes=1000))
    assert copied[1] == messages[1]
    assert "…[truncated " in copied[0]["content"]


PIXELS = bytes(range(256)) * 4000
ENCODED = base64.b64encode(PIXELS).decode()


@pytest.mark.parametrize(
    ("value", "mime_type"),
    [
        (PIXELS, "application/octet-stream"),
        (bytearray(PIXELS), "application/octet-stream"),
        (memoryview(PIXELS), "application/octet-stream"),
        (ENCODED, "application/octet-stream"),
        (f"data:image/png;base64,{ENCODED}", "image/png"),
        (f"data:audio/wav;rate=8000;base64,{ENCODED}", "audio/wav"),
        (f"data:;base64,{ENCODED}", "application/octet-stream"),
    ],
)
def test_media_become_type_size_and_digest(value: Any, mime_type: str) -> None:
    copied = safe.plain({"image": value}, budget=1000)["image"]
    digest = hashlib.sha256(PIXELS).hexdigest()
    assert copied == {"type": "blob", "mime_type": mime_type, "bytes": len(PIXELS), "sha256": digest}


def test_a_blob_part_keeps_its_shape_without_its_content() -> None:
    part = {"type": "blob", "modality": "image", "mime_type": "image/jpeg", "content": ENCODED}
    copied = safe.plain(part, budget=1000)
    assert copied.pop("sha256") == safe.plain(PIXELS, budget=1000)["sha256"]
    assert copied == {**part, "content": "", "bytes": len(PIXELS)}


@pytest.mark.parametrize(
    "text", ["x" * 5000, "lorem ipsum " * 500, "-" * 3000, "0123456789" * 400, "A" * 4000]
)
def test_long_texts_are_no_media(text: str) -> None:
    assert safe.plain(text, budget=100_000) == text


def test_a_large_image_costs_no_room_and_little_time() -> None:
    image = "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 60_000).decode()
    messages = [
        {
            "role": "user",
            "parts": [{"type": "text", "content": "What is this?"}, {"type": "blob", "content": image}],
        }
    ]
    assert len(image) > 20_000_000
    started = time.process_time()
    text = safe.json_text(messages, value_bytes=16_384)
    assert time.process_time() - started < 1
    assert len(text) < 400
    assert json.loads(text)[0]["parts"][1]["bytes"] == 256 * 60_000


def test_secrets_go_by_name_and_by_shape() -> None:
    value = {
        "password": "hunter2",
        "x-api-key": "k",
        "note": "use sk-proj-0123456789abcdef now",
        "tokens": "12",
    }
    assert safe.plain(value, budget=1000) == {
        "password": REDACTED,
        "x-api-key": REDACTED,
        "note": f"use {REDACTED} now",
        "tokens": "12",
    }


def test_a_secret_on_the_cut_does_not_stay_by_half() -> None:
    for room in range(60, 140):
        cut = safe.plain("x" * 80 + " sk-proj-0123456789abcdef0123456789 " + "y" * 1000, budget=room)
        assert "sk-" not in cut
