"""The responses of one session: each is a call of its own, told apart by what its client's spec says of the messages.

A response that was asked for begins when that is sent, another one with its first message.  Several may be open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter_ns
from typing import Any, ClassVar, Final

from opentelemetry.context import Context, attach, detach

from genai_otel import fence, safe, semconv
from genai_otel.engine.call import Call, begin
from genai_otel.spec import Session, Step, Steps

_MOST_INPUTS: Final = 256


class Responses:
    """The responses that ``call``, a session, has open, and those that were asked for and have not begun.

    ``subject`` is what the spec's ``connection`` and ``peer`` get, ``settings`` the arguments that all responses have,
    ``inside`` the context in which they are.
    """

    def __init__(
        self, call: Call, session: Session, subject: Any, settings: Mapping[str, Any], inside: Context
    ) -> None:
        self._call = call
        self._session = session
        self._subject = subject
        self._settings = dict(settings)
        self._inside = inside
        self._open: dict[object, Call] = {}
        self._asked: list[tuple[object, Call]] = []
        self._inputs: deque[Any] = deque(maxlen=_MOST_INPUTS)
        self.sent: Callable[[Any], None] = partial(self._read, session.sent)
        """The client sends a message."""
        self._read_received: Callable[[Any], None] = partial(self._read, session.received)
        self._glance: Any = None if session.glance is None else session.glance.match
        self.received = self._read_received if self._glance is None else self._glanced
        """The client gets a message."""

    def take_all(self) -> list[Call]:
        """Those that have not ended; they are somebody else's to end then."""
        calls = [*self._open.values(), *[call for _, call in self._asked]]
        self._open.clear()
        self._asked.clear()
        return calls

    def _glanced(self, message: Any) -> None:
        at = perf_counter_ns()
        try:
            seen = self._glance(message if message.__class__ is str else message.decode())
            key = None if seen is None else seen[1]
            call = None if key is None else self._open.get(key)
            if call is not None and call.first and call.said is None:
                call.beat = (call.beat[0] + 1, at)
            elif seen is not None and key is None:
                self._call.beat = (0, at)
            else:
                self._read_received(message)
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.session", error)

    def _read(self, steps: Steps, message: Any) -> None:
        at = perf_counter_ns()
        self._call.beat = (0, at)
        try:
            said = safe.json_object(message)
            if said is not None:
                for step in steps(said):
                    self._TAKES[step.kind](self, step, at)
        except Exception as error:  # noqa: BLE001 - the fence of the hot path
            fence.report("engine.session", error)

    def _settle(self, step: Step, _: int) -> None:
        self._settings.update(step.value)
        read = self._call.endpoint.chunk
        if read is not None:
            read(self._call.attributes, step.value)

    def _hear(self, step: Step, _: int) -> None:
        if self._call.content is not None:
            self._inputs.extend(step.value)

    def _ask(self, step: Step, _: int) -> None:
        call = self._start(step.value)
        if call is not None:
            self._asked.append((step.mark, call))

    def _begin(self, step: Step, _: int) -> None:
        call = self._open.get(step.key) or self._take(step.mark) or self._start({})
        if call is not None:
            first = call.endpoint.first
            if first is not None and step.key not in self._open:
                first(call.attributes, self._settings)  # which may have come after it was asked for
            self._open[step.key] = call
            self._tell(step, 0)

    def _chunk(self, step: Step, at: int) -> None:
        call = self._open.get(step.key)
        if call is None:
            self._begin(step._replace(value=None), at)
            call = self._open.get(step.key)
            if call is None:
                return
        count = call.beat[0] + 1
        call.beat = (count, at)
        if not call.first:
            if count == 1 and at > call.start:
                call.first = at
            else:  # nobody knows since when the model was at it
                call.attributes[semconv.STREAM_CHUNKS] = count
        if call.said is not None:
            _keep(call, step.value)

    def _tell(self, step: Step, _: int) -> None:
        call = self._open.get(step.key)
        if call is not None and step.value is not None:
            read = call.endpoint.chunk
            if read is not None:
                read(call.attributes, step.value)
            _keep(call, step.value)

    def _end(self, step: Step, at: int) -> None:
        if step.key not in self._open and self._asked:
            self._begin(step._replace(value=None), at)
        self._tell(step, at)
        call = self._open.pop(step.key, None)
        if call is not None:
            cancelled = call.attributes.get(semconv.RESPONSE_STATUS) == "cancelled"
            failed = semconv.ERROR_TYPE in call.attributes
            call.finish("failed" if failed else "cancelled" if cancelled else "completed")

    def _fail(self, step: Step, _: int) -> None:
        call = self._open.pop(step.key, None) or self._take(step.mark)
        if call is not None:
            call.attributes.update(step.value)
            call.finish("failed")

    def _take(self, mark: object) -> Call | None:
        for place, (known, call) in enumerate(self._asked):
            if mark is ... or known == mark:
                del self._asked[place]
                return call
        return None

    def _start(self, asked: Mapping[str, Any]) -> Call | None:
        arguments = {**self._settings, **asked}
        if self._inputs and self._session.inputs not in asked:
            arguments[self._session.inputs] = [*self._inputs]
            self._inputs.clear()
        token = attach(self._inside)
        try:
            call = begin(self._call.spec, self._session.responses, self._subject, arguments)
            if call is not None:
                call.suspend()
        finally:
            detach(token)
        if call is not None:
            call.ambient = self._call.ambient
            if call.content is not None:
                call.said = {}
        return call

    _TAKES: ClassVar[Mapping[str, Callable[..., None]]] = {
        "settings": _settle,
        "input": _hear,
        "asks": _ask,
        "begins": _begin,
        "chunk": _chunk,
        "tells": _tell,
        "ends": _end,
        "failed": _fail,
    }


def _keep(call: Call, value: Any) -> None:
    content = call.endpoint.content
    if call.said is not None and content is not None and content.chunk is not None:
        content.chunk(call.said, value)
