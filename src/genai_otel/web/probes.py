"""Models that are asked in the background, whoever calls and however often: what a health route may say of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final

from genai_otel import fence
from genai_otel.web.checks import MODELS, Check, Checks

EVERY: Final = 300.0
"""Seconds between two probes of a model, which cost money."""

_current: Checks | None = None


def probe_models(probes: Mapping[str, Check], *, every: float = EVERY, seconds: float = 30.0) -> None:
    """Ask models now and then whether they answer; the gauge ``genai_otel.model.probe`` is 1 or 0 for each.

    >>> def ping():
    ...     client.chat.completions.create(model="gpt-4o-mini", messages=PING, max_tokens=1)
    >>> genai_otel.probe_models({"gpt-4o-mini": ping})

    ``probes`` are functions or coroutine functions by the model's name.  One fails when it raises, gives False or takes
    more than ``seconds``.  Each is called at once and then ``every`` so many seconds, in a thread of its own, by each
    process that calls this; a second call replaces the first.  What they ask is traced, counted and paid for like any
    call, with the tag ``probe``.  A readiness route (:func:`genai_otel.instrument_app`) says what was found last: it
    asks no model itself, and is not unready when one is.  It ends with :func:`genai_otel.shutdown`.

    Raises ValueError for an ``every`` or ``seconds`` that is not above 0.
    """
    global _current  # noqa: PLW0603 - one set per process
    if not (every > 0 and seconds > 0):
        raise ValueError(f"models are probed every so many seconds, above 0, not {every!r} and {seconds!r}")
    if _current is not None:
        _current.forget()
    checks = _current = Checks(probes, MODELS, seconds=seconds, fresh=0)
    if probes:
        threading.Thread(
            target=_go_round, args=(checks, every), name="genai_otel-probes", daemon=True
        ).start()


def _go_round(checks: Checks, every: float) -> None:
    import asyncio  # 35 ms of CPU that only a program with probes spends

    loop = asyncio.new_event_loop()  # one for all rounds: clients keep connections in it
    try:
        while checks is _current and not _is_off():
            with fence.contain("web.probes"):
                loop.run_until_complete(checks.results())
            time.sleep(every)
    finally:
        checks.forget()
        loop.close()


def _is_off() -> bool:
    """Whether nobody would hear of it; before ``setup()`` somebody may later."""
    from genai_otel import runtime

    handle = runtime.current()
    return handle is not None and (handle.pipeline is None or handle.ended)
