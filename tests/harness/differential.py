"""The same calls with and without genai-otel: what the program sees and what the server gets must be equal.

A script holds one function per row, `def plain_chat(client): ...` (or `async def`), each given a client made by
its `make_client(base_url)`. It runs in two processes, the second of which executes `setup` first.

    rows = compare(server, script, setup="import genai_otel; genai_otel.setup()")
    for name, (bare, traced) in rows.items():
        assert traced == bare, name

The calls go to a vendor's host (`host`), because what may be sent to loopback and private addresses is another
matter; the model server is their HTTP proxy, so nothing leaves the machine and no name is looked up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genai_otel.testing import ModelServer, Request
from tests.harness.process import run

# What a server makes up anew for each answer, and so differs between two runs of anything.
_VOLATILE = re.compile(
    r"\bresp_bGl0ZWxsb[\w=]+|\b[0-9a-f]{32}\b|"  # litellm has one in one of its own
    r"\b(chatcmpl|cmpl|resp|msg|msgbatch|toolu|call|fc|rs|req|modr|audio|cmp|batch|video|file|conv|job)"
    r"[-_][0-9a-f]{4,}(?:-[0-9a-f]{4,})*"
)
_CLOCK = re.compile(r"""(created(?:_at)?|expires_at)(\\*['"]?(?:[=:] ?|, \["builtins", "int", "))\d{9,}""")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_BOUNDARY = re.compile(rb"boundary=[0-9a-f]+|--[0-9a-f]{16,}|(?<=Signature=)[0-9a-f]{64}")
_OF_THE_MOMENT = frozenset({"amz-sdk-invocation-id", "x-amz-date"})


@dataclass(frozen=True)
class Sent:
    """A request as the server got it; headers in order and case, without the random multipart boundary."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """`result` describes what the row returned, `error` what it raised: type, text, cause, end of the traceback."""

    result: object
    error: object
    sent: tuple[Sent, ...]


_DRIVER = """
import asyncio, inspect, json, linecache, sys, traceback

OTHERS = ("/genai_otel/", "/wrapt/", "/opentelemetry/")

def describe(value):
    if hasattr(value, "model_dump"):
        return [type(value).__module__, type(value).__qualname__, repr(value.model_dump(mode="python"))]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [describe(element) for element in value]]
    if isinstance(value, dict):
        return ["dict", [[key, describe(element)] for key, element in value.items()]]
    return [type(value).__module__, type(value).__qualname__, repr(value)]


def foreign(frame):
    return frame.filename == __file__ or any(part in frame.filename for part in OTHERS)


def complain(error):
    frames = [[frame.filename, frame.name, frame.line] for frame in traceback.extract_tb(error.__traceback__)
              if not foreign(frame)]
    cause = error.__cause__ and complain(error.__cause__)
    context = error.__context__ and type(error.__context__).__qualname__
    attributes = sorted(vars(error)) if hasattr(error, "__dict__") else []
    return {"type": type(error).__qualname__, "args": repr(error.args), "attributes": attributes,
            "frames": frames, "cause": cause, "context": context}


def perform(row, client):
    try:
        if inspect.iscoroutinefunction(row):
            return {"result": describe(asyncio.run(row(client))), "error": None}
        return {"result": describe(row(client)), "error": None}
    except Exception as error:
        return {"result": None, "error": complain(error)}


def main(url, names, setup, source):
    scope = {"__name__": "rows"}
    # Tracebacks show the lines of the rows.
    linecache.cache["rows.py"] = (len(source), None, source.splitlines(True), "rows.py")
    exec(setup, {})
    exec(compile(source, "rows.py", "exec"), scope)
    for name in json.loads(names):
        row = scope[name]
        make = scope["make_async_client"] if inspect.iscoroutinefunction(row) else scope["make_client"]
        outcome = perform(row, make(f"{url}/{name}/v1"))
        print("ROW", json.dumps([name, outcome]), flush=True)


main(*sys.argv[1:])
"""


def compare(
    server: ModelServer,
    script: str,
    *,
    setup: str,
    host: str = "api.openai.com",
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> dict[str, tuple[Outcome, Outcome]]:
    """Name of the row to its outcome without and with `setup`. AssertionError when a process does not end well."""
    names = re.findall(r"^(?:async )?def (\w+)\(client\)", script, re.MULTILINE)
    assert names, "the script has no row: def name(client)"
    proxied = {
        "HTTP_PROXY": server.url,
        "http_proxy": server.url,
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONHASHSEED": "0",  # some clients send what they iterate over a set
        **(env or {}),
    }
    bare, traced = (
        _perform(server, [f"http://{host}", json.dumps(names), code, script], env=proxied, timeout=timeout)
        for code in ("", setup)
    )
    return {name: (bare[name], traced[name]) for name in names}


def _perform(
    server: ModelServer, arguments: list[str], *, env: Mapping[str, str], timeout: float
) -> dict[str, Outcome]:
    server.clear()
    done = run(_DRIVER, arguments=arguments, env=env, timeout=timeout).ok()
    said = [json.loads(line[4:]) for line in done.out.splitlines() if line.startswith("ROW ")]
    return {name: _outcome(outcome, _sent(server, name)) for name, outcome in said}


def _outcome(said: dict[str, Any], sent: tuple[Sent, ...]) -> Outcome:
    return Outcome(_steady(said["result"]), _steady(said["error"]), sent)


def _steady(value: object) -> object:
    """Without ids, clock times and places in memory."""
    text = _ADDRESS.sub("", _VOLATILE.sub(r"\1-ID", json.dumps(value)))
    return json.loads(_CLOCK.sub(r"\1\g<2>0", text))


def _sent(server: ModelServer, name: str) -> tuple[Sent, ...]:
    return tuple(_plain(request) for request in server.requests if _is_of(name, request))


def _is_of(row: str, request: Request) -> bool:
    """Whether a row made a request: its name stands in the path, or in a header where the client has no paths."""
    return request.route.startswith(f"/{row}/") or request.headers.get("x-row") == row


def _plain(request: Request) -> Sent:
    headers = tuple(
        (key, _BOUNDARY.sub(b"boundary", value.encode()).decode())
        for key, value in request.headers.items()
        if key.lower() not in _OF_THE_MOMENT
    )
    return Sent(request.method, request.path, headers, _BOUNDARY.sub(b"boundary", request.body))
