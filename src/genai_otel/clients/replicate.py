"""Replicate: models that are run, streamed, or asked for a prediction that is looked at later.

Running a model is one call, whatever requests it makes; they tell who answered and what it took.  A prediction that is
not waited for tells that when it is looked at: by ``get``, ``reload`` or ``wait``.  A stream tells no usage, and what a
version's iterator gives after ``run`` has returned is followed no further.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _replicate_messages as messages
from genai_otel.clients import _replicate_results as results
from genai_otel.clients._hosts import peer_at
from genai_otel.spec import ClientSpec, Endpoint, Peer

# --- whom a client talks to ----------------------------------------------------------------------------------------


def _client(subject: Any) -> Any:
    return subject if "_client_kwargs" in subject.__dict__ else subject._client  # noqa: SLF001 - where things keep it


def _connection(subject: Any) -> object:
    return _client(subject)._client_kwargs  # noqa: SLF001 - one object per client, which would be kept alive itself


def _peer(subject: Any) -> Peer:
    address: str | None = _client(subject)._base_url  # noqa: SLF001 - see above
    address = address or os.environ.get("REPLICATE_BASE_URL") or "https://api.replicate.com"
    return peer_at(address, "replicate")


# --- the endpoints -------------------------------------------------------------------------------------------------


def _named(model: Any) -> Any:
    """The name of a model, a version or a deployment, which may be an object or a tuple."""
    if isinstance(model, tuple):
        owner, name, version = (*model, None, None, None)[:3]  # pyright: ignore[reportUnknownVariableType] - of whatever
        return f"{owner}/{name}" if version is None else f"{owner}/{name}:{version}"
    return model if isinstance(model, str) or model is None else getattr(model, "id", model)


def _naming(argument: str, *others: str) -> Callable[[Endpoint], Endpoint]:
    """The model of an endpoint is named by ``argument``, by one of the others, or by the deployment that is asked."""

    def made(endpoint: Endpoint) -> Endpoint:
        def route(subject: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]]:
            model = arguments.get(argument)
            if type(model) is str:
                return named, arguments
            for other in others:
                model = model or arguments.get(other)
            if model is None and subject is not None:
                model = subject.__dict__.get("_deployment")
            return named, {**arguments, argument: _named(model)}

        named = replace(endpoint, model=argument)
        return replace(named, route=route, routes=(named,))

    return made


def _waiting(endpoint: Endpoint) -> Endpoint:
    def route(prediction: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]] | None:
        return None if prediction.status in results.ENDED else (endpoint, arguments)

    return replace(endpoint, route=route, routes=(endpoint,))


def _pair(owner: str, name: str, **fields: Any) -> tuple[Endpoint, Endpoint]:
    """A method, and its twin that is awaited."""
    return (
        Endpoint(f"{owner}{name}", **fields),
        Endpoint(f"{owner}async_{name}", asynchronous=True, **fields),
    )


_run: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": results.request,
    "content": messages.RUN,
    "positional": ("ref", "input"),
    "gathers": True,
}
_followed: Final[dict[str, Any]] = {
    "request": results.stream_request,
    "chunk": results.chunk,
    "stream_argument": None,
    "content": messages.STREAM,
}
_stream: Final[dict[str, Any]] = {**_run, **_followed}
_create: Final[dict[str, Any]] = {
    "operation": semconv.GENERATE_CONTENT,
    "request": results.request,
    "response": results.made,
    "content": messages.PREDICTION,
    "adds": True,
}
_fetch: Final[dict[str, Any]] = {"operation": semconv.FETCH_RESPONSE, "model": None}
_looked_at: Final[dict[str, Any]] = {
    "response": results.looked_at,
    "content": messages.FETCHED,
    "adds": True,
}


def _endpoints() -> Iterator[Endpoint]:
    by_reference = _naming("ref")
    # The module's functions were bound when it was imported, so perhaps before ours were in their class.
    for owner in ("replicate.client:Client.", "replicate:"):
        yield from map(by_reference, _pair(owner, "run", **_run))
        yield from map(by_reference, _pair(owner, "stream", **_stream))
    for owner, names, positional in (
        ("prediction:Predictions", ("version", "model", "deployment"), ("version", "input")),
        ("model:ModelsPredictions", ("model",), ("model", "input")),
        ("deployment:DeploymentsPredictions", ("deployment",), ("deployment", "input")),
        ("deployment:DeploymentPredictions", ("deployment",), ("input",)),
    ):
        pair = _pair(f"replicate.{owner}.", "create", positional=positional, **_create)
        yield from map(_naming(*names), pair)
    yield from _pair("replicate.prediction:Predictions.", "get", **_fetch, **_looked_at)
    yield from map(_waiting, _pair("replicate.prediction:Prediction.", "wait", gathers=True, **_fetch))
    for kind in ("", "async_"):  # which gives a generator, there is nothing to await
        yield Endpoint(f"replicate.prediction:Prediction.{kind}stream", **_fetch, **_followed)


SPEC: Final = ClientSpec(
    name="replicate",
    requires="replicate >= 1.0, < 2",
    connection=_connection,
    peer=_peer,
    errors=results.errors,
    endpoints=tuple(_endpoints()),
)
