"""The same measurements for every client that has a payload file for the contract suite, its cases being the workloads.

A workload is named ``client:path``, ``client:path stream20`` or ``stream60``, with ``_async`` behind it for the other
form of the client.  The answers are the model server's, without a socket (see ``in_place``).
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from genai_otel.clients import SPECS
from genai_otel.testing import ModelServer
from tests.benchmarks import engines, in_place
from tests.benchmarks.workloads import WORKLOADS, Run, Workload, event_loop
from tests.contract.payload import Case, Payload

ASYNC = "_async"
SOCKETS = frozenset({"xai_sdk"})
"""Clients whose library speaks in C, where nothing can be put in its place: they have a server."""
CHUNKS = {"stream20": 20, "stream60": 60}
SETTLED = 20
"""Rounds of the event loop after a call, for what clients leave to tasks: closing their generators, litellm's log."""


MAIN = {
    client: tuple(f"{client}:{path}{kind}" for kind in ("", *(f" {kind}" for kind in CHUNKS)))
    for client, path in {
        "anthropic": "messages.create",
        "google_genai": "models.generate_content",
        "mistralai": "chat.complete",
        "boto3": "models.converse",
        "ollama": "chat",
    }.items()
}
"""The workloads of the clients that `make bench` shows: a call, and two streams."""


def payload(client: str) -> Payload:
    """What the payload file of a client says."""
    return import_module(f"tests.contract.payloads.{client}").PAYLOAD


def names(found: Payload) -> list[str]:
    """The workloads of a client that are counted: each method in one form, the first of them in both."""
    made: list[str] = []
    for case in found.cases:
        kinds = ["", *(f" {kind}" for kind in CHUNKS)] if _has_chunks(case) else [""]
        forms = found.forms if case is found.cases[0] else found.forms[:1]
        made += [
            f"{found.client}:{case.path}{kind}{ASYNC if form else ''}" for form in forms for kind in kinds
        ]
    return made


def _has_chunks(case: Case) -> bool:
    """Whether it streams in as many chunks as it is asked for: images and sounds come in few."""
    return case.streamed is not None and "gen_ai.output.type" not in case.facts


def packages(names: Iterable[str]) -> set[str]:
    """The packages of the clients in workloads' names, where they are patched."""
    wanted = {name.partition(":")[0] for name in names}
    targets = [point.target for spec in SPECS if spec.name in wanted for point in spec.endpoints]
    return {target.partition(":")[0].partition(".")[0] for target in targets}


def workload(name: str) -> Workload:
    """The workload of a name; one without a client's is among :data:`WORKLOADS`."""
    if ":" not in name:
        return WORKLOADS[name]
    client, _, rest = name.partition(":")
    if client in engines.KNOWN:
        return engines.workload(client, rest)
    asynchronous = rest.endswith(ASYNC)
    path, _, kind = rest.removesuffix(ASYNC).partition(" ")
    found = payload(client)
    case = next(case for case in found.cases if case.path == path)
    chunks = CHUNKS.get(kind)
    return Workload(lambda: _run(found, case, chunks, asynchronous), *((2, 5) if chunks else (5, 6)))


@functools.cache
def _serving() -> str:
    server = ModelServer().start()
    atexit.register(server.stop)
    return server.base_url


def _run(found: Payload, case: Case, chunks: int | None, asynchronous: bool) -> Run:
    in_place.everywhere()
    client = found.make(_serving() if found.client in SOCKETS else in_place.URL, asynchronous)
    if chunks is None:
        call = lambda: case.call(client, found.model)  # noqa: E731
    else:
        model = f"{found.model}+chunks-{chunks}"
        extra: Mapping[str, Any] = found.usage_in_stream if case is found.cases[0] else {}
        call = lambda: case.stream(client, model, **extra)  # noqa: E731
    return _asynchronous(call, chunks) if asynchronous else _synchronous(call, chunks)


def _synchronous(call: Callable[[], Any], chunks: int | None) -> Run:
    def run(calls: int) -> None:
        for _ in range(calls):
            result = call()
            if chunks is not None:
                seen = sum(1 for _ in result)
                assert seen >= chunks, seen

    return run


def _asynchronous(call: Callable[[], Any], chunks: int | None) -> Run:
    loop = event_loop()

    async def repeat(calls: int) -> None:
        for _ in range(calls):
            result = call()
            if inspect.isawaitable(result):
                result = await result
            if chunks is not None:
                seen = 0
                async for _chunk in result:
                    seen += 1
                assert seen >= chunks, seen
            for _ in range(SETTLED):
                await asyncio.sleep(0)

    return lambda calls: loop.run_until_complete(repeat(calls))
