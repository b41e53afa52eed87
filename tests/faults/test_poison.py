"""Nothing that a program or a model sends breaks a call, a scrape or an export."""

from __future__ import annotations

import pytest

from tests.harness.evil import EVIL
from tests.harness.process import Process, run
from tests.harness.scrape import scraped
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

SCRIPT = """
import sys, time
import genai_otel, openai
handle = genai_otel.setup()
from genai_otel import fence
from genai_otel.testing import ModelServer
from opentelemetry import baggage, trace
from tests.harness.evil import EVIL, Impatient
from tests.harness.spans import model_span

def ask(**arguments):
    try:
        client.chat.completions.create(**{"model": "m", "messages": [], **arguments})
    except (KeyboardInterrupt, Exception) as error:  # the client's own opinion of it
        return type(error).__name__

with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
    start = time.perf_counter()
    # From the model.
    for directive in ("huge-usage", "surrogate", "null-usage", "null-model", "null-choices", "no-usage",
                      "unknown-fields", "malformed", "html", "empty", "error-500", "error-429", "reset"):
        assert ask(model=f"m+{directive}") in (None, "JSONDecodeError", "APIConnectionError", "InternalServerError",
            "RateLimitError", "APIResponseValidationError", "APIStatusError", "AttributeError"), directive
        try:
            list(client.chat.completions.create(model=f"s+{directive}", messages=[], stream=True))
        except Exception:
            pass
    # From the program, where a client passes it on as it is.
    many = [{"role": "user", "content": f"message {number} " + "x" * 500} for number in range(400)]
    assert ask(messages=many) is None
    assert ask(messages=[{"role": "user", "content": "half \\ud83d"}]) in (None, "UnicodeEncodeError")
    assert ask(temperature=float("nan")) in (None, "ValueError")
    assert ask(seed=2**70) is None
    for name, make in EVIL.items():
        if name not in ("deep", "wide", "huge text"):  # these take the client itself seconds
            for argument in ("messages", "model", "user", "tools", "temperature"):
                ask(**{argument: make()})
    ask(user=Impatient())
    # From another library's spans.
    for name, make in EVIL.items():
        if name in ("raises", "sleeps", "raising property", "file", "once", "generator", "not json", "type"):
            continue  # the SDK's own set_attribute calls str() of these
        try:
            model_span(gen_ai__usage__output_tokens=make(), gen_ai__response__model=make(), app__value=make())
        except Exception as error:
            print("SDK", name, type(error).__name__)
    took = time.perf_counter() - start
model_span("chat last")
assert fence.errors() == {}, fence.errors()
assert genai_otel.flush(20), fence.drops()
assert not fence.drops(), fence.drops()
print("took", took)
print("flushed", handle.exporters, flush=True)
time.sleep(30)
"""


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_AND_EVENT"])
def test_calls_exports_and_scrapes_go_on(content: str) -> None:
    settings = {
        "OTEL_METRICS_EXPORTER": "otlp,prometheus",
        "OTEL_EXPORTER_PROMETHEUS_PORT": "0",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": content,
    }
    with HttpSink() as sink, Process.script(SCRIPT, env={**sink.environment(), **settings}) as process:
        line = process.wait_for("Prometheus on localhost:", timeout=90)
        families = scraped(int(line.split("Prometheus on localhost:")[1].split("'")[0]))
        counts = [
            sample.value
            for sample in families["gen_ai_client_operation_duration_seconds"]
            if sample.name.endswith("_count")
        ]
        measured = [span for span in sink.spans() if span.attributes.get("genai_otel.measured")]
        assert sum(counts) == len(measured) > 80
        assert sum(point.count for point in sink.latest("gen_ai.client.operation.duration")) == len(measured)
        assert "chat last" in [span.name for span in sink.spans()]
        tokens = sum(point.sum for point in sink.latest("gen_ai.client.token.usage"))
        assert 0 < tokens < 2**40
        assert "Traceback" not in process.err


def test_log_records_of_every_kind() -> None:
    script = """
    import logging
    import genai_otel
    genai_otel.setup()
    from tests.harness.evil import EVIL
    log = logging.getLogger("app")
    log.addHandler(logging.NullHandler())
    log.warning("%d of them", "x")  # does not fit
    log.warning("half \\ud83d")
    for name, make in EVIL.items():
        if name not in ("sleeps", "wide", "huge text", "huger int"):
            log.warning("evil", extra={"value": make()})
    try:
        raise ValueError("half \\ud83d", 2**70)
    except ValueError:
        log.exception("failed")
    log.warning("last")
    from genai_otel import fence
    assert genai_otel.flush(10), fence.drops()
    assert fence.drops() == {}, fence.drops()
    """
    with HttpSink() as sink:
        run(script, env=sink.environment()).ok()
        bodies = [log.body for log in sink.logs()]
        assert bodies.count("evil") == len(EVIL) - 4
        assert bodies[-1] == "last"
        assert bodies[0] == "%d of them"
