"""One logical client call: it begins, gathers facts and ends exactly once, whatever happens to it.

A call is open from :func:`begin` until :meth:`Call.finish`; the registry of open calls is what makes the end
happen once (whoever removes the call from it ends it) and what lets the exit drain calls that are still alive.
Finalisers may run inside any lock of anybody, so they only append to a queue that the next call, a flush, a
collection or the exit drains.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import Span, SpanContext

from genai_otel import fence, semconv
from genai_otel.context_keys import CALL_KEY, DESTINATION_KEY, SPAN_KEY, SUPPRESS_KEY
from genai_otel.engine import record
from genai_otel.engine.origin import Origin, origin_of

if TYPE_CHECKING:
    from genai_otel.spec import ClientSpec, Endpoint

# Looked up once: they are used in every call.
_REASONS: Final = semconv.RESPONSE_FINISH_REASONS
_OUTCOME: Final = semconv.OUTCOME
_ERROR_TYPE: Final = semconv.ERROR_TYPE
_WORDS: Final = frozenset(semconv.FINISH_WORDS.values())
_ALONE: Final = {(word,): (one,) for word, one in semconv.FINISH_WORDS.items() if word != "refusal"}
_USUAL: Final = (None, ("stop",), ("length",), ("tool_call",), ("error",))
_open: dict[int, Call] = {}
_dropped: deque[tuple[Call, semconv.Outcome]] = deque()


class Call:
    """An open call.  ``attributes`` are the facts so far, named by the conventions."""

    spec: ClientSpec
    endpoint: Endpoint
    origin: Origin
    recorder: record.Recorder
    attributes: dict[str, Any]
    span: Span
    span_context: SpanContext
    context: Context
    start_time: int
    end_time: int
    start: int
    outcome: semconv.Outcome
    # What most calls never set stands on the class.
    reading: Any = None  # of what it is measured by
    token: Any = None
    first: int = 0  # of its chunks: when it came
    beat: tuple[int, int] = (0, 0)  # how many chunks there were, and when the last one came
    error: BaseException | None = None
    content: dict[str, Any] | None = None
    said: dict[Any, Any] | None = None
    followed: Any = None
    around: Context | None = None  # of a generator: in which context it was begun
    hides: bool = False
    ambient: BaseException | None = None
    busy: bool = False  # with a call that it consists of
    parts: bool = False  # whether such a call has ended
    is_step: bool = False  # of the program's own, and no call of a model
    serves: bool = False  # a request of somebody else's
    waits: bool = False  # until somebody has time for that

    # --- while the client's code runs -------------------------------------------------------------

    def returned(self, facts: Mapping[str, Any]) -> None:
        """The call gave a whole result."""
        self.attributes.update(facts)
        self.finish("completed" if _ERROR_TYPE not in facts else "failed")

    def raised(self, error: BaseException, outcome: semconv.Outcome = "failed") -> None:
        """The call ended with an exception, which passes on to the user as it is."""
        if not isinstance(error, GeneratorExit) or get_current() is self.context:
            self.suspend()  # a coroutine that is collected elsewhere has no context to leave
        self.error = error
        if isinstance(error, Exception):
            self.attributes[_ERROR_TYPE] = type(error).__qualname__
            with fence.contain("engine.errors"):
                self.attributes.update(self.spec.errors(error))
        else:
            outcome = "abandoned" if isinstance(error, GeneratorExit) else "cancelled"
        self.finish(outcome)

    def __enter__(self) -> None:
        """Go on in the call's context, for code of the client's that runs later than its method."""
        self.token = attach(self.context)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, GeneratorExit) or get_current() is self.context:
            self.suspend()  # a coroutine that is collected elsewhere has no context to leave

    def suspend(self) -> None:
        """Leave the call's context; done in the frame that entered it."""
        token, self.token = self.token, None
        if token is not None:
            detach(token)

    def read_content(self, result: Any) -> None:
        """Keep what a whole result says, where content is captured."""
        content = self.endpoint.content
        if self.content is not None and content is not None:
            with fence.contain("engine.content"):
                self.content.update(content.response(result))

    # --- the one end ------------------------------------------------------------------------------

    def finish(self, outcome: semconv.Outcome, at: int | None = None) -> None:
        """End the call, once; later calls change nothing.  ``at`` is a ``perf_counter_ns`` time, now by default."""
        if _open.pop(id(self), None) is None:
            return
        try:
            now = perf_counter_ns() if at is None else at
            self.end_time = self.start_time + now - self.start
            self.outcome = outcome
            attributes = self.attributes
            attributes[_OUTCOME] = outcome
            reasons = attributes.get(_REASONS)
            if reasons not in _USUAL:
                _in_words(attributes, reasons)
            if self.first:
                self._stream_facts(attributes)
            self.followed = None  # its callback refers to this call
            self.recorder.end(self)
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.finish", error)

    def _stream_facts(self, attributes: dict[str, Any]) -> None:
        chunks, last = self.beat
        attributes[semconv.STREAM_CHUNKS] = chunks
        attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = (self.first - self.start) / 1e9
        if chunks > 1:
            attributes[semconv.STREAM_TIME_PER_CHUNK] = (last - self.first) / (chunks - 1) / 1e9

    def lost(self, _: object) -> None:
        """What was followed of it is gone: the callback of a weak reference."""
        self.drop()

    def drop(self, outcome: semconv.Outcome = "abandoned") -> None:
        """Nobody will end this call; safe in finalisers, which may run anywhere."""
        _dropped.append((self, outcome))


def _in_words(attributes: dict[str, Any], reasons: object) -> None:
    """Put the finish reasons in the convention's words, whoever's they were; what is no text stays what it is.

    The convention has one word for what a filter stopped and for what the model itself refused.
    """
    try:
        attributes[_REASONS] = _ALONE[cast("tuple[str]", reasons)]  # of one answer, as a rule
    except (KeyError, TypeError):
        _each_in_words(attributes, reasons)


def _each_in_words(attributes: dict[str, Any], reasons: object) -> None:
    if not isinstance(reasons, (list, tuple)):
        return
    said = cast("Sequence[object]", reasons)
    try:
        if _WORDS.issuperset(said):  # of many prompts in one call, as a rule
            attributes[_REASONS] = tuple(said)
            return
    except TypeError:  # of no kind that can be looked up
        pass
    words = [each.lower() if isinstance(each, str) else each for each in said]
    if "refusal" in words:
        attributes[semconv.REFUSED] = True
    attributes[_REASONS] = tuple(
        [semconv.FINISH_WORDS.get(word, word) if isinstance(word, str) else word for word in words]
    )


def is_ours() -> bool:
    """Whether a call that is made here is ours to trace."""
    context = get_current()
    return DESTINATION_KEY not in context and not context.get(SUPPRESS_KEY)


def begin(
    spec: ClientSpec,
    endpoint: Endpoint,
    instance: Any,
    arguments: Mapping[str, Any],
    *,
    anyway: object = False,
) -> Call | None:
    """Open a call and make its span current; None when the call is not ours to trace, unless it must be ``anyway``."""
    recorder = record.active
    if recorder is None:
        return None
    context = get_current()
    if (DESTINATION_KEY in context or context.get(SUPPRESS_KEY)) and not anyway:
        return None
    if _dropped:
        drain()
    try:
        call = Call()
        call.spec = spec
        call.endpoint = endpoint
        call.recorder = recorder
        call.origin = origin = origin_of(spec, endpoint, instance, arguments)
        call.attributes = origin.attributes.copy()
        call.start_time = time_ns()
        call.start = perf_counter_ns()
        span = call.span = recorder.start(call, context)
        call.span_context = span.get_span_context()
        try:
            call.attributes.update(endpoint.request(arguments))
        except Exception as error:  # noqa: BLE001 - a call with fewer facts is a call all the same
            fence.report("engine.request", error)
        key = id(call)
        call.context = Context(
            {**context, DESTINATION_KEY: origin.address or "", CALL_KEY: key, SPAN_KEY: span}
        )
        if recorder.content is not None:
            _capture_request(call, arguments)
        _open[key] = call
        call.token = attach(call.context)
    except Exception as error:  # noqa: BLE001 - the fence of the hot path
        fence.report("engine.begin", error)
        return None
    return call


def opened(call: Call) -> None:
    """Note that a call has begun that was not made by :func:`begin`."""
    _open[id(call)] = call


def _capture_request(call: Call, arguments: Mapping[str, Any]) -> None:
    call.content = {}
    if call.endpoint.content is not None:
        with fence.contain("engine.content"):
            call.content.update(call.endpoint.content.request(arguments))


def current() -> Call | None:
    """The open call that is going on here; None inside a span that somebody else has begun in it."""
    context = get_current()
    key: Any = context.get(CALL_KEY)
    call = _open.get(key)
    # Where the context outlived its call, another one may have the number.
    return call if call is not None and call.span is context.get(SPAN_KEY) else None


def open_calls() -> tuple[Call, ...]:
    """The calls that have begun and not ended."""
    return tuple(_open.values())


def open_call_of(result: Any) -> Call | None:
    """The open call whose stream ``result`` is, by what is followed of it: itself, or what it reads from."""
    parts = {id(result), *map(id, getattr(result, "__dict__", {}).values())}
    for call in open_calls():
        followed = None if call.followed is None else call.followed()
        if followed is not None and id(followed) in parts:
            return call
    return None


def drain() -> None:
    """End the calls whose streams were dropped."""
    while _dropped:
        try:
            call, outcome = _dropped.popleft()
        except IndexError:  # another thread took it
            return
        call.finish(outcome, call.beat[1] or None)


def abandon_all() -> None:
    """End every open call; the interpreter is going down."""
    drain()
    for call in open_calls():
        call.finish("abandoned", call.beat[1] or None)


def forget_all() -> None:
    """A forked child does not own its parent's open calls."""
    _open.clear()
    _dropped.clear()
