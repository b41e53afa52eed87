"""The last look at spans before they leave: secrets, the content policy, byte budgets.

It wraps an exporter, because budgets need batches and because it is off the path of a call there: everything runs in
the exporting thread.  That thread holds the interpreter's lock all the same, so the values of a batch are looked at
once, together, and only a span with something in it is read value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from genai_otel import fence
from genai_otel.guard.budget import ATTRIBUTE_BYTES
from genai_otel.guard.clean import Cleaner
from genai_otel.guard.clean_span import SPAN_OVERHEAD, bare, clean, size_of_span
from genai_otel.guard.parts import BATCH_BYTES, SPAN_BYTES, parts
from genai_otel.safe import scrub, utf8

_INT64: Final = 2**63
_SCALARS: Final = frozenset({str, int, float, bool})
_USUAL: Final = _SCALARS | {tuple}
_TEXTS: Final = frozenset({str})
# In C, like all that is done with every value of every span; asked only where _USUAL holds.
_VALUES: Final = dict[str, Any].values
_IS_TUPLE: Final = tuple.__instancecheck__
_IS_TEXT: Final = str.__instancecheck__
_IS_INTEGER: Final = int.__instancecheck__
_IS_FLOAT: Final = float.__instancecheck__
_PLAIN: Final = attrgetter("plain", "maker")  # of the engine's spans, whose provider has their resource
# Most texts of spans are the same in each; those that were looked at once are kept, if they are short.
_SHORT: Final = 64
_MOST_KNOWN: Final = 4_096


class Guard(SpanExporter):
    """Wraps ``exporter``; a span that needs no change reaches it as the very same object.

    ``content_on_spans`` lets content pass.  A span of more than ``span_bytes`` loses its content first and is marked
    ``genai_otel.truncated``; a batch of more than ``batch_bytes`` is exported in several parts.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        content_on_spans: bool = False,
        span_bytes: int = SPAN_BYTES,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self.exporter = exporter
        self._span_bytes = span_bytes
        self._batch_bytes = batch_bytes
        self._cleaner = Cleaner(with_content=content_on_spans, room=span_bytes)
        self._resource: Resource | None = None  # the last one that needs no change
        self._harmless: set[str] = set()

    # --- the SDK's interface ----------------------------------------------------------------------------------------

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export ``spans`` as they may leave; a failure of any part is the result."""
        batches: list[Sequence[ReadableSpan]] = []
        with fence.contain("guard.spans"):
            batches.extend(self._batches(spans))
        if not batches:
            batches.append(self._one_by_one(spans))
        result = SpanExportResult.SUCCESS
        for batch in batches:
            if not self._exported(batch):
                result = SpanExportResult.FAILURE
        return result

    def _exported(self, batch: Sequence[ReadableSpan]) -> bool:
        taken = False
        try:
            taken = self.exporter.export(batch) is SpanExportResult.SUCCESS
        finally:
            if not taken:
                fence.dropped("spans", fence.EXPORT_FAILED, len(batch))
        return taken

    def shutdown(self) -> None:
        """Shut the wrapped exporter down."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the wrapped exporter."""
        return self.exporter.force_flush(timeout_millis)

    # --- a batch ----------------------------------------------------------------------------------------------------

    def _batches(self, spans: Sequence[ReadableSpan]) -> Sequence[Sequence[ReadableSpan]]:
        facts = [_facts(span) for span in spans]
        values: set[Any] = set()
        if self._are_usual(spans, facts, values):
            usual = [True] * len(spans)
        else:
            usual = [self._are_usual((each,), (its,), values) for each, its in zip(spans, facts, strict=True)]
        bad, longest = self._examined(values)
        bound = SPAN_OVERHEAD + (max(map(len, facts), default=0) + 1) * (ATTRIBUTE_BYTES + longest)
        small = bound <= self._span_bytes and bound * len(spans) <= self._batch_bytes
        if small and not bad and all(usual):
            return [spans]
        sized: list[tuple[ReadableSpan, int]] = []
        for span, is_usual in zip(spans, usual, strict=True):
            if is_usual and (not bad or bad.isdisjoint(_values_of(span))):
                size = bound if small else size_of_span(span)
                if size <= self._span_bytes:
                    sized.append((span, size))
                    continue
            sized.append(self._cleaned(span))
        return parts(sized, self._batch_bytes)

    def _are_usual(
        self, spans: Sequence[ReadableSpan], facts: Sequence[dict[str, Any]], values: set[Any]
    ) -> bool:
        """Whether of all ``spans`` only the plain values must be looked at; adds those to ``values``."""
        found = list(chain.from_iterable(map(_VALUES, facts)))
        if not _USUAL.issuperset(map(type, found)) or not self._cleaner.know(facts):
            return False
        items = list(chain.from_iterable(filter(_IS_TUPLE, found)))
        names = [span.name for span in spans]
        if not _SCALARS.issuperset(map(type, items)) or not _TEXTS.issuperset(map(type, names)):
            return False
        values.update(found, items, names)
        return self._are_plain(spans)

    def _are_plain(self, spans: Sequence[ReadableSpan]) -> bool:
        """Whether all ``spans`` are of a resource that needs no change, and without events and the like."""
        resource = self._resource
        try:
            ours = set(map(_PLAIN, spans))
        except AttributeError:  # spans of the SDK's class
            return not any(
                span.resource is not resource or span.status.description or span.events or span.links
                for span in spans
            )
        return all(plain and maker.provider.resource is resource for plain, maker in ours)

    def _examined(self, values: set[Any]) -> tuple[set[Any], int]:
        """The values that must not leave as they are, and the most bytes that a text may have."""
        new = values - self._harmless
        texts = list(filter(_IS_TEXT, new))
        longest = max(map(len, texts), default=0)
        bad: set[Any] = set()
        if longest > self._span_bytes:  # they are cut, so nobody needs to read them to their end
            bad.update([text for text in texts if len(text) > self._span_bytes])
            texts = [text for text in texts if len(text) <= self._span_bytes]
        together = "\n".join(texts)
        if scrub(utf8(together)) is not together:
            bad.update([text for text in texts if scrub(utf8(text)) is not text])
        numbers = [*filter(_IS_INTEGER, new), *filter(_IS_FLOAT, new)]
        if not _all_small(numbers):
            bad.update([number for number in numbers if not abs(number) < _INT64])
        if not together.isascii():
            return bad, 4 * longest
        if not bad and longest <= _SHORT:
            if len(self._harmless) > _MOST_KNOWN:
                self._harmless.clear()
            self._harmless.update(texts)
        return bad, max(longest, _SHORT)

    def _cleaned(self, span: ReadableSpan) -> tuple[ReadableSpan, int]:
        resource = span.resource
        if resource is not self._resource:
            found = self._cleaner.attributes(resource.attributes)
            if found is None:
                self._resource = resource
            else:
                resource = Resource(found, resource.schema_url)
        return clean(span, resource, self._cleaner, self._span_bytes)

    def _one_by_one(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """After an error of ours: the span that caused it keeps its numbers only, the others lose nothing."""
        kept: list[ReadableSpan] = []
        for span in spans:
            before = len(kept)
            with fence.contain("guard.spans"):
                kept.append(self._cleaned(span)[0])
            if len(kept) == before:
                with fence.contain("guard.spans"):
                    kept.append(bare(span))
            if len(kept) == before:
                fence.dropped("spans", "unreadable")
        return kept


def _facts(span: ReadableSpan) -> dict[str, Any]:
    attributes: Any = span.attributes
    return attributes.copy()  # in one step, whoever adds to it


def _all_small(numbers: list[Any]) -> bool:
    """Whether all numbers fit 64 bits and are finite: one of them would make the sum too large, or no number."""
    try:
        return sum(map(abs, numbers)) < _INT64
    except OverflowError:
        return False


def _values_of(span: ReadableSpan) -> list[Any]:
    """The values that :meth:`Guard._are_usual` added for a usual span."""
    values = _facts(span).values()
    return [span.name, *values, *chain.from_iterable(filter(_IS_TUPLE, values))]
