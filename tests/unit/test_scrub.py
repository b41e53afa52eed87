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
from tests.harness.values import JSON

SECRETS = [
    "sk-proj-0123456789abcdefABCDEF",
    "sk-ant-api03-0123456789abcdef",
    "sk-or-v1-0123456789abcdef",
    "sk-test1234",
    "csk-0123456789abcdef",
    "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_0123456789abcdefghij_ABCDEFGHIJ",
    "xoxb-123456789012-abcdefghij",
    "hf_0123456789abcdefghijABCD",
    "gsk_0123456789abcdefghijABCD",
    "xai-0123456789abcdefghijABCD",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def-ghi",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "key {} end",
        "({})",
        '"{}"',
        "a={}",
        "line\\n{}",
        "\u201c{}\u201d",
        "\\u201c{}",
        "q=my%20{}",
        "\u0130 {} \u00df",
    ],
)
def test_keys_go_by_their_shape(secret: str, around: str) -> None:
    text = around.format(secret)
    scrubbed = safe.scrub(text)
    assert secret[4:] not in scrubbed
    assert REDACTED in scrubbed
    assert safe.scrub(scrubbed) is scrubbed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: [REDACTED]"),
        ("Bearer canarycanary", "Bearer [REDACTED]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [REDACTED]"),
        ("Basic dXNlcjpwYXNz", "Basic [REDACTED]"),
        ("{'authorization': 'Basic abcdefgh'}", "{'authorization': '[REDACTED]'}"),
        ("https://user:pass@host/x", "https://[REDACTED]@host/x"),
        ("https://token@host/x", "https://[REDACTED]@host/x"),
        ("https://h/x?key=AIzabc&x=1", "https://h/x?key=[REDACTED]&x=1"),
        ("https://h/x?a=1&api_key=zzz#f", "https://h/x?a=1&api_key=[REDACTED]"),
        ("https://h/x?sig=a%2Fb&se=2", "https://h/x?sig=[REDACTED]&se=2"),
        ("https://h/?X-Amz-Signature=abcd&token=t", "https://h/?X-Amz-Signature=[REDACTED]&token=[REDACTED]"),
        ("https://h/?access_token=a&Signature=b", "https://h/?access_token=[REDACTED]&Signature=[REDACTED]"),
        ("client_secret=abc&x", "client_secret=[REDACTED]&x"),
        ("AccountKey=abc+/==;Endpoint", "AccountKey=[REDACTED];Endpoint"),
        ("OpenAI(api_key='hello')", "OpenAI(api_key='[REDACTED]')"),
        ("password: hunter2", "password: [REDACTED]"),
        ('{"password":"a\\"b","x":1}', '{"password":"[REDACTED]","x":1}'),
        ('"{\\"api_key\\": \\"abc\\"}"', '"{\\"api_key\\": \\"[REDACTED]\\"}"'),
        ("Incorrect API key provided: sk-abc12***xyz9.", "Incorrect API key provided: [REDACTED]."),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIabc+/=\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----[REDACTED]-----END PRIVATE KEY-----",
        ),
    ],
)
def test_secrets_go_by_what_stands_before_them(text: str, expected: str) -> None:
    scrubbed = safe.scrub(text)
    assert scrubbed == expected
    assert safe.scrub(scrubbed) is scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog.",
        "gpt-4o-mini-2024-07-18",
        "task-runner-for-me, risk-assessment-framework-2024, desk-research",
        "Basic understanding and basic authentication, the bearer of news",
        "sorted(items, key=len)",
        "max_tokens=5, page_token=3, keyboard: qwerty",
        '{"token": "Hello", "logprob": -0.1}',
        '{"api_key":null,"password":123,"secret":{"type":"string"}}',
        "mail ann@example.com, see https://example.com/a@b",
        "https://example.com/v1/chat/completions?limit=20&after=abc",
        "chatcmpl-0123456789abcdefghijABCDEFGHIJ",
        "550e8400-e29b-41d4-a716-446655440000",
        "",
    ],
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
