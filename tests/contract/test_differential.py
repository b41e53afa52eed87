"""With and without us: the same bytes and headers on the wire, the same results, the same exceptions.

Every case of every client runs in two processes against a vendor's host name, with the HTTP instrumentations on in
the second one.  Rows are written once; ``~`` stands for what only their async form has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from genai_otel.testing import ModelServer
from tests.contract.choice import PAYLOADS
from tests.contract.payload import CANARY, Case, Payload
from tests.harness.differential import Outcome, compare
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

_HEAD = """
import asyncio
from contextlib import aclosing, closing
from tests.contract.payloads.{client} import PAYLOAD

CASES = {{case.path: case for case in PAYLOAD.cases}}
MODEL = PAYLOAD.model


def make_client(url):
    return PAYLOAD.make(url, False, max_retries=1)


def make_async_client(url):
    return PAYLOAD.make(url, True, max_retries=1)


def entered(stream):
    if hasattr(stream, "__enter__") or hasattr(stream, "__aenter__"):
        return stream
    if not hasattr(stream, "__aiter__"):
        return closing(stream)
    return aclosing(stream if hasattr(stream, "aclose") else Closes(stream))


class Closes:
    # Of a stream that is asynchronous, and is closed at once.

    def __init__(self, stream):
        self.stream = stream

    def __aiter__(self):
        return self.stream.__aiter__()

    async def aclose(self):
        self.stream.close()


async def ready(stream):
    return stream


def opened(stream):
    return ready(stream) if hasattr(stream, "asend") else stream


def closed(stream):
    if hasattr(stream, "aclose"):
        return stream.aclose()
    done = stream.close()
    return asyncio.sleep(0) if done is None and hasattr(stream, "__aiter__") else done
"""

_ALL = {
    "plain": "return ~await CASE.call(client, MODEL)",
    "retried": "return ~await CASE.call(client, MODEL + '+fail-1')",
    "refused": "return ~await CASE.call(client, MODEL + '+error-401')",
    "failing": "return ~await CASE.call(client, MODEL + '+error-500')",
    "wrong": "return ~await CASE.call(client, MODEL, no_such_argument=1)",
    "odd": """
        seen = []
        for odd in ("null-fields", "unknown-fields", "no-choices+no-output", "html", "empty", "malformed"):
            try:
                seen.append(~await CASE.call(client, MODEL + "+" + odd))
            except Exception as error:
                seen.append([type(error).__qualname__, str(error), type(error.__cause__).__qualname__])
        return seen
    """,
}
_STREAMED = {
    "stream": "return [one ~async for one in ~await opened(CASE.stream(client, MODEL))]",
    "cut": "return [one ~async for one in ~await opened(CASE.stream(client, MODEL + '+cut-after-2'))]",
    "broken": "return [one ~async for one in ~await opened(CASE.stream(client, MODEL + '+midstream-error'))]",
    "unknown": "return [one ~async for one in ~await opened(CASE.stream(client, MODEL + '+unknown-events'))]",
    "body": """
        ~async with entered(~await opened(CASE.stream(client, MODEL))) as stream:
            ~async for one in stream:
                raise KeyError(type(one).__qualname__)
    """,
    "after": """
        stream = ~await opened(CASE.stream(client, MODEL + "+slow-chunk-50ms"))
        seen = [type(stream), dir(type(stream)), sorted(set(getattr(stream, "__dict__", ())) - set(dir(type(stream))))]
        ~async for one in stream:
            seen.append(one)
            break
        ~await closed(stream)
        try:
            seen.append([one ~async for one in stream])
        except Exception as error:
            seen.append(repr(error))
        return seen
    """,
}
_HELPED = {
    "helper": """
        ~async with CASE.help(client, MODEL) as stream:
            return [one ~async for one in stream]
    """,
    "helper_cut": """
        ~async with CASE.help(client, MODEL + "+cut-after-2") as stream:
            return [one ~async for one in stream]
    """,
    "helper_body": """
        ~async with CASE.help(client, MODEL) as stream:
            ~async for one in stream:
                raise KeyError(type(one).__qualname__)
    """,
}
_RAW = {
    "raw": """
        response = ~await CASE.call(client, MODEL, via="with_raw_response")
        return [type(response), response.headers["content-type"], len(response.content), response.parse()]
    """,
    "raw_html": """
        response = ~await CASE.call(client, MODEL + "+html", via="with_raw_response")
        return [response.text, response.parse()]
    """,
}
_UNREAD = {
    "unread": """
        ~async with CASE.call(client, MODEL, via="with_streaming_response") as response:
            seen = [type(response), response.headers["content-type"], ~await response.parse()]
        return [*seen, response.http_response.is_closed]
    """,
    "unread_lines": """
        ~async with CASE.call(client, MODEL, via="with_streaming_response") as response:
            return [len(line) ~async for line in response.iter_lines()]
    """,
    "unread_nothing": """
        ~async with CASE.call(client, MODEL, via="with_streaming_response") as response:
            pass
        ~await response.read()
    """,
}


_EVERYWHERE = {"plain", "refused", "odd", "stream", "cut", "helper", "raw", "unread"}
_ASYNC_TOO = {"plain", "refused", "stream", "helper", "raw"}


def rows_of(case: Case, *, whole: bool) -> Iterator[tuple[str, str]]:
    """The rows that a case can have; all of them, or those that differ from case to case."""
    rows = {**_ALL}
    if case.streamed is not None:
        rows |= _STREAMED
    if case.helper:
        rows |= _HELPED
    if "with_raw_response" in case.raw:
        rows |= _RAW
    if "with_streaming_response" in case.raw:
        rows |= _UNREAD
    return ((name, row) for name, row in rows.items() if whole or name in _EVERYWHERE)


def script(payload: Payload) -> str:
    """One function per case, form and flavour."""
    parts = [_HEAD.format(client=payload.client)]
    for case in payload.cases:
        for name, body in rows_of(case, whole=case is payload.cases[0]):
            text = body.strip("\n").replace("CASE", f"CASES[{case.path!r}]")
            indent = "" if body.startswith("\n") else "    "
            function = f"{case.path.replace('.', '_')}__{name}"
            for prefix, flavour in (("async ", "async"), ("", "sync")):
                if (flavour == "async") not in payload.forms:
                    continue
                if flavour == "async" and case is not payload.cases[0] and name not in _ASYNC_TOO:
                    continue  # async goes the same way; the first case shows it in full
                written = re.sub(r"~\w+ ", "", text) if flavour == "sync" else text.replace("~", "")
                lines = "\n".join(indent + line.removeprefix("    ") for line in written.splitlines())
                parts.append(f"\n{prefix}def {function}__{flavour}(client):\n{lines}\n")
    return "\n".join(parts)


Ran = tuple[Payload, dict[str, tuple[Outcome, Outcome]], HttpSink]


@pytest.fixture(scope="module", params=PAYLOADS, ids=lambda payload: payload.client)
def ran(request: pytest.FixtureRequest) -> Iterator[Ran]:
    with ModelServer() as server, HttpSink() as sink:
        env = {**sink.environment(), "OTEL_METRICS_EXPORTER": "none", "OTEL_SEMCONV_STABILITY_OPT_IN": "http"}
        setup = "import genai_otel; genai_otel.setup()"
        payload = request.param
        yield payload, compare(server, script(payload), setup=setup, host=payload.host, env=env), sink


def test_results_and_exceptions_are_the_same(ran: Ran) -> None:
    payload, rows, _ = ran
    assert len(rows) > 5 * len(payload.cases)
    for name, (bare, traced) in rows.items():
        assert traced.result == bare.result, name
        assert traced.error == bare.error, name
    failed = [name for name, (bare, _) in rows.items() if bare.error]
    assert len(rows) / 8 < len(failed) < len(rows) * 0.6  # the rows do what they are meant to do


def test_bytes_and_headers_are_the_same(ran: Ran) -> None:
    _, rows, _ = ran
    for name, (bare, traced) in rows.items():
        assert traced.sent == bare.sent, name
        sent = {header.lower() for request in traced.sent for header, _ in request.headers}
        assert not sent & {"traceparent", "tracestate", "baggage"}
    assert sum(len(bare.sent) for bare, _ in rows.values()) > len(rows)


def test_spans_of_calls_and_of_http_are_there_and_quote_nothing(ran: Ran) -> None:
    payload, rows, sink = ran
    spans = sink.spans()
    ours = {span.span_id: span for span in spans if span.scope == "genai_otel"}
    http = [span for span in spans if "http" in span.scope]
    assert {span.attributes.get("server.address") for span in ours.values()} == {payload.host}
    assert len(http) == sum(len(traced.sent) for _, traced in rows.values()) * payload.http_spans
    assert all(span.parent_id in ours for span in http)
    assert CANARY.encode() not in sink.everything()
    assert b"sk-test" not in sink.everything()
