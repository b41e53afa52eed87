"""The user's sampling decides what is exported; metrics need every GenAI span all the same.

The SDK does not tell processors about dropped spans, and its own always-record sampler loses the attributes that a
span starts with.  This one turns DROP into RECORD_ONLY for spans that are recognised as GenAI, by an attribute or,
where they start with none, by their name, and leaves all other dropped spans dropped, and cheap.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from genai_otel import destination
from genai_otel.processing.dialects import is_named, recognised
from genai_otel.processing.http import serves_http


class MeasuringSampler(Sampler):
    """Samples as ``root`` does and records, without exporting, the GenAI spans that ``root`` drops.

    With ``http`` it does so with those of HTTP requests that are served.  Of other client spans that are dropped it
    keeps the host, by which trace headers are allowed or not.
    """

    def __init__(self, root: Sampler, *, http: bool = False) -> None:
        self.root = root
        self._http = http

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        result = self.root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not Decision.DROP:
            return result
        if recognised(attributes) or is_named(name) or (self._http and serves_http(kind, attributes)):
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return destination.remembered(result, kind, attributes)

    def get_description(self) -> str:
        return f"MeasuringSampler{{{self.root.get_description()}}}"
