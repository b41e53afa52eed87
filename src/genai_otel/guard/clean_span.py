"""One span as it may leave: the very same object where nothing changes, else a public copy of it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, Status

from genai_otel import semconv
from genai_otel.guard import content
from genai_otel.guard.budget import ATTRIBUTE_BYTES, fit, size_of, size_of_all
from genai_otel.guard.clean import Cleaner
from genai_otel.safe import REDACTED, cut, label

# Identifiers, times, kind and flags of a span in protobuf; an event and a link cost about half of it.
SPAN_OVERHEAD: Final = 96
_LONGEST_NAME: Final = 1024
_NUMBERS: Final = (bool, int, float)
_INT64: Final = 2**63


@dataclass
class _Draft:
    """What may change of a span."""

    name: str
    attributes: Mapping[str, Any]
    events: Sequence[Event]
    links: Sequence[Link]
    status: Status
    resource: Resource
    lost_events: int = 0

    def differs(self, other: _Draft) -> bool:
        return not all(map(operator.is_, vars(self).values(), vars(other).values()))

    def size(self) -> int:
        return (
            SPAN_OVERHEAD
            + size_of(self.name)
            + size_of(self.status.description or "")
            + size_of_all(self.attributes)
            + sum(map(_size_of_part, self.events))
            + sum(map(_size_of_part, self.links))
        )


def size_of_span(span: ReadableSpan) -> int:
    """Bytes of a span in an export, about."""
    return _drafted(span).size()


def clean(span: ReadableSpan, resource: Resource, cleaner: Cleaner, room: int) -> tuple[ReadableSpan, int]:
    """A span as it may leave, with ``resource``, in about ``room`` bytes; and how many bytes it has."""
    original = _drafted(span)
    quotes = not cleaner.with_content and _quotes(original)
    changed = _Draft(
        name=_text(span.name, cleaner),
        attributes=_or(cleaner.exception(original.attributes, quotes=quotes), original.attributes),
        events=_events(original.events, cleaner, quotes=quotes),
        links=_links(original.links, cleaner),
        status=_status(original, cleaner, quotes=quotes),
        resource=resource,
    )
    if not cleaner.with_content and changed.attributes is not original.attributes:
        changed.name = content.unsaid(changed.name, original.attributes, changed.attributes)
    size = changed.size()
    if size > room:
        _shrink(changed, room)
        size = changed.size()
    return (_copy(span, changed), size) if changed.differs(original) else (span, size)


def bare(span: ReadableSpan) -> ReadableSpan:
    """A span that could not be cleaned: its numbers and its place in the trace, no text."""
    attributes: Any = span.attributes
    draft = _drafted(span)
    draft.name = REDACTED
    draft.attributes = {
        name: value
        for name, value in attributes.items()
        if type(value) in _NUMBERS
        and -_INT64 <= value < _INT64
        and name.startswith(("gen_ai.", "genai_otel."))
    }
    draft.lost_events = len(draft.events)
    draft.events = ()
    draft.links = [Link(link.context) for link in draft.links]
    draft.status = Status(span.status.status_code)
    return _copy(span, draft)


def _drafted(span: ReadableSpan) -> _Draft:
    attributes: Any = span.attributes
    return _Draft(span.name, attributes.copy(), span.events, span.links, span.status, span.resource)


def _quotes(draft: _Draft) -> bool:
    """Whether the exceptions of a span may quote what was said: it is a GenAI span, or one passed through it."""
    return content.is_genai(draft.attributes) or any(
        content.quotes(event.attributes or {}) for event in draft.events
    )


def _events(events: Sequence[Event], cleaner: Cleaner, *, quotes: bool) -> Sequence[Event]:
    kept: list[Event] = []
    for event in events:
        if not cleaner.with_content and content.is_content(event.name):
            continue
        attributes = cleaner.exception(event.attributes or {}, quotes=quotes)
        name = _text(event.name, cleaner)
        same = attributes is None and name is event.name
        kept.append(event if same else _event(event, name, _or(attributes, event.attributes or {})))
    return events if _same(kept, events) else kept


def _links(links: Sequence[Link], cleaner: Cleaner) -> Sequence[Link]:
    found = [cleaner.attributes(link.attributes or {}) for link in links]
    if not any(attributes is not None for attributes in found):
        return links
    return [
        link if attributes is None else Link(link.context, _counted(attributes, link.dropped_attributes))
        for link, attributes in zip(links, found, strict=True)
    ]


def _status(draft: _Draft, cleaner: Cleaner, *, quotes: bool) -> Status:
    status = draft.status
    description = status.description
    if not description:
        return status
    kinds = [draft.attributes.get(semconv.ERROR_TYPE)]
    kinds += [(event.attributes or {}).get(content.EXCEPTION_TYPE) for event in draft.events]
    named = [kind for kind in kinds if type(kind) is str]
    if quotes and description not in named:
        return Status(status.status_code, named[0] if named else None)
    text = _text(description, cleaner)
    return status if text is description else Status(status.status_code, text)


def _shrink(draft: _Draft, room: int) -> None:
    """Content goes first, then old events and the attributes of links, then texts are cut."""
    links = sum(map(_size_of_part, draft.links))
    if links > room // 4:
        draft.links = [Link(link.context) for link in draft.links]
        links = sum(map(_size_of_part, draft.links))
    left = room // 2
    newest: list[Event] = []
    for event in reversed(draft.events):
        size = _size_of_part(event)
        if size > left:
            if newest:
                break
            newest.append(_event(event, event.name, fit(event.attributes or {}, left - SPAN_OVERHEAD)))
            break
        newest.append(event)
        left -= size
    newest.reverse()
    draft.lost_events = len(draft.events) - len(newest)
    if not _same(newest, draft.events):
        draft.events = newest
    beside = draft.size() - size_of_all(draft.attributes)
    draft.attributes = fit(draft.attributes, max(room - beside, ATTRIBUTE_BYTES))


def _copy(span: ReadableSpan, draft: _Draft) -> ReadableSpan:
    return ReadableSpan(
        name=draft.name,
        context=span.context,
        parent=span.parent,
        resource=draft.resource,
        attributes=_counted(draft.attributes, span.dropped_attributes),
        events=_listed(draft.events, span.dropped_events + draft.lost_events),
        links=_listed(draft.links, span.dropped_links),
        kind=span.kind,
        status=draft.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _event(event: Event, name: str, attributes: Mapping[str, Any]) -> Event:
    return Event(name, _counted(attributes, event.dropped_attributes), event.timestamp)


def _counted(attributes: Mapping[str, Any], dropped: int) -> Any:
    """``attributes``, which the SDK's own class lets remember how many were dropped."""
    if not dropped:
        return attributes
    bounded = BoundedAttributes(None, attributes)
    bounded.dropped = dropped
    return bounded


def _listed(items: Sequence[Any], dropped: int) -> Sequence[Any]:
    if not dropped:
        return items
    bounded = cast("Any", BoundedList).from_seq(None, items)  # untyped there
    bounded.dropped = dropped
    return bounded


def _size_of_part(part: Event | Link) -> int:
    return SPAN_OVERHEAD // 2 + size_of_all(part.attributes or {}) + len(getattr(part, "name", ""))


def _same(mine: Sequence[object], theirs: Sequence[object]) -> bool:
    return len(mine) == len(theirs) and all(map(operator.is_, mine, theirs))


def _or(changed: dict[str, Any] | None, original: Mapping[str, Any]) -> Mapping[str, Any]:
    return original if changed is None else changed


def _text(value: Any, cleaner: Cleaner) -> str:
    """A name or a description as it may leave; one that is no text would cost the whole batch."""
    found = cleaner.value(value)
    text = found if type(found) is str else label(found)
    return text if len(text) <= _LONGEST_NAME else cut(text, _LONGEST_NAME)
