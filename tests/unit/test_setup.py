"""setup(): once per process whoever calls it, one clear error for what cannot be, nothing imported that need not be."""

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

# No back end and no console: nothing to wait for at the end.
QUIET = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


def test_from_many_threads_and_again_it_is_one_set_up() -> None:
    script = """
    import sys, threading
    import genai_otel, openai
    from genai_otel.testing import ModelServer
    from opentelemetry import trace, metrics

    handles, barrier = [], threading.Barrier(8)

    def run():
        barrier.wait()
        handles.append(genai_otel.setup(service_name="mine"))

    threads = [threading.Thread(target=run) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(set(map(id, handles))) == 1
    providers = trace.get_tracer_provider(), metrics.get_meter_provider()
    names = sorted(thread.name for thread in threading.enumerate())

    assert genai_otel.setup(service_name="mine") is handles[0]  # the same again, as a notebook does: no word
    assert genai_otel.setup() is handles[0]
    print("quiet", file=sys.stderr, flush=True)
    for _ in range(2):
        assert genai_otel.setup(service_name="other", max_series=50) is handles[0]
    assert genai_otel.setup(console="off") is handles[0]

    assert providers == (trace.get_tracer_provider(), metrics.get_meter_provider())
    assert names == sorted(thread.name for thread in threading.enumerate())
    with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        client.chat.completions.create(model="gpt-4o", messages=[])
    """
    with HttpSink() as sink:
        done = run(script, env=sink.environment()).ok()
        (span,) = [span for span in sink.spans() if "gen_ai.operation.name" in span.attributes]
        assert span.resource["service.name"] == "mine"
        assert span.resource["telemetry.distro.name"] == "genai-otel"
        assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [1]
    before, _, after = done.err.partition("quiet\n")
    assert before == ""
    first, second = after.splitlines()
    assert "ignored: max_series, service_name." in first
    assert "ignored: console." in second


def test_what_cannot_be_is_one_error_and_set_up_works_afterwards() -> None:
    script = """
    import genai_otel
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    class Lies:
        def __getattr__(self, name): raise RuntimeError
        def __repr__(self): raise RuntimeError

    WRONG = [
        ("endpoint", 4318), ("endpoint", "localhost"), ("service_name", b"x"), ("resource_attributes", "a=b"),
        ("sampler", "always_on"), ("sampler", type(ALWAYS_OFF)), ("tracer_provider", object()),
        ("meter_provider", "global"), ("logger_provider", 1), ("span_exporters", object()),
        ("span_exporters", ["otlp"]), ("metric_readers", [1]), ("log_exporters", "otlp"),
    ]
    for name, value in WRONG:
        try:
            genai_otel.setup(**{name: value})
        except genai_otel.SettingError as error:
            assert str(error).startswith(f"setup({name}=…) is "), error
            assert "; allowed is a" in str(error), error
        else:
            raise AssertionError(name)
    try:
        genai_otel.setup(sampler=3, consoel=1, max_series="x")
    except ValueError as error:
        assert all(word in str(error) for word in ("sampler", "consoel", "max_series", "service_name")), error
        assert error.__cause__ is None and error.__suppress_context__ or error.__context__ is None
    handle = genai_otel.setup(service_name="mine")
    assert handle.problems == []
    """
    done = run(script, env=QUIET).ok()
    assert done.err == ""


def test_the_launcher_warns_once_and_goes_on() -> None:
    script = """
    from genai_otel.runtime import setup_from_launcher
    handle = setup_from_launcher()
    assert setup_from_launcher() is handle
    assert handle.config.max_series == 2000
    assert handle.tracer_provider.sampler.get_description().count("AlwaysOn")
    (ours, theirs, name) = handle.problems
    """
    wrong = {
        "GENAI_OTEL_MAX_SERIES": "lots",
        "OTEL_BSP_SCHEDULE_DELAY": "soon",
        "OTEL_TRACES_EXPORTER": "carrier-pigeon",
    }
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), **wrong}).ok()
        assert sink.metrics() >= {"genai_otel.info"}
    ours, theirs, name = done.err.splitlines()
    assert "GENAI_OTEL_MAX_SERIES is 'lots'; allowed is a whole number from 10 to 1e+06" in ours
    assert "OTEL_BSP_SCHEDULE_DELAY is 'soon'; allowed is a whole number from 1" in theirs
    assert "'carrier-pigeon', which is not installed; allowed are otlp, console, none" in name


def test_no_client_library_and_nothing_heavy_is_imported() -> None:
    script = """
    import sys
    import genai_otel
    HEAVY = {"openai", "httpx", "httpx2", "pydantic", "grpc", "fastapi", "starlette", "uvicorn", "wrapt", "jinja2",
             "prometheus_client", "multiprocessing.util", "asyncio", "IPython", "gevent"}
    early = sys.modules.keys() & HEAVY
    assert not early, early
    genai_otel.setup()
    found = sys.modules.keys() & HEAVY
    assert not found, found
    """
    run(script, env={**QUIET, "OTEL_METRICS_EXPORTER": "console", "GENAI_OTEL_EXIT_TIMEOUT": "0"}).ok()
    with HttpSink() as sink:
        run(script.replace('"asyncio", ', ""), env=sink.environment()).ok()  # requests imports what it likes
