"""Texts with secrets in them, and texts that look as if."""

from __future__ import annotations

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
"""Keys by their shape."""

AROUND = [
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
]
"""What may stand around a key."""

NAMED = [
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
]
"""Secrets by what stands before them, and the text without."""

HARMLESS = [
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
]
