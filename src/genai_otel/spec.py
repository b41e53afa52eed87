"""The declarative description of a model client: frozen data and pure functions, no OpenTelemetry.

A client file says *where* calls are made (:class:`Endpoint`), *which facts* stand in a request, a response and a
chunk, and *whom* an instance talks to (:class:`Peer`).  The engine interprets it; it knows no client by name.

All functions of a spec are pure, duck-typed and free of I/O: they take the client's own objects and return
attributes named by the GenAI conventions.  They need no error handling, the engine fences them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Facts = dict[str, Any]
"""Attribute name → value, as the conventions name and type them."""


class Peer(NamedTuple):
    """Whom a client instance talks to: the convention's provider name, host and port (None when unknown).

    ``model`` is the one that an instance was made for; calls that name none are of it.
    """

    provider: str
    address: str | None = None
    port: int | None = None
    model: str | None = None


def _no_request(_: Mapping[str, Any]) -> Facts:
    return {}


def _no_response(_: Any) -> Facts:
    return {}


@dataclass(frozen=True, eq=False)
class Content:
    """What was said, in the convention's message structure; read only when the user switched content on.

    ``request`` reads the arguments and must not consume iterators; ``response`` reads a whole result.  For streams
    ``chunk`` keeps in ``state`` what ``final`` needs.  Values are plain lists, dicts and strings.
    """

    request: Callable[[Mapping[str, Any]], Facts] = _no_request
    response: Callable[[Any], Facts] = _no_response
    chunk: Callable[[dict[Any, Any], Any], None] | None = None
    final: Callable[[dict[Any, Any]], Facts] | None = None


def _itself(result: Any) -> Any:
    return result


@dataclass(frozen=True, eq=False)
class Blocks:
    """A stream that is ``stepped`` and reads its connection block by block, in lines, into a queue of chunks.

    ``iterator`` names its iterator of blocks, ``queue`` its queue.  ``telling`` is a pattern of what stands in lines
    with facts: other chunks are not read.  ``check`` looks in their blocks for errors that the client keeps to itself.
    """

    iterator: str
    queue: str
    telling: bytes
    check: Callable[[bytes], None] | None = None


@dataclass(frozen=True, eq=False)
class Streaming:
    """How a client's stream can be followed.

    ``iterator`` names the attribute that holds the iterator behind the stream: it is followed in place, so that the
    user keeps the very same object.  None where the stream is a plain generator, which nobody can look into: the user
    gets a generator around it.  ``body`` gives, for a stream, the object whose ``close``/``aclose`` ends it;
    ``within`` finds the stream in the result, which the endpoint's ``response`` then reads at once.

    ``reader`` is for a body that the user reads himself and that means something only as a whole: it names the method
    that gives the next bytes.  Such a body is one chunk, read by the endpoint's ``chunk`` when the user has all of it.
    ``stepped`` is for objects with a ``__next__`` of their own and nothing behind it that could be followed; ``asks``
    says of one whether any of its steps may make a request, ``blocks`` where it can be looked into.  Where ``lines``,
    elements are bytes of lines and end anywhere: ``chunk`` gets lines that are whole, some together.
    """

    iterator: str | None = None
    reader: str | None = None
    blocks: Blocks | None = None
    stepped: bool = False
    asks: Callable[[Any], bool] | None = None
    lines: bool = False
    body: Callable[[Any], Any] | None = None
    within: Callable[[Any], Any] = _itself


class Step(NamedTuple):
    """What one message of a session means.

    ``settings``: ``value`` are arguments that hold for the responses after it.  ``input``: ``value`` are messages that
    the next response reads.  ``asks``: the client asks for a response with the arguments in ``value``.  ``begins``: the
    response ``key`` begins, the one that was asked for with ``mark``, the oldest where that is ``...``.  ``chunk``: a
    part of its output, which begins it where it has not begun.  ``tells``: facts of it.  ``ends``: its last message.
    ``failed``: it, or what was asked for with ``mark``, failed; ``value`` are facts, the error's type among them.
    """

    kind: Literal["settings", "input", "asks", "begins", "chunk", "tells", "ends", "failed"]
    value: Any = None
    key: object = None
    mark: object = ...


Steps = Callable[[Mapping[str, Any]], "Iterable[Step]"]


def _as_called(instance: Any, arguments: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    return instance, arguments


def _never(_: Any) -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Session:
    """A connection over which client and model talk, with many responses; the target is the method that opens it.

    ``socket`` gives the WebSocket behind what the target gives: its messages are read as JSON by ``sent`` and
    ``received``.  ``responses`` describes each response: its ``request`` reads the arguments that the steps add up to,
    its ``first`` the settings when it begins, its ``chunk`` the values of the steps about it.  The session's own
    endpoint reads ``settings`` by its ``chunk``.

    ``opened`` gives, for the target's instance and arguments, what ``connection`` and ``peer`` get, and the arguments
    to read.  ``opener`` names the instance's method that makes a WebSocket, for clients that send before they hand the
    connection out, or that connect anew, which ``reopens`` says of a connection.  ``generator`` names the attribute of
    a context manager that holds the generator behind it, where the target only makes the manager.  ``inputs`` names
    the argument of a response that holds what ``input`` steps gave.

    ``glance`` matches received messages that need not be read as JSON: its group 1 is the key of the response that one
    is a part of, and missing where the message means nothing.
    """

    responses: Endpoint
    socket: Callable[[Any], Any]
    sent: Steps
    received: Steps
    opened: Callable[[Any, Mapping[str, Any]], tuple[Any, Mapping[str, Any]]] = _as_called
    opener: str = ""
    reopens: Callable[[Any], bool] = _never
    generator: str = ""
    inputs: str = "input"
    glance: re.Pattern[str] | None = None


class StreamFailed(Exception):
    """Raised by a reader of chunks: this chunk tells of an error, which the client is about to raise or hands on.

    Its argument is the error's type, as in :func:`ClientSpec.errors`.
    """


Route = Callable[
    [Any, Mapping[str, Any]],
    "tuple[Endpoint, Mapping[str, Any]] | tuple[Endpoint, Mapping[str, Any], Any] | None",
]


@dataclass(frozen=True, eq=False)
class Fed:
    """A call that hands its result piece by piece to an object of the program's, before it returns.

    ``argument`` names the one that is that object, ``method`` its method that gets a piece, ``before`` says how many it
    gets before the first that the model made.
    """

    argument: str
    method: str
    before: int = 0


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One method of a client.

    ``target`` is ``"module:Class.method"`` of the class that *defines* the method, ``asynchronous`` says that calling
    it gives an awaitable. ``request`` turns arguments, ``response`` a result, ``chunk`` one element of a stream (added
    to the facts so far) into facts; ``first`` sees the first element before ``chunk`` does, and the next one as long as
    it gives True, ``last`` the last again. ``otherwise`` is the path of the method in versions that do not have that
    one, which then is a private one. ``positional`` names leading positional parameters, ``model`` the argument that
    names the model.

    An endpoint with a ``chunk`` streams when ``stream_argument`` is truthy among the arguments, or always if None.
    ``with_usage`` gives the arguments that make the vendor report usage in a stream, used only when the user's
    setting asks for it, and only where what is read are the method's own arguments, not where they stand in another
    one; ``hidden`` says which chunks exist only because of that.  ``streaming`` says how a stream of
    this endpoint is followed, where it is not as the client's others are.

    ``route`` serves methods through which many operations go, or whose facts stand in the instance: it gives the
    endpoint that a call is one of and the arguments to read, or None for a call that is not ours to trace.  ``routes``
    are the endpoints that it chooses from.  Where the method's first argument tells most calls that are not ours,
    ``only`` holds the values for which ``route`` is asked; the others pass at once.  A third value that it gives is
    what ``connection`` and ``peer`` of the client get in place of the instance: a function has none.  One that other
    methods ``lead_through`` is looked at only where it is not inside a call.
    ``deferred`` serves stream helpers: they give a manager, and the request is made when that is entered.  It names the
    manager's attribute that holds the request: a function, an awaitable, or a generator whose first step makes it.
    ``session`` says that the target opens a connection with many responses.

    A call that ``gathers`` consists of others of the client, layers in the same process or requests of which its result
    tells nothing: those that ``add`` put their facts on its span and have none of their own.  Usage is summed, of
    everything else the last word counts.  An endpoint without an operation is a method that only adds, and else is no
    call.  ``answer`` reads results that mean something only together with the arguments, in place of ``response``;
    ``fed`` is for calls that hand out their result before they return.
    """

    target: str
    operation: str
    otherwise: str = ""
    asynchronous: bool = False
    request: Callable[[Mapping[str, Any]], Facts] = _no_request
    response: Callable[[Any], Facts] = _no_response
    answer: Callable[[Mapping[str, Any], Any], Facts] | None = None
    first: Callable[[Facts, Any], bool | None] | None = None
    last: Callable[[Facts, Any], None] | None = None
    chunk: Callable[[Facts, Any], None] | None = None
    content: Content | None = None
    positional: tuple[str, ...] = ()
    model: str | None = "model"
    stream_argument: str | None = "stream"
    with_usage: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None
    hidden: Callable[[Any], bool] | None = None
    streaming: Streaming | None = None
    route: Route | None = None
    routes: tuple[Endpoint, ...] = ()
    only: frozenset[str] | None = None
    lead_through: bool = False
    deferred: str | None = None
    session: Session | None = None
    fed: Fed | None = None
    gathers: bool = False
    adds: bool = False

    def streams(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments gives a stream, where the endpoint has a ``chunk``."""
        asked = self.stream_argument
        return asked is None or bool(arguments.get(asked))


@dataclass(frozen=True, eq=False)
class RawResponses:
    """How a client hands out raw responses.

    ``form`` reads the arguments: None for a parsed result, ``"read"`` when the body has been read already,
    ``"unread"`` when the user will read it.  ``closed`` says of an unread one whether its body has been consumed.
    ``headers`` reads what stands in no body; parsed results do not show it.
    """

    form: Callable[[Mapping[str, Any]], str | None]
    closed: Callable[[Any], bool]
    headers: Callable[[Any], Facts] = _no_response


Mode = Literal["wrap", "native", "off"]
"""Who traces the calls of a client: we, it does itself, or nobody."""


@dataclass(frozen=True, eq=False)
class Native:
    """How a client traces its calls itself, from the version of ``requires`` on ("distribution >= version").

    ``off`` are the environment variables that switch it off, as they are to be set before the client is imported or
    made; ``wanted`` those that switch it on, for clients that are silent by themselves.  ``on`` says whether an
    instance traces all the same, because the program said so when it made it.
    """

    requires: str
    off: Mapping[str, str]
    on: Callable[[Any], bool]
    wanted: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, eq=False)
class ClientSpec:
    """A model client: its distribution, the versions it is tested with, its endpoints and peers.

    ``connection`` gives the object that tells two peers apart (cheap, called on every call); ``peer`` describes it
    (called once per such object).  ``errors`` reads facts from an exception of the client; ``broken`` says whether one
    tells of a broken connection, where its class does not.  ``native`` is for clients that can trace themselves.
    """

    name: str
    requires: str
    endpoints: tuple[Endpoint, ...]
    connection: Callable[[Any], object]
    peer: Callable[[Any], Peer]
    streaming: Streaming | None = None
    raw: RawResponses | None = None
    errors: Callable[[BaseException], Facts] = _no_response
    broken: Callable[[BaseException], bool] | None = None
    instrumentors: tuple[str, ...] = ()
    native: Native | None = None


def both(module: str, name: str, **fields: Any) -> tuple[Endpoint, Endpoint]:
    """The endpoint ``Class.method`` and its twin on ``AsyncClass``, described once."""
    return (
        Endpoint(f"{module}:{name}", **fields),
        Endpoint(f"{module}:Async{name}", asynchronous=True, **fields),
    )
