"""No secret stays in a text, what is none stays as it is, and no text takes long."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_otel import safe
from genai_otel.safe import REDACTED
from tests.harness.secret_texts import AROUND, HARMLESS, NAMED, SECRETS
from tests.harness.values import JSON


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around",
    AROUND,
)
def test_keys_go_by_their_shape(secret: str, around: str) -> None:
    text = around.format(secret)
    scrubbed = safe.scrub(text)
    assert secret[4:] not in scrubbed
    assert REDACTED in scrubbed
    assert safe.scrub(scrubbed) is scrubbed


@pytest.mark.parametrize(
    ("text", "expected"),
    NAMED,
)
def test_secrets_go_by_what_stands_before_them(text: str, expected: str) -> None:
    scrubbed = safe.scrub(text)
    assert scrubbed == expected
    assert safe.scrub(scrubbed) is scrubbed


@pytest.mark.parametrize(
    "text",
    HARMLESS,
)
def test_what_is_no_secret_stays_the_very_same_object(text: str) -> None:
    assert safe.scrub(text) is text


@given(st.text() | st.from_regex(r"[\w\s=&?:;/@.\"'{}\\-]{0,200}"), st.sampled_from(SECRETS), st.text())
def test_any_text_keeps_no_key(before: str, secret: str, after: str) -> None:
    scrubbed = safe.scrub(f"{before} {secret} {after}")
    assert secret not in scrubbed
    assert safe.scrub(scrubbed) == scrubbed


@given(JSON)
def test_json_stays_json(value: Any) -> None:
    json.loads(safe.scrub(json.dumps({"api_key": value, "authorization": "x" * 10, "password": [value]})))


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True), ("db.password", True), ("X-Api-Key", True), ("http.request.header.authorization", True),
        ("http.request.header.x_goog_api_key", True), ("client_secret", True), ("access_token", True),
        ("token", False), ("gen_ai.usage.input_tokens", False), ("key", False), ("monkey", False), ("secretary", False),
    ],
)  # fmt: skip
def test_names_of_secrets(name: str, secret: bool) -> None:
    assert safe.is_secret_name(name) is secret


ADVERSARIES = [
    "a", "sk-", "sk- ", "sk-aaaaaaaa ", "eyJ", "-eyJ", "eyJaaaaaa.", "eyJaaaaaa. ", "Bearer ", "Bearer abcdefgh ",
    "Basic ", "Basic aaaaaaaa", "://", "://a:", "://a@", "key=", "?key=", "?key=a&", "api_key=", "api_key='",
    '"api_key":"', 'api_key=\\"', "password", "password=", "gh", "ghp_", "AKIA", "AIza-", "xoxb-", "authorization: ",
    "\\nsk-", "\\u00e9sk-", "%20", "@", "=", '"', "\\", "\u00e9 sk-", "private key-----", "?sig", "-signature=",
]  # fmt: skip


def cpu_time(text: str) -> float:
    """The best of some: the figure is about the patterns, not about what else the machine does."""
    times: list[float] = []
    for _ in range(4):
        started = time.process_time()
        safe.scrub(text)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("unit", ADVERSARIES)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    short, long = unit * (62_500 // len(unit)), unit * (1_000_000 // len(unit))
    assert cpu_time(long) < 16 * cpu_time(short) * 2.5 + 0.005
    # 20 ms is the demand; a shared machine at its slowest gets three times as much.
    assert cpu_time(long) < 0.06
