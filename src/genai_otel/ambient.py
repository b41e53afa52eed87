"""What the program said holds for all that happens below: who asks, in which session, for which tenant.

It travels in OpenTelemetry's context, so it reaches threads and tasks that carry it, and as baggage, so it reaches
other processes; which hosts get that, :mod:`genai_otel.propagate` decides.  What comes in as baggage is a claim of
the caller's: it is taken over only where a setting says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.trace import Span

from genai_otel import fence, safe, semconv
from genai_otel.context_keys import AMBIENT_KEY, STEP_KEY

Told = Mapping[str, Any]
"""Attribute name → value."""

NAMES: Final[Mapping[str, str]] = {
    "session": semconv.SESSION_ID,
    "tenant": semconv.TENANT,
    "tags": semconv.TAGS,
    "request_id": semconv.CALLERS_REQUEST_ID,
}
"""The words of ours for attributes that have another name; every other word is an attribute's name itself."""

_LONGEST: Final = 256
_MOST: Final = 32
_RESERVED: Final = ("gen_ai.", "genai_otel.", "server.", "error.", "http.", "url.", "user.")
_OURS: Final = frozenset({*NAMES.values(), semconv.USER_ID, semconv.USER_HASH})

raw_users = False
_key = b""
_listeners: list[Callable[[], None]] = []
_marks: list[Callable[[Told], None]] = []
_used = False


def configure(*, raw: bool, key: str) -> None:
    """How users are named: as they are, or by a hash that is made with ``key``."""
    global raw_users, _key
    raw_users, _key = raw, key.encode()


def when_used(act: Callable[[], None]) -> None:
    """Call ``act`` when something is told for the first time: what needs to look at it costs nothing until then."""
    _listeners.append(act)
    if _used:
        act()


def use() -> None:
    """Something is told now that calls are to have."""
    global _used  # noqa: PLW0603 - see when_used
    if not _used:
        _used = True
        for act in tuple(_listeners):
            act()


def when_told(mark: Callable[[Told], None]) -> None:
    """Call ``mark`` with what is told from here on, each time."""
    _marks.append(mark)


def told(context: Context) -> Told:
    """What holds in ``context``."""
    found: Any = context.get(AMBIENT_KEY)
    return found or {}


def of_call(context: Context) -> Told:
    """What holds for a call or a step of ours in ``context``: what the program said, and the step that it is in."""
    handed: Any = context.get(STEP_KEY)
    return told(context) if handed is None else {**told(context), **handed.attributes}


def attributes(values: Mapping[str, object], user: object = None) -> dict[str, Any]:
    """What the program gave, by the names of its attributes; what cannot be is named once and left out."""
    found: dict[str, Any] = {}
    for word, value in values.items():
        name = NAMES.get(word, word)
        known = _value(value)
        if value is None or known == "":
            continue
        if word not in NAMES and name.startswith(_RESERVED):
            _drop(f"context({word}=…) is a name of a convention's, which others set")
        elif known is None:
            _drop(f"context({word}=…) is of type {type(value).__qualname__}; allowed are texts and numbers")
        else:
            found[name] = known
    if user is not None and user != "":
        known = _value(user)
        if not isinstance(known, (str, int)):
            _drop(f"context(user=…) is of type {type(user).__qualname__}; allowed is a text")
        elif raw_users:
            found[semconv.USER_ID] = str(known)
        else:
            found[semconv.USER_HASH] = hashed(str(known))
    return found


def hashed(user: str) -> str:
    """The same 32 hexadecimal digits for the same user, in all processes that have the same key."""
    import hashlib  # some milliseconds, and many a program names no users
    import hmac

    return hmac.new(_key, user.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def within(context: Context, added: Told) -> Context:
    """``context`` where ``added`` holds beside what holds already, there and in the processes that are called."""
    for name, value in added.items():
        text = ",".join(value) if name == semconv.TAGS else str(value)
        context = baggage.set_baggage(name, text, context)
    use()
    return Context({**context, AMBIENT_KEY: {**told(context), **added}})


def mark(added: Told) -> None:
    """Tell those who look at what is told."""
    for each in _marks:
        with fence.contain("ambient"):
            each(added)


def accepted(context: Context, names: Collection[str]) -> Context:
    """``context`` with what its baggage says of ``names``, which is then told on."""
    said = baggage.get_all(context)
    found: dict[str, Any] = {}
    for name, value in said.items():
        if len(found) < _MOST and isinstance(value, str) and _wanted(name, names):
            text = safe.utf8(value[:_LONGEST])
            found[name] = tuple(text.split(",")) if name == semconv.TAGS else text
    return within(context, found) if found else context


def _wanted(name: str, names: Collection[str]) -> bool:
    if name not in _OURS and name.startswith(_RESERVED):
        return False
    if name in (semconv.USER_ID, semconv.USER_HASH) and "user" in names:
        return True
    return "*" in names or name in names or any(NAMES.get(word) == name for word in names)


def put(span: Span, context: Context) -> None:
    """Put on a span that starts what holds where it starts."""
    found: Any = context.get(AMBIENT_KEY)
    if found:
        span.set_attributes(found)


def _value(value: object) -> safe.Attribute | None:
    known = safe.attribute(value)
    if isinstance(known, str):
        return safe.scrub(known[:_LONGEST])
    if isinstance(known, tuple):
        return tuple([safe.scrub(str(each)[:_LONGEST]) for each in known[:_MOST]])
    return known


def _drop(message: str) -> None:
    fence.dropped("spans", "bad_fact")
    fence.warn(f"{message}; it is left out")
