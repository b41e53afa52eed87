"""A call of a model that goes through no client SDK: raw HTTP, an engine in the process, a client of your own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from genai_otel import semconv
from genai_otel.engine.call import Call, begin
from genai_otel.manual.reported import SPEC, Reported, endpoint, operation_name, peer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from genai_otel.manual.facts import RequestFacts


class Inference(Reported):
    """A call of a model; see :func:`inference`."""

    def _begin(self) -> Call | None:
        return begin(SPEC, self._endpoint, self._peer, self._arguments)

    def chunk(self) -> None:
        """A streamed chunk has come; for streams that are not read through :meth:`stream`."""
        call = self._going_on()
        if call is not None:
            now = time.perf_counter_ns()
            call.first = call.first or now
            call.beat = (call.beat[0] + 1, now)
            call.attributes.setdefault(semconv.REQUEST_STREAM, True)


def inference(
    operation: str = semconv.CHAT,
    *,
    provider: str,
    model: str | None = None,
    url: object = None,
    **request: Unpack[RequestFacts],
) -> Inference:
    """Report a call of a model that goes through no client SDK.

    >>> with genai_otel.inference("chat", provider="vllm", model="llama-3", url=URL, max_tokens=100) as call:
    ...     answer = httpx.post(URL, json=body).raise_for_status().json()
    ...     call.response(model=answer["model"], input_tokens=answer["usage"]["prompt_tokens"])

    ``operation`` and ``provider`` are the conventions' names (``chat``, ``embeddings``, …; ``openai``, or your own),
    ``url`` is any URL of the server (a text or an ``httpx.URL``): it also decides whether trace headers may go there.
    A client's call inside is part of this one and is not counted again; inside such a call, or where tracing is
    suppressed or not set up, this one is none.  Bad facts are left out, with one warning; nothing here raises.
    """
    return Inference(endpoint(operation_name(operation)), peer(provider, url), {"model": model, **request})
