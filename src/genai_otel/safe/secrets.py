"""Secrets out of text, in linear time.

Every rule is a pattern that begins with a literal, and is tried only where the text holds that: a substring search
reads several times faster than the regex engine.  None looks at a character more than a bounded number of times.
Rules stand in groups behind a marker (``-``, ``=`` …) that a clean text often lacks altogether.  Most rules read the
text in lower case.
"""

from __future__ import annotations

import functools
import re
from typing import Final

REDACTED: Final = "[REDACTED]"

_SHORTEST = 8
# A text with more secrets than this is worth nothing; it goes as a whole instead of being rebuilt piece by piece.
_MOST = 1_000
# HTTP instrumentations write REDACTED themselves; what is hidden already must not count as a change.
_HIDDEN = ("[REDACTED]", "REDACTED")

# What may stand before a token: no letter or digit, unless it is the end of an escape such as \u00e9.
_START = r"(?:(?<![a-z0-9]{0})|(?<=\\u[0-9a-f]{{4}}{0}))"
_SPACE = (
    r" \t\n\r\f\v"  # spelled out: a set of plain characters is matched several times faster than one with \s
)
_WORD = "A-Za-z0-9_-"
_QUOTED = r""""([^"\\]*(?:\\.[^"\\]*)*)|'([^'\\]*(?:\\.[^'\\]*)*)|\\+["']([^"'\\]*)"""
_BARE = (
    rf"""((?!(?:null|none|true|false)\b)[^{_SPACE}"'&;,()\[\]{{}}<>\\]"""
    rf"""[^{_SPACE}"'&;,)\]}}<>\\]*)"""
)

_LONGEST_NAME = 64
_SECRET_NAME: Final = (
    r"(?:^|[._])(?:authorization|(?:api|secret|access|account|private)_?key|password|passwd|(?:client_)?secret"
    r"|(?:access|refresh|id|auth|session|security|bearer)_token|(?:set_)?cookie)$"
)

_Pattern = re.Pattern[str]
_Rule = tuple[str, _Pattern]
"""What every match begins with, and the pattern."""


def _token(literal: str, least: int, body: str, *prefixes: str) -> _Rule:
    """A vendor's key: ``least`` or more of ``body`` behind one of ``prefixes``, all of which end in ``literal``.

    The body is looked at first, because it fails at once where the literal is part of a word.
    """
    starts = "|".join(rf"(?<={prefix}){_START.format(prefix)}" for prefix in prefixes or (literal,))
    return literal, re.compile(rf"({literal}(?={body}{{{least}}})(?:{starts}){body}+)")


def _named(literal: str, *words: str, lead: str = "", after: str = "", bare: str = _BARE) -> _Rule:
    """A value behind a name (``api_key=x``, ``"password": "x"``); only a quoted one behind a quoted name.

    The name is ``literal`` and ``after``; before it stands a character of ``lead`` or one of ``words``, and anything
    where neither is given.  JSON stays JSON: ``"password": {"type": "string"}`` is a schema, not a secret.
    """
    between = rf"[{_SPACE}]{{0,3}}[:=][{_SPACE}]{{0,3}}"
    return literal, re.compile(
        rf"{literal}{_before(literal, words, lead)}(?={after}[\\\"'{_SPACE}]{{0,6}}[:=]){after}"
        rf"(?:\\{{0,3}}[\"']{between}(?:{_QUOTED})|{between}(?:{_QUOTED}|{bare}))",
        re.DOTALL,
    )


def _before(literal: str, words: tuple[str, ...], lead: str) -> str:
    """What must stand before ``literal``; one look at one character settles most places."""
    if not words and not lead:
        return ""
    ends = "".join({word[-1] for word in words})
    found = [rf"(?<=[{lead}]{literal})"] if lead else []
    if words:
        parted = "|".join(rf"(?<={word}[-_. ]{literal})" for word in words)
        joined = "|".join(rf"(?<={word}{literal})" for word in words)
        found += [rf"(?<=[-_. ]{literal})(?:{parted})", rf"(?<=[{ends}]{literal})(?:{joined})"]
    # The hyphen goes last, where it is no range.
    first = "".join(
        sorted(
            {*lead, *ends, *("_. -" if words else "")}, key=lambda character: (character == "-", character)
        )
    )
    return rf"(?<=[{first}]{literal})(?:{'|'.join(found)})"


_Folded = tuple[tuple[tuple[str, ...], tuple[_Rule, ...]], ...]


# Compiled when the first text is read, in the exporting thread: it is a third of the CPU budget of ``setup()``.
@functools.cache
def _exact() -> tuple[_Rule, ...]:
    """Rules that read the text itself."""
    return (
        ("AIza", re.compile(rf"(AIza(?<![A-Z]AIza)[{_WORD}]{{20,}})")),  # Google
        ("AKIA", re.compile(r"(AKIA(?<![A-Z]AKIA)[A-Z0-9]{16})(?![A-Z0-9])")),  # AWS
        # A JSON Web Token must not start inside a run of its own characters: each start reads to the end of the run.
        (
            "eyJ",
            re.compile(
                rf"(eyJ(?<![g-zG-Z_-]eyJ)(?:(?<![0-9a-fA-F]eyJ)|(?<=\\u[0-9a-fA-F]{{4}}eyJ))"
                rf"[{_WORD}]{{6,}}\.[{_WORD}]{{6,}}(?:\.[{_WORD}]*)?)"
            ),
        ),
        # "Basic understanding" is prose; credentials in base64 do not look like one word.
        (
            "asic ",
            re.compile(
                r"asic (?=[A-Za-z0-9+/]{8})(?<=[Bb]asic )(?=.[a-z]*[A-Z0-9+/=])([A-Za-z0-9+/]+={0,2})"
            ),
        ),
    )


@functools.cache
def _folded() -> _Folded:
    """Rules that read the text in lower case, a group of them behind any of its markers."""
    return (
        (("bearer",), (("bearer", re.compile(rf"bearer[{_SPACE}]{{1,3}}([a-z0-9_.~+/%-]{{6,}}=*)")),)),
        (
            ("-",),
            (
                # OpenAI, Anthropic, DeepSeek, OpenRouter …; Cerebras; with the stars of vendors that quote a wrong key.
                _token("sk-", 8, r"[a-z0-9_*-]", "sk-", "csk-"),
                _token("xai-", 20, r"[a-z0-9]"),
                _token("nvapi-", 20, r"[a-z0-9_-]"),
                _token("pplx-", 20, r"[a-z0-9]"),
                ("xox", re.compile(rf"(xox{_START.format('xox')}[a-z]-[a-z0-9-]{{10,}})")),  # Slack
                ("private key-----", re.compile(rf"private key-----([a-z0-9+/=\\{_SPACE}]*)")),
            ),
        ),
        (
            ("_",),
            (
                _token("sk_", 16, r"[a-z0-9_]", "sk_", "gsk_", "pcsk_"),  # Stripe, Groq, Pinecone
                _token("hf_", 20, r"[a-z0-9]"),
                (
                    "gh",
                    re.compile(rf"(gh(?=[pousr]_[a-z0-9]{{20}}){_START.format('gh')}[a-z0-9_]+)"),
                ),  # GitHub
                _token("github_pat_", 20, r"[a-z0-9_]"),
            ),
        ),
        (("@",), (("://", re.compile(rf"://([^/?#{_SPACE}@\"'<>]+)@")),)),
        (
            ("=", ": ", '":'),
            (
                _named(
                    "key",
                    *("api", "secret", "access", "account", "private", "subscription"),
                    lead="?&;",
                    after="(?:id)?",
                ),
                _named("token", "access", "refresh", "id", "auth", "session", "security", "api", lead="?&;"),
                _named("secret", "client", "app", lead="?&;\"'_-"),
                _named("passw", after="(?:or)?d"),
                _named("pwd", lead="?&;"),
                _named("sig", lead="?&", after="(?:nature)?"),
                _named("-signature", "amz", "goog"),
                _named("authoriz", after="ation", bare=rf"((?:[a-z]+[{_SPACE}])?{_BARE[1:]}"),
            ),
        ),
    )


def scrub(text: str) -> str:
    """``text`` with every secret replaced by ``[REDACTED]``; the very same object when there is none.

    Known are keys of vendors by their shape, bearer and basic credentials, ``user:password@`` in URLs, and values
    behind names such as ``api_key``, ``password`` or, in a query, ``key`` and ``sig``.
    """
    if len(text) < _SHORTEST:
        return text
    found = _find(text)
    return _without(text, found) if found else text


def has_secret(text: str) -> bool:
    """Whether any rule matches, for texts with something between them as for each of them alone."""
    return bool(_matching(text))


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret whatever it looks like (``password``, ``X-Api-Key`` …)."""
    return _says_secret(name[-_LONGEST_NAME:])


@functools.lru_cache(maxsize=1024)
def _says_secret(name: str) -> bool:
    return re.search(_SECRET_NAME, name.lower().replace("-", "_")) is not None


def _find(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for pattern, read in _matching(text):
        _add(found, pattern, read)
    return [place for place in found if not text.startswith(_HIDDEN, place[0])] if found else found


def _matching(text: str) -> list[tuple[_Pattern, str]]:
    """The rules that find something, each with the form of the text that it reads."""
    # Places must stay places in the text: what is replaced here keeps its length, and Latin-1 keeps one character
    # for one, which lower() of other alphabets does not.
    opened = text.replace("\\n", "  ").replace("\\r", "  ").replace("\\t", "  ") if "\\" in text else text
    if "%20" in text:
        opened = opened.replace("%20", "   ")
    folded = (opened if text.isascii() else opened.encode("latin-1", "replace").decode("latin-1")).lower()
    found: list[tuple[_Pattern, str]] = []
    for literal, pattern in _exact():
        if literal in opened and pattern.search(opened) is not None:
            found.append((pattern, opened))
    for markers, rules in _folded():
        for marker in markers:
            if marker in folded:
                for literal, pattern in rules:
                    if literal in folded and pattern.search(folded) is not None:
                        found.append((pattern, folded))
                break
    return found


def _add(found: list[tuple[int, int]], pattern: _Pattern, text: str) -> None:
    for count, match in enumerate(pattern.finditer(text)):
        if count == _MOST:
            found[:] = [(0, len(text))]
            return
        start, end = match.span(match.lastindex or 0)
        if start < end:
            found.append((start, end))


def _without(text: str, found: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(found):
        if start >= done:
            pieces += (text[done:start], REDACTED)
        done = max(done, end)
    pieces.append(text[done:])
    return "".join(pieces)
