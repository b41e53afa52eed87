"""The user's sampling decides what is exported; metrics need every GenAI span all the same.

The SDK does not tell processors about dropped spans, and its own always-record sampler loses the attributes that a
span starts with.  This one turns DROP into RECORD_ONLY for spans that are recognised as GenAI and leaves all other
dropped spans dropped, and cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from genai_otel.processing.dialects import recognised
from genai_otel.spec import Identity


class MeasuringSampler(Sampler):
    """Samples as ``root`` does and records, without exporting, the GenAI spans that ``root`` drops.

    The engine keeps the attributes of its own spans until they end.  Unless ``keeps()`` says that somebody looks at
    spans that start, the SDK is not given them to clean and copy once more: a fifth of the cost of a call.
    """

    def __init__(self, root: Sampler, keeps: Callable[[], bool] = lambda: True) -> None:
        self._root = root
        self._keeps = keeps

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
        result = self._root.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )
        if type(attributes) is Identity and not self._keeps():
            return _without_attributes(result)
        if result.decision is Decision.DROP and recognised(attributes):
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    def get_description(self) -> str:
        return f"MeasuringSampler{{{self._root.get_description()}}}"


_BARE: Final = {
    Decision.DROP: SamplingResult(Decision.RECORD_ONLY),
    Decision.RECORD_ONLY: SamplingResult(Decision.RECORD_ONLY),
    Decision.RECORD_AND_SAMPLE: SamplingResult(Decision.RECORD_AND_SAMPLE),
}


def _without_attributes(result: SamplingResult) -> SamplingResult:
    if not result.trace_state:
        return _BARE[result.decision]
    return SamplingResult(_BARE[result.decision].decision, None, result.trace_state)
