"""The context keys that the engine sets and others read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage] - no public alias; all read this one
    Context,
    create_key,
)
from opentelemetry.trace import INVALID_SPAN, SpanContext, set_span_in_context

DESTINATION_KEY: Final = create_key("genai_otel.destination")
"""Set in the context of an instrumented call: the model client's server address, or "" where it is unknown."""

CALL_KEY: Final = create_key("genai_otel.call")
"""Beside it: by what the engine knows the call.  The call itself would stay alive as long as anybody's context."""

AMBIENT_KEY: Final = create_key("genai_otel.ambient")
"""What the program said of all that happens below, as attributes; see :mod:`genai_otel.ambient`."""

STEP_KEY: Final = create_key("genai_otel.step")
"""Set in the context of a step of the program's own: what it hands on to what is in it, a :class:`Handed`."""

SUPPRESS_KEY: Final = _SUPPRESS_INSTRUMENTATION_KEY
"""Set by ``suppress_instrumentation()``: no span, no metric, the call untouched."""


class Handed(NamedTuple):
    """What a step hands on to the steps and calls in it, and whose it is."""

    attributes: Mapping[str, Any]
    span: SpanContext


OWNED_STATE: Final = ("genai_otel", "owned")
"""The ``tracestate`` entry that tells the next service: this request is part of a call that is counted upstream."""

(SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())
"""Where the current span stands in a context; the API gives it no public name, but shows it."""
