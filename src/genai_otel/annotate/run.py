"""One run of a step: a call whose client is the program itself.

It is open, drained, abandoned and measured as calls are.  What is current while it runs is put back by value, not by
token: blocks may be left in another task than they were entered in, and generators are resumed from anywhere.
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, get_current

from genai_otel import ambient, fence, semconv
from genai_otel.annotate.kinds import HANDED, Kind
from genai_otel.context_keys import CALL_KEY, DESTINATION_KEY, SPAN_KEY, STEP_KEY, SUPPRESS_KEY, Handed
from genai_otel.engine import record
from genai_otel.engine.call import Call, drain, opened
from genai_otel.engine.ending import left
from genai_otel.spec import ClientSpec, Endpoint, Peer

if TYPE_CHECKING:
    from genai_otel.annotate.annotation import Annotation

_PROGRAM: Final = ClientSpec("program", "", (), lambda _: None, lambda _: Peer(""))
_STEP: Final = Endpoint("", "")


class Run(Call):
    """An open run of a step."""

    spec = _PROGRAM
    endpoint = _STEP
    is_step = True
    kind: Kind

    # --- what is current ----------------------------------------------------------------------------

    def suspend(self) -> None:
        """Make current again what was so before."""
        around, self.around = self.around, None
        if around is not None:
            attach(around)

    def pause(self) -> None:
        """The same, to come back: a generator may have made something else current, which is so again then."""
        self.context = get_current()
        self.suspend()

    def resume(self) -> None:
        """Go on where the run was paused."""
        self.around = get_current()
        attach(self.context)

    # --- how it ends --------------------------------------------------------------------------------

    def gave(self, result: Any) -> None:
        """It has come to its end, with ``result``."""
        self.tell(result)
        self.finish("failed" if semconv.ERROR_TYPE in self.attributes else "completed")

    def raised(self, error: BaseException, outcome: semconv.Outcome = "failed") -> None:
        policy = self.recorder.content
        if policy is not None and policy.on_span and isinstance(error, Exception):
            with fence.contain("annotate.exception"):
                self.span.record_exception(error)
        super().raised(error, outcome)
        self.error = None  # its frames hold this run

    def closed(self, because: BaseException | None) -> None:
        """Its generator was closed while the program was handling ``because``, or by the garbage collector."""
        if self.followed is None or self.followed() is None:
            self.drop()
        else:
            left(self, because)

    def drop(self, outcome: semconv.Outcome = "abandoned") -> None:
        self.beat = (0, time.perf_counter_ns())
        super().drop(outcome)

    def follow(self, result: Any) -> None:
        """Be over when ``result``, that goes on for it, is garbage."""
        self.ambient = sys.exc_info()[1]
        self.followed = weakref.ref(result, lambda _: self.drop())

    # --- what is told of it -------------------------------------------------------------------------

    def ask(self, arguments: Mapping[str, Any]) -> None:
        """Keep what it was given, if the content policy lets it."""
        policy = self.recorder.content
        if self.content is not None and policy is not None:
            from genai_otel.annotate import said

            with fence.contain("annotate.content"):
                self.content.update(said.asked(self.kind.said, arguments, policy.value_bytes))

    def tell(self, result: Any) -> None:
        """Keep what it gave."""
        if self.kind.answered is not None:
            self.attributes.update(self.kind.answered(result))
        policy = self.recorder.content
        if self.content is not None and policy is not None:
            from genai_otel.annotate import said

            with fence.contain("annotate.content"):
                self.content.update(said.answered(self.kind.said, result, policy.value_bytes))


def begin(
    annotation: Annotation, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Run | None:
    """Open a run and make its span current; None where nothing is traced."""
    recorder = record.active
    context = around = get_current()
    if recorder is None or context.get(SUPPRESS_KEY):
        return None
    drain()
    try:
        run = Run()
        run.kind = annotation.kind
        run.recorder = recorder
        run.origin = origin = annotation.origin
        if DESTINATION_KEY in context:  # called back by a client: what it does is no part of that call
            context = Context({k: v for k, v in context.items() if k not in (DESTINATION_KEY, CALL_KEY)})
        run.attributes = attributes = {**ambient.of_call(context), **origin.attributes}
        run.start_time = time.time_ns()
        run.start = time.perf_counter_ns()
        span = run.span = recorder.start_step(run, context)
        run.span_context = span.get_span_context()
        handed = {name: attributes[name] for name in HANDED if name in attributes}
        if handed:
            ambient.use()
        run.context = Context({**context, SPAN_KEY: span, STEP_KEY: Handed(handed, run.span_context)})
        run.around = around
        if recorder.content is not None:
            run.content = {}
            if function is not None:
                run.ask(_named(function, args, kwargs))
        opened(run)
        attach(run.context)
    except Exception as error:  # noqa: BLE001 - a step that is not traced is taken all the same
        fence.report("annotate.begin", error)
        return None
    return run


def _named(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """All arguments by name, as far as they have one."""
    from inspect import signature

    with fence.contain("annotate.content"):
        try:
            return signature(function).bind(*args, **kwargs).arguments
        except (TypeError, ValueError):  # they do not fit, which the function itself is about to say
            return {**{str(index): value for index, value in enumerate(args)}, **kwargs}
    return {}
