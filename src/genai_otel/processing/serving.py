"""What the pipeline does with a request that this process serves, told by the program itself.

It is no call of a client: it owns nothing, what it asks of other models is counted for itself, and its tokens are those
that its caller counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genai_otel import fence
from genai_otel.processing.measure import Measure, Sink, read
from genai_otel.processing.owner import Owners
from genai_otel.processing.steps import tally

if TYPE_CHECKING:
    from genai_otel.engine.call import Call
    from genai_otel.processing.processor import Pipeline


class Serving:
    """The steps of ``pipeline`` for such requests."""

    def __init__(self, pipeline: Pipeline, owners: Owners, measure: Measure, sink: Sink | None) -> None:
        self._pipeline = pipeline
        self._owners = owners
        self._measure = measure
        self._sink = sink
        self.began = self.stepped = owners.note

    @property
    def serving(self) -> Serving:
        return self

    @property
    def watched(self) -> bool:
        return self._pipeline.watched

    def around(self, call: Call) -> None:
        """It owns nothing anyway."""

    def ending(self, call: Call) -> None:
        """Measure it."""
        with fence.contain("pipeline.serving"):
            live = self._owners.ended(call.span_context.span_id, None)
            if live is not None:
                tally(live, None)
            if self._sink is not None:
                self._sink.record(read(self._measure, call), call.span_context)

    def cost(self, _: object) -> Mapping[str, Any]:
        """None: who asks is who pays."""
        return {}

    def ended(self, call: Call, attributes: Mapping[str, Any]) -> None:
        """Hand its span on."""
        self._pipeline.ended(call, attributes)
