"""Switched off is off: no thread, no port, no patch, and calls that nobody touches."""

from __future__ import annotations

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

NONE = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}

SCRIPT = """
import atexit, logging, signal, sys, threading
import openai, psutil
before = openai.resources.chat.completions.Completions.create
handlers, callers = signal.getsignal(signal.SIGTERM), logging.Logger.callHandlers
connect = sys.meta_path[:]

import genai_otel
handle = genai_otel.setup()

assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
assert psutil.Process().net_connections() == []
assert openai.resources.chat.completions.Completions.create is before
assert signal.getsignal(signal.SIGTERM) is handlers
assert logging.Logger.callHandlers is callers
assert (handle.tracer_provider, handle.meter_provider, handle.logger_provider) == (None, None, None)
assert handle.exporters == []
for heavy in ("requests", "grpc", "prometheus_client", "wrapt"):
    assert heavy not in sys.modules or heavy == "wrapt", heavy
from genai_otel.testing import ModelServer
with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
    assert client.chat.completions.create(model="m", messages=[]).choices
    assert len(list(client.chat.completions.create(model="m", messages=[], stream=True))) > 2
    assert not any("trace" in name.lower() for request in server.requests for name in request.headers)
logging.warning("said")
assert handle.flush(1) and handle.shutdown(1) and genai_otel.setup() is handle
"""


@pytest.mark.parametrize(
    "settings",
    [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_SDK_DISABLED": " TRUE ", "GENAI_OTEL_CONSOLE": "on"}, NONE],
    ids=["disabled", "disabled, console on", "no exporters"],
)
def test_nothing_happens(settings: dict[str, str]) -> None:
    with HttpSink() as sink:
        done = run(SCRIPT, env={**sink.environment(), **settings}).ok()
        assert sink.attempts == 0
    assert done.err == "WARNING:root:said\n"
    assert done.out == ""


def test_one_signal_alone() -> None:
    script = """
    import logging, threading
    import genai_otel
    handle = genai_otel.setup()
    from tests.harness.spans import model_span
    model_span()
    logging.getLogger("app").warning("said")
    """
    for signal in ("TRACES", "METRICS", "LOGS"):
        others = {name: "none" for name in NONE if signal not in name}
        with HttpSink() as sink:
            run(script, env={**sink.environment(), **others}).ok()
            found = (bool(sink.spans()), bool(sink.points()), bool(sink.logs()))
            assert found == (signal == "TRACES", signal == "METRICS", signal == "LOGS")
            if signal == "METRICS":
                assert sink.metrics() >= {"gen_ai.client.operation.duration"}


def test_a_client_that_is_left_alone_and_a_context_that_is_suppressed() -> None:
    script = """
    import genai_otel, openai
    genai_otel.setup()
    from genai_otel.testing import ModelServer
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        with suppress_instrumentation():
            assert client.chat.completions.create(model="suppressed", messages=[]).choices
            assert len(list(client.chat.completions.create(model="suppressed", messages=[], stream=True))) > 2
        client.chat.completions.create(model="seen", messages=[])
    """
    with HttpSink() as sink:
        run(script, env=sink.environment()).ok()
        assert [span.name for span in sink.spans() if span.name.startswith("chat")] == ["chat seen"]
        assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
    with HttpSink() as sink:
        run(script, env={**sink.environment(), "GENAI_OTEL_CLIENTS_OFF": "openai"}).ok()
        assert not [span for span in sink.spans() if span.name.startswith("chat")]
        assert sink.points("gen_ai.client.operation.duration") == []
