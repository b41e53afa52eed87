"""What a client's payload file says: how its endpoints are called, and what their spans then tell.

A case is written once and called in every way that the client has: sync, async, streamed, through the vendor's
stream helper, raw, and raw without reading.  The tests know no client by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

CANARY = "canary-7f3a in the mine"
"""Stands in everything that is said to a model.  While content is off it may leave in no signal."""


def _itself(result: Any) -> Any:
    return result


async def _later(step: Callable[[Any], Any], pending: Any) -> Any:
    return await _settled(step(await pending))


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def then(step: Callable[[Any], Any], result: Any) -> Any:
    """``step`` done to a result, or to what it will be."""
    if step is _itself:
        return result
    return _later(step, result) if inspect.isawaitable(result) else step(result)


@dataclass(frozen=True)
class Case:
    """One endpoint.

    ``path`` is the method from the client on, ``arguments`` gives its keyword arguments for a model's name.
    ``facts`` are all attributes of the span of a plain answer beside those of every call (`common`), ``streamed``
    those that a stream changes, None where it has none; ``...`` stands for a value that differs each time.
    ``helper`` is the path of the vendor's own stream helper, whose arguments are the same; ``raw`` are the raw
    forms that it has.  ``stream_path`` is the method that streams where that is another one; else ``stream=True``
    asks for it.
    """

    path: str
    arguments: Callable[[str], Mapping[str, Any]]
    facts: Mapping[str, Any]
    operation: str = "chat"
    streamed: Mapping[str, Any] | None = None
    helper: str = ""
    raw: Sequence[str] = ("with_raw_response", "with_streaming_response")
    stream_path: str = ""
    model_argument: str = "model"
    named: bool = True
    """Whether the span names the request's model."""
    suffix: str = ""
    """What the names of the async methods end with, where one client has both; its async form is ``Async...``."""
    within: Callable[[Any], Any] = _itself
    """Finds the stream in what the method gives."""
    whole: Callable[[Any], Any] = _itself
    """What a program does with an answer to have all of it."""
    answered: Sequence[str] = ()
    """Facts that are the answer's to tell, though others have them from the request."""
    measured: bool = True
    """Whether it is a model's own operation, and not an agent's."""
    prepared: bool = False
    """Whether the client makes a request of the arguments first, and refuses them before there is a call."""
    closes: Sequence[bool] = (False, True)
    """In which form, asynchronous or not, its stream can be closed; else a program can only drop it."""
    counts: bool = False
    """Whether the client counts the tokens of a stream itself where the vendor does not report them."""
    inner: bool = False
    """Whether the traced method stands behind the public one, which may refuse a call before, and which keeps to
    itself that its stream is closed."""

    def on(self, client: Any, path: str) -> str:
        """The path as ``client`` has it."""
        return path + self.suffix if type(client).__name__.startswith("Async") else path

    def owner(self, client: Any) -> tuple[Any, str]:
        """The object that has the method, and the method's name."""
        path, _, method = self.on(client, self.path).rpartition(".")
        return (attrgetter(path)(client) if path else client), method

    def call(self, client: Any, model: str, *, via: str = "", **extra: Any) -> Any:
        """Call it on ``client``: the result, or the awaitable of one.  ``via`` is an attribute before the method."""
        resource, _, method = self.path.rpartition(".")
        path = f"{resource}.{via}.{method}" if via else self.path
        return then(
            self.whole, attrgetter(self.on(client, path))(client)(**{**self.arguments(model), **extra})
        )

    def stream(self, client: Any, model: str, *, via: str = "", **extra: Any) -> Any:
        """Call it for a stream."""
        if not self.stream_path:
            return self.call(client, model, via=via, stream=True, **extra)
        method = attrgetter(self.on(client, self.stream_path))(client)
        return then(self.within, method(**{**self.arguments(model), **extra}))

    def help(self, client: Any, model: str, **extra: Any) -> Any:
        """The vendor's stream helper, not entered."""
        arguments = {name: value for name, value in self.arguments(model).items() if name != "stream"}
        return attrgetter(self.on(client, self.helper))(client)(**arguments, **extra)


def _timeout(seconds: float) -> Mapping[str, Any]:
    return {"timeout": seconds}


def _choices(count: int) -> Mapping[str, Any]:
    return {"n": count}


def offered(*tools: Any) -> Mapping[str, Any]:
    """Tools as OpenAI's chat wants them, and many others."""
    return {"tools": [*tools]}


@dataclass(frozen=True)
class Payload:
    """A client: ``make(base_url, asynchronous, **options)`` gives one without retries."""

    client: str
    provider: str
    make: Callable[..., Any]
    cases: Sequence[Case]
    model: str
    usage_in_stream: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Extra arguments with which a stream reports its usage; empty where it always does."""
    timeout: Callable[[float], Mapping[str, Any]] = _timeout
    """The extra arguments that limit a call to some seconds."""
    limit: Callable[[Any, float], None] | None = None
    """Limits all calls of a client, where none has an argument for that."""
    retries: bool = True
    """Whether the client tries again by itself."""
    http_spans: bool = True
    """Whether its HTTP library is one that the tests have an instrumentation of."""
    tells_errors: bool = True
    """Whether the client tells of an error event in a stream; else it goes on as if there were none."""
    holds_streams: bool = False
    """Whether the client keeps the connection of a stream that was closed until it is itself closed."""
    choices: Callable[[int], Mapping[str, Any]] | None = _choices
    """The extra arguments that ask the first case for several answers; None where the vendor gives one only."""
    error_facts: Mapping[str, Any] = field(default_factory=lambda: {"genai_otel.response.request_id": ...})
    """What an error of the vendor tells beside its status."""
    forms: Sequence[bool] = (False, True)
    """Whether there are clients that are not asynchronous, and ones that are."""
    error_type: Callable[[BaseException], str] = lambda error: type(error).__qualname__
    """What a span calls an error."""
    overdue: str = "Timeout"
    """What stands in the type of an error of time."""
    status: Callable[[int], Mapping[str, Any]] = lambda status: {"http.response.status_code": status}
    """How a span tells the status of an error, of which the model server was asked by that of HTTP."""
    filtered: str = "content_filter"
    """The reason of an answer that a filter stops; that of any other answer where the vendor says nothing of it."""
    refuses_arguments: bool = True
    """Whether the first case refuses arguments that it does not know."""
    refuses_broken_json: bool = True
    """Whether the client raises an error where an answer breaks off in the middle of its JSON."""
    warnings: Sequence[str] = ()
    """Filters for warnings that are the client's own."""
    calling: str = "tool_call"
    """Why an answer finished that calls a tool: some vendors just stop."""
    mends: Sequence[str] = ()
    """Where the client puts in something of its own: ``zero`` (usage that is not reported, so that one of 0 cannot be
    told from it), ``reason`` (a choice that has none stops), ``chunk`` (at the end of a stream without one), or only
    the first of the ``choices`` of a stream has a reason."""
    tools: Callable[..., Mapping[str, Any]] | None = None
    """The extra arguments that offer a tool to the first case, given as OpenAI's chat wants it; None where the client's
    own tests tell of tools."""
    thoughts: Sequence[str] = ()
    """The fields in which the first case's answers, in OpenAI's form, hold what the model thought."""
    hands_on_errors: bool = False
    """Whether the client gives a body that is an error as if it were an answer, where the status says nothing of it."""
    odd: Sequence[str] = ()
    """Arguments of the first case that may get any object at all: a client that is tested so names some."""
    over: str = ""
    """The client that makes the calls of its first case, where we know it: what is not traced here is there."""
    host: str = "api.openai.com"
    """The vendor's own host."""
