"""What :func:`genai_otel.inference` and :func:`genai_otel.serve` give: a call that the program itself reports.

It is a call as those of the clients, with the same one end; only who tells its facts is another.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload
from urllib.parse import urlsplit

from opentelemetry.context import get_current

from genai_otel import fence, safe, semconv
from genai_otel.engine.call import Call
from genai_otel.engine.ending import interrupted
from genai_otel.inside import Inside
from genai_otel.manual import contents, facts
from genai_otel.manual.facts import RequestFacts, ResponseFacts
from genai_otel.manual.part import Part, Read, followed, unfollowed
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

T = TypeVar("T")


class Reported:
    """A call between its begin and its end, each of which happens once.

    Use it in ``with`` or ``async with``; the block's end ends the call, an exception that leaves the block is the
    call's and passes on as it is.  Where begin and end are in different functions or threads, use :meth:`start` and
    :meth:`end`, and :meth:`inside` for what belongs to the call.  Where nothing is traced all methods do nothing.
    """

    _gone: semconv.Outcome | None = None
    """The outcome when whoever reads its stream goes away; None where that is told apart."""

    def __init__(self, endpoint: Endpoint, peer: Peer, arguments: Mapping[str, Any]) -> None:
        self._endpoint = endpoint
        self._peer = peer
        self._arguments = arguments
        self._call: Call | None = None
        self._part: Part | None = None
        self._inside: Inside | None = None

    def _begin(self) -> Call | None:
        raise NotImplementedError

    # --- begin and end ----------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin the call without making it current.  If nobody ends it, it ends as ``abandoned`` with this object."""
        call = self._open()
        if call is not None:
            call.followed = weakref.ref(self, lambda _: call.drop())
        return self

    def end(self, error: BaseException | None = None) -> None:
        """End the call: because of ``error``, or in good order.  Again does nothing."""
        call = self._going_on()
        with fence.contain("manual.end"):
            if call is not None and error is not None:
                self._broke(call, error)
            elif call is not None:
                self._over(call)

    def inside(self) -> Inside:
        """A context manager in which the call's span is current."""
        return Inside(get_current() if self._call is None else self._call.context)

    def __enter__(self) -> Self:
        call = self._open()
        if call is not None:
            self._inside = Inside(call.context)
            self._inside.__enter__()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._inside is not None:
            self._inside.leave()
        part = self._part
        if error is None and part is not None and part.first == 0 and _waits(part):
            part.hand_on()
        else:
            self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)

    def _open(self) -> Call | None:
        call = self._going_on()
        if call is not None:
            return call
        self._part = None
        call = self._call = self._begin()
        if call is not None:
            call.suspend()
            call.ambient = sys.exc_info()[1]
        return call

    def _going_on(self) -> Call | None:
        """The call, where there is one that has not ended."""
        return None if self._call is None or "end_time" in vars(self._call) else self._call

    def _over(self, call: Call) -> None:
        outcome: semconv.Outcome = "completed"
        if self._part is not None:
            outcome = vars(call).get("outcome", "closed")
            outcome = "closed" if outcome == "abandoned" else outcome  # its end is this one
        if semconv.ERROR_TYPE in call.attributes and outcome in ("completed", "closed"):
            outcome = "failed"
        call.finish(outcome)

    def _broke(self, call: Call, error: BaseException) -> None:
        if call.error is error:  # its stream raised it and noted how
            call.finish(vars(call).get("outcome", "failed"))
        elif isinstance(error, GeneratorExit):  # the program's own generator is closed
            call.drop(self._gone or "closed")
        elif call.first:
            interrupted(call, error)
        else:
            call.raised(error)

    # --- facts --------------------------------------------------------------------------------------

    def request(self, **asked: Unpack[RequestFacts]) -> None:
        """Add what is asked of the model; the last word counts."""
        self._add(facts.REQUEST, asked)

    def response(self, **answered: Unpack[ResponseFacts]) -> None:
        """Add what was answered, and the usage that was reported; the last word counts."""
        self._add(facts.RESPONSE, answered)

    def failed(self, error_type: str) -> None:
        """Say that the call failed though nothing is raised: an error in the answer, by the vendor's short name."""
        call = self._going_on()
        if call is not None:
            call.attributes[semconv.ERROR_TYPE] = safe.label(error_type)

    def content(
        self,
        *,
        input: contents.Said | None = None,  # noqa: A002 - plain words
        output: contents.Said | None = None,
        system: contents.Said | None = None,
        tools: Any = None,
    ) -> None:
        """Add what was said: texts, or messages as chat APIs take them.  Kept only where content is switched on."""
        call = self._going_on()
        if call is not None and call.content is not None:
            with fence.contain("manual.content"):
                call.content.update(contents.read(input=input, output=output, system=system, tools=tools))

    def _add(self, table: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        call = self._going_on()
        if call is not None:
            with fence.contain("manual.facts"):
                call.attributes.update(facts.known(table, given))

    # --- streams ------------------------------------------------------------------------------------

    @overload
    def stream(self, chunks: AsyncIterable[T], read: Read[T] | None = None) -> AsyncIterator[T]: ...
    @overload
    def stream(self, chunks: Iterable[T], read: Read[T] | None = None) -> Iterator[T]: ...
    def stream(self, chunks: Any, read: Read[Any] | None = None) -> Any:
        """The same chunks, of which the call sees each: when the first came, how many, how they ended.

        ``read`` gets each chunk before the program does, to tell the call what stands in it.  After :meth:`start`, or
        where a block returns the stream unread, the end of the stream ends the call.
        """
        call = self._going_on()
        if call is None:
            return unfollowed(chunks, read)
        self._part = Part(call, self._gone, ends=self._inside is None)
        self._part.anew()
        return followed(self._part, chunks, read)


def _waits(part: Part) -> bool:
    """Whether a stream has not been asked for its first chunk, and somebody has it."""
    return "outcome" not in vars(part) and part.followed is not None and part.followed() is not None


# --- what the engine knows such calls by ------------------------------------------------------------------------------


def _errors(error: BaseException) -> Facts:
    """The HTTP status of an exception of any HTTP client."""
    answer: object = getattr(error, "response", None)
    for holder, name in ((error, "status_code"), (answer, "status_code"), (error, "status"), (error, "code")):
        status = getattr(holder, name, None)
        if type(status) is int and 100 <= status < 600:
            return {semconv.HTTP_STATUS: status}
    return {}


def _itself(peer: Peer) -> Peer:
    return peer


SPEC: Final = ClientSpec("the program itself", "", (), connection=_itself, peer=_itself, errors=_errors)


_PORTS: Final = {"http": 80, "https": 443}


@lru_cache(maxsize=64)
def endpoint(operation: str) -> Endpoint:
    """What calls of one operation have in common; the same object each time."""
    if operation not in semconv.MODEL_OPERATIONS:
        fence.warn(
            f"{operation!r} is no operation of a model, so its calls are not measured; there are "
            f"{', '.join(sorted(semconv.MODEL_OPERATIONS))}"
        )
    return Endpoint("", operation, request=_request)


def _request(arguments: Mapping[str, Any]) -> Facts:
    return facts.known(facts.REQUEST, {name: value for name, value in arguments.items() if name != "model"})


def peer(provider: object, url: object) -> Peer:
    """Whom a call is made to; the same object each time."""
    return _peer(_name(provider, "provider"), "" if url is None else str(url))


@lru_cache(maxsize=256)
def _peer(provider: str, url: str) -> Peer:
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return Peer(provider, parts.hostname, parts.port or _PORTS.get(parts.scheme))
    except ValueError:
        facts.drop("the url of a call cannot be read")
        return Peer(provider)


def _name(value: object, what: str) -> str:
    if isinstance(value, str) and value:
        return value
    facts.drop(f"the {what} of a call is no text")
    return semconv.OTHER


def operation_name(value: object) -> str:
    """The operation as the conventions name it."""
    return _name(value, "operation")
