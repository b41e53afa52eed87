"""One owning span per call: who counts when several layers trace the same call.

The outermost live span that is recognised as a model operation owns what happens inside it.  Ownership is decided
from live spans, because an inner span ends first.  A span that shows only at its end what it is has lost ownership
to an inner one that was recognised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, Protocol

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import SpanContext, SpanKind

from genai_otel import semconv
from genai_otel.context_keys import DESTINATION_KEY, OWNED_STATE, STEP_KEY, Handed
from genai_otel.processing.dialects import operation

_HELD: Final = (
    *(name for key, name in sorted(vars(semconv).items()) if key.startswith("USAGE_")),
    semconv.RESPONSE_MODEL,
    semconv.RESPONSE_ID,
    semconv.RESPONSE_FINISH_REASONS,
)
"""What an inner span may know of a call that its owner was not told."""

_FAILED: Final = -1  # tokens of what has no answer

_MOST_LIVE: Final = 100_000
_REMEMBERED: Final = 256


Counted = tuple[Mapping[str, Any], int, SpanContext, "str | None", "str | None"]
"""A call that was counted: attributes, end, the context and the scope of its span (ours has none), and its agent."""

LATEST: Final[ContextVar[Counted | None]] = ContextVar("genai_otel.latest", default=None)
"""The call that was counted last in this thread or task."""


class Live:
    """A span that has not ended, the live span above it, and the ``owner`` above of the call that it belongs to.

    One that shows itself as a call of a model ``owns`` that call where nothing above does.  It does not refer to
    itself, or every call would leave something to the garbage collector.
    """

    owns = False
    owned_below = False
    owner: Live | None = None
    held: dict[str, Any] | None = None
    inferences = 0  # in it, those in an agent of its own left out
    tools = 0

    def __init__(self, above: Live | None, span: Any) -> None:
        self.above = above
        self.span = span
        if above is not None:
            self.owner = above if above.owns else above.owner


UPSTREAM: Final = Live(None, None)
UPSTREAM.owns = True
"""Owns what belongs to a call that another service makes and counts: here the request is only passed on."""


class Started(Protocol):
    """A span that has just started."""

    @property
    def parent(self) -> SpanContext | None: ...
    @property
    def context(self) -> Any: ...  # annotated optional in some versions


class Owners:
    """The live spans of this process, by span id."""

    def __init__(self) -> None:
        self._live: dict[int, Live] = {}
        self._counted: deque[Counted] = deque(maxlen=_REMEMBERED)
        self._accounted: deque[tuple[int, str | None]] = deque(maxlen=_REMEMBERED)
        self.count = self._counted.append
        """Remember a call that was counted."""
        self.ended = self._live.pop
        """Forget a span that ends; the default that is asked for where it started before we listened."""

    def started(self, span: Span, parent_context: Context | None) -> None:
        """Note a span that starts; one that shows itself as a model operation owns unless one above does.

        The engine starts its spans in a context that has a destination; they show it by that.
        """
        live = self.note(span)
        if live.owner is None:
            live.owns = (parent_context is not None and DESTINATION_KEY in parent_context) or (
                span.kind is not SpanKind.SERVER and is_model_operation(span.attributes)
            )
        elif (
            scope_of(span) == semconv.SCOPE
            and span.kind is not SpanKind.SERVER
            and DESTINATION_KEY not in (parent_context or get_current())
        ):
            live.owner = None  # a step of the program's own

    def stepped(self, span: Started) -> None:
        """Note a step of the program's own that starts; what a tool does is no part of the call that asked for it."""
        self.note(span).owner = None

    def began(self, span: Started) -> None:
        """Note a call of ours that starts; it owns unless one above does."""
        live = self.note(span)
        live.owns = live.owner is None

    def note(self, span: Started | Span) -> Live:
        """Note a span that starts and owns nothing by itself."""
        parent = span.parent
        above = None if parent is None else self._live.get(parent.span_id) or self._beyond(parent)
        context: Any = span.context  # annotated optional for spans that never started
        live = self._live[context.span_id] = Live(above, span)
        if len(self._live) > _MOST_LIVE:
            self._forget_oldest()
        return live

    def serving(self, inside: SpanContext, serves: Callable[[Any, Any], bool]) -> Any:
        """The live span nearest above ``inside`` of which ``serves`` is true; None where there is none.

        What is dropped by a sampler is not live; then it is the latest of the same trace.
        """
        live, found = self._live.get(inside.span_id), list[Live]()
        if live is None:
            found = [one for one in self._live.values() if one.span.context.trace_id == inside.trace_id]
        while live is not None:
            found.insert(0, live)
            live = live.above
        chosen = (one.span for one in reversed(found) if one.span is not None)
        return next((span for span in chosen if serves(getattr(span, "kind", None), span.attributes)), None)

    def _beyond(self, parent: SpanContext) -> Live | None:
        """What is above a span whose parent is not live: it is in another process, or a sampler has dropped it."""
        key, value = OWNED_STATE
        if parent.trace_state and parent.trace_state.get(key) == value:
            return UPSTREAM
        inside = get_current().get(STEP_KEY)
        if not isinstance(inside, Handed) or inside.span.trace_id != parent.trace_id:
            return None
        return self._live.get(inside.span.span_id)

    def around(self, span_id: int) -> None:
        """A call that has just started is none of a model: what is inside it is owned as if it was not there."""
        live = self._live.get(span_id)
        if live is not None:
            live.owns = False

    def _forget_oldest(self) -> None:
        """Somebody starts spans and never ends them."""
        self._live.pop(next(iter(self._live)), None)

    def is_counted(
        self, span: ReadableSpan, attributes: Mapping[str, Any], *, nameless: bool = False
    ) -> bool:
        """Whether another library's span stands for a call that is counted, though neither is inside the other.

        Some libraries make their span after the call, with an earlier start, or never make it the current one.  It
        contains the call's end and has its response id.  Where both have none (a call that failed, embeddings), or the
        library is one that is ``nameless`` and never tells, or tells none of a call with as many input tokens (of a
        stream often nobody knows any), each call accounts for one span of each library.
        So it does where such a span ends while the call still goes on: a stream that the library sees closed first.
        """
        start, end, scope = span.start_time or 0, span.end_time or 0, scope_of(span)
        within = [one for one in tuple(self._counted) if start <= one[1] <= end and one[3] != scope]
        response_id = attributes.get(semconv.RESPONSE_ID)
        if response_id and any(one[0].get(semconv.RESPONSE_ID) == response_id for one in within):
            return True
        tokens = attributes.get(semconv.USAGE_INPUT_TOKENS) if span.status.is_ok else _FAILED
        ended = [
            context.span_id
            for said, _, context, *_ in within
            if not response_id
            and (
                nameless
                or not said.get(semconv.RESPONSE_ID)
                or tokens == said.get(semconv.USAGE_INPUT_TOKENS)
            )
        ]
        return any(self._accounts(key, scope) for key in (*ended, *self._beside(span, attributes, scope)))

    def _accounts(self, key: int, scope: str | None) -> bool:
        """Let a counted call account for a span of a library, once."""
        if (key, scope) in self._accounted:
            return False
        self._accounted.append((key, scope))
        return True

    def _beside(self, span: ReadableSpan, attributes: Mapping[str, Any], scope: str | None) -> Iterator[int]:
        """The calls of others that began after a span that has ended, under the same parent, and still go on."""
        start, parent = span.start_time or 0, _id(span.parent)
        model = attributes.get(semconv.REQUEST_MODEL)
        for live in tuple(self._live.values())[-_REMEMBERED:]:
            other = live.span
            if (
                live.owns
                and start <= (other.start_time or 0)
                and _id(other.parent) == parent
                and scope_of(other) != scope
            ):
                asked: Mapping[str, Any] = other.attributes or {}
                if model in (None, asked.get(semconv.REQUEST_MODEL)):
                    yield other.context.span_id

    def recent(self) -> list[Counted]:
        """The calls that were counted last, the latest first."""
        return list(reversed(tuple(self._counted)))

    def after_fork(self) -> None:
        """The parent's live spans end in the parent."""
        self._live.clear()
        self._counted.clear()
        self._accounted.clear()


def scope_of(span: Any) -> str | None:
    """The name of the library that made a span; None for ours."""
    scope = getattr(span, "instrumentation_scope", None)
    return None if scope is None else scope.name


def _id(parent: SpanContext | None) -> int | None:
    return None if parent is None else parent.span_id


def owns(live: Live | None) -> bool:
    """Whether a model operation's span that just ended is the one that counts."""
    if live is None or (live.above is None and live.owns):
        return True
    if live.owner is not None or (live.owned_below and not live.owns):
        return False
    above = live.above
    while above is not None and not above.owned_below:
        above.owned_below = True
        above = above.above
    return True


def agent_of(live: Live) -> str | None:
    """The name of the agent in which a call was made: the nearest span above that says one."""
    above = live.above
    while above is not None:
        said = None if above.span is None else above.span.attributes
        if said and semconv.AGENT_NAME in said:
            return str(said[semconv.AGENT_NAME])
        above = above.above
    return None


def hold(live: Live, attributes: Mapping[str, Any]) -> None:
    """Keep what an inner span knows of the call for the span that owns it and may not have been told."""
    owner = live.owner
    if owner is not None and owner is not UPSTREAM:
        facts = {name: attributes[name] for name in _HELD if name in attributes}
        if owner.held is None:
            owner.held = facts
        else:
            _sum_usage(owner.held, facts)


def _sum_usage(held: dict[str, Any], facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name.startswith(semconv.USAGE) and isinstance(value, int) and isinstance(held.get(name), int):
            held[name] += value
        else:
            held[name] = value


def is_model_operation(attributes: Mapping[str, Any] | None) -> bool:
    """Whether these attributes are those of a call of a model."""
    return operation(attributes) in semconv.MODEL_OPERATIONS
