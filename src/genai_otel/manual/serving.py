"""A request that this process serves with a model of its own: what a model server tells of itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.context import Context, get_current
from opentelemetry.trace import SpanKind, get_current_span

from genai_otel import fence, safe, semconv
from genai_otel.context_keys import CALL_KEY, DESTINATION_KEY, SPAN_KEY, SUPPRESS_KEY
from genai_otel.engine import record
from genai_otel.engine.call import Call, drain, opened
from genai_otel.engine.origin import Origin
from genai_otel.manual.reported import SPEC, Reported, endpoint, operation_name, peer
from genai_otel.spec import Peer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from genai_otel.manual.facts import RequestFacts

Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
"""Of a request, as web frameworks have them: a mapping, or pairs; texts or bytes."""


class _Request(Call):
    """An open request."""

    is_step = True
    serves = True
    tokens = 0

    def finish(self, outcome: semconv.Outcome, at: int | None = None) -> None:
        self.waits = False
        if self.tokens and "end_time" not in vars(self):
            self.attributes.setdefault(semconv.USAGE_OUTPUT_TOKENS, self.tokens)
        super().finish(outcome, at)


class Serving(Reported):
    """A request that is served; see :func:`serve`."""

    _gone = "cancelled"

    def __init__(self, *given: Any, headers: Headers | None, queued: bool) -> None:
        super().__init__(*given)
        self._headers = headers
        self._queued = queued

    def started(self) -> None:
        """The request has left its queue and is worked on: so long it waited."""
        call = self._going_on()
        if call is not None and semconv.SERVER_QUEUE_TIME not in call.attributes:
            call.waits = False
            call.attributes[semconv.SERVER_QUEUE_TIME] = (time.perf_counter_ns() - call.start) / 1e9

    def token(self) -> None:
        """A token is generated."""
        self.tokens(1)

    def tokens(self, count: int) -> None:
        """So many tokens are generated, at once; none are none.  The first ones say when the first token came."""
        call = cast("_Request | None", self._going_on())
        if call is None or count <= 0:
            return
        call.tokens += count
        if self._part is None:  # else the stream tells when
            now = time.perf_counter_ns()
            call.first = call.first or now
            call.beat = (call.beat[0] + 1, now)

    def cancelled(self) -> None:
        """Nobody waits for the answer any more; the call ends."""
        call = self._going_on()
        if call is not None:
            call.finish("cancelled")

    def _begin(self) -> Call | None:
        recorder, context = record.active, get_current()
        if recorder is None or context.get(SUPPRESS_KEY):
            return None
        drain()
        with fence.contain("manual.serve"):
            context = _inbound(context, self._headers)
            if (
                DESTINATION_KEY in context
            ):  # asked by a client in this process: what it asks itself is no part of that
                kept = {name: value for name, value in context.items() if name not in _A_CLIENTS}
                context = Context(kept)
            call = _Request()
            call.spec = SPEC
            call.recorder = recorder.serving
            call.endpoint = self._endpoint
            call.origin = _origin(self._endpoint.operation, self._peer, self._arguments.get("model"))
            call.attributes = {**call.origin.attributes, **self._endpoint.request(self._arguments)}
            call.waits = self._queued
            call.start_time, call.start = time.time_ns(), time.perf_counter_ns()
            call.span = call.recorder.start_step(call, context)
            call.span_context = call.span.get_span_context()
            call.context = Context({**context, SPAN_KEY: call.span})
            call.content = None if recorder.content is None else {}
            opened(call)
            return call
        return None


_A_CLIENTS = (DESTINATION_KEY, CALL_KEY)


@lru_cache(maxsize=256)
def _origin(operation: str, served_as: Peer, model: object) -> Origin:
    attributes: dict[str, Any] = {
        semconv.OPERATION_NAME: operation,
        semconv.PROVIDER_NAME: served_as.provider,
        semconv.REQUEST_MODEL: None if model is None else safe.label(model),
        semconv.SERVER_ADDRESS: served_as.address,
        semconv.SERVER_PORT: served_as.port,
    }
    known = {name: value for name, value in attributes.items() if value is not None}
    name = f"{operation} {known[semconv.REQUEST_MODEL]}" if semconv.REQUEST_MODEL in known else operation
    return Origin(name, known, kind=SpanKind.SERVER)


def _inbound(context: Context, headers: Headers | None) -> Context:
    """The context that a request came with; the current one where that is in the same trace, and nearer."""
    if headers is None:
        return context
    from opentelemetry import propagate

    given: Any = headers
    pairs = given.items() if isinstance(headers, Mapping) else given
    carrier = {_text(name).lower(): _text(value) for name, value in pairs}
    found = propagate.extract(carrier, context)
    here, there = (get_current_span(each).get_span_context() for each in (context, found))
    return context if there.trace_id == here.trace_id else found


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def serve(
    operation: str = semconv.CHAT,
    *,
    model: str | None = None,
    provider: str = semconv.OTHER,
    url: object = None,
    headers: Headers | None = None,
    queued: bool = False,
    **request: Unpack[RequestFacts],
) -> Serving:
    """Report a request that this process serves with a model of its own, as a model server does.

    >>> with genai_otel.serve("chat", model="tiny", headers=request.headers, queued=True) as served:
    ...     await slot
    ...     served.started()                        # so long it waited in the queue
    ...     for piece in engine.generate(prompt):
    ...         served.token()                      # time to the first, time per token
    ...     served.response(finish_reasons=["stop"], input_tokens=12)

    Its span is a SERVER span in the trace of ``headers``, or of the current span.  It feeds ``gen_ai.server.*``,
    ``genai_otel.server.queue.time``, ``.queue.length`` and ``.active_requests`` and nothing of a client's: tokens and
    cost are counted by who asks.  Where prices of your own know the model, ``genai_otel.server.cost`` says what was
    served, however it ended.  A consumer that goes away makes it ``cancelled``, which is no error of the server's; its
    duration has ``error.type=cancelled``.  Bad facts are left out, with one warning; nothing here raises.
    """
    asked = {"model": model, **request}
    served_as = peer(provider, url)
    return Serving(endpoint(operation_name(operation)), served_as, asked, headers=headers, queued=queued)
