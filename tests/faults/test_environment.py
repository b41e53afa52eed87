"""The standard variables, each seen in what a back end receives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.distribution import distribution
from tests.harness.process import ROOT, run
from tests.harness.sink import GrpcSink, HttpSink

pytestmark = pytest.mark.process

CALLS = """
import logging, sys
import genai_otel
handle = genai_otel.setup()
from opentelemetry import metrics, trace
from tests.harness.spans import model_span
for number in range(20):
    model_span(f"chat {number}")
logging.getLogger("app").warning("said")
"""


@pytest.mark.seed_rows("000-11", "001-14", "001-15", "001-56", "003-22")
def test_an_endpoint_headers_and_compression_per_signal_and_who_we_are() -> None:
    script = "import logging; logging.basicConfig(level=logging.DEBUG)" + CALLS
    with HttpSink() as traces, HttpSink() as metrics, HttpSink() as rest:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": rest.endpoint,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{traces.endpoint}/elsewhere/traces",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{metrics.endpoint}/v1/metrics",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20s3cret,x-team=blue",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x-api-key=other-s3cret",
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=ignored,deployment.environment.name=test,a=b%20c",
            "OTEL_LOG_LEVEL": "debug",
        }
        done = run(script, env=settings).ok()
        assert len(traces.spans()) == 20
        assert b"/elsewhere/traces" in traces.everything()
        assert metrics.metrics() >= {"gen_ai.client.operation.duration", "genai_otel.info"}
        assert "said" in [log.body for log in rest.logs()]
        assert (traces.points(), traces.logs(), metrics.spans(), rest.spans()) == ([], [], [], [])

        assert b"Bearer s3cret" in traces.everything()
        assert b"other-s3cret" in metrics.everything()
        assert b"Bearer" not in metrics.everything()
        assert b"gzip" in rest.everything()
        assert "s3cret" not in done.err + done.out

        for resource in (traces.spans()[0].resource, metrics.points()[0].resource, rest.logs()[0].resource):
            assert resource["service.name"] == "shop"
            assert resource["deployment.environment.name"] == "test"
            assert resource["a"] == "b c"
            assert resource["telemetry.distro.name"] == "genai-otel"
            assert resource["telemetry.distro.version"]
            assert resource["telemetry.sdk.name"] == "opentelemetry"
            assert "process.command_args" not in resource


def test_grpc_for_one_signal_with_headers_and_without_compression() -> None:
    with GrpcSink() as grpc, HttpSink() as http:
        settings = {
            **http.environment(),
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": grpc.endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-team=blue",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        }
        run(CALLS, env=settings).ok()
        assert len(grpc.spans()) == 20
        assert b"blue" in grpc.everything()
        assert (grpc.points(), http.spans()) == ([], [])
        assert http.points()


def test_delays_temporality_limits_and_the_exemplar_filter() -> None:
    script = """
    import time
    import genai_otel
    genai_otel.setup()
    from opentelemetry import trace
    from tests.harness.spans import model_span
    for number in range(2):
        model_span("chat", app__text="x" * 50)
        time.sleep(1)
    with trace.get_tracer("app").start_as_current_span("other") as span:
        for number in range(20):
            span.set_attribute(f"a{number}", number)
            span.add_event("e")
    genai_otel.flush(5)
    import os; os._exit(0)  # what arrived came by the intervals
    """
    settings = {
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
        "OTEL_METRICS_EXEMPLAR_FILTER": "always_off",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "12",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10",
        "OTEL_SPAN_EVENT_COUNT_LIMIT": "5",
    }
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **settings}).ok()
        assert len(sink.bodies("traces")) == 3
        calls = sink.points("gen_ai.client.operation.duration")
        assert [point.count for point in calls] == [1, 1]
        assert not any(point.cumulative for point in calls)
        assert calls[0].time <= calls[1].start + 1  # one follows the other without a gap
        assert all(point.exemplars == () for point in sink.points())
        first, second, other = sink.spans()
        assert first.attributes["app.text"] == second.attributes["app.text"] == "x" * 10
        assert (len(other.attributes), other.dropped_attributes, len(other.events)) == (12, 8, 5)


@pytest.mark.seed_rows("000-06")
@pytest.mark.parametrize("filter_", ["trace_based", "always_on", ""])
def test_exemplars_point_to_exported_traces_or_to_all(filter_: str) -> None:
    settings = {
        "OTEL_METRICS_EXEMPLAR_FILTER": filter_,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0" if filter_ == "always_on" else "0.5",
    }
    with HttpSink() as sink:
        run(CALLS.replace("range(20)", "range(60)"), env={**sink.environment(), **settings}).ok()
        (point,) = sink.points("gen_ai.client.operation.duration")
        assert point.count == 60  # exact at any ratio
        assert point.exemplars
        exported = {span.trace_id for span in sink.spans()}
        if filter_ == "always_on":
            assert exported == set()
        else:
            assert 0 < len(exported) < 60
            assert set(point.exemplars) <= exported


def test_samplers_exporters_and_ids_of_other_packages(tmp_path: Path) -> None:
    module = """
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult

    class ByName(Sampler):
        def __init__(self, word):
            self.word = word
        def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, *others, **more):
            if self.word in name:
                return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
            return SamplingResult(Decision.DROP)
        def get_description(self):
            return "ByName"

    class Prints(SpanExporter):
        def export(self, spans):
            print("SPANS", *[f"{span.name}={span.context.span_id:x}" for span in spans])
            return SpanExportResult.SUCCESS

    class Ids(IdGenerator):
        last = 0
        def generate_span_id(self):
            Ids.last += 1
            return 0xabc000 + Ids.last
        generate_trace_id = generate_span_id

    def broken(argument):
        raise OSError("no connection to the sampling service")
    """
    groups = {
        "opentelemetry_traces_sampler:by_name": "their:ByName",
        "opentelemetry_traces_sampler:broken": "their:broken",
        "opentelemetry_traces_exporter:prints": "their:Prints",
        "opentelemetry_id_generator:counted": "their:Ids",
    }
    distribution(tmp_path, "their", modules={"their": module}, entry_points=groups)
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{tmp_path}", "OTEL_TRACES_EXPORTER": "prints, otlp"}
    chosen = {
        "OTEL_TRACES_SAMPLER": "by_name",
        "OTEL_TRACES_SAMPLER_ARG": "7",
        "OTEL_PYTHON_ID_GENERATOR": "counted",
    }
    with HttpSink() as sink:
        done = run(CALLS, env={**sink.environment(), **env, **chosen}).ok()
        assert sorted(span.name for span in sink.spans()) == ["chat 17", "chat 7"]
        assert all(span.span_id.startswith("0000000000abc0") for span in sink.spans())
        assert done.out.startswith("SPANS chat 7=abc0")
        assert [point.count for point in sink.points("gen_ai.client.operation.duration")] == [20]
    with HttpSink() as sink:
        done = run(CALLS, env={**sink.environment(), **env, "OTEL_TRACES_SAMPLER": "broken"}).ok()
        assert len(sink.spans()) == 20
        assert "OTEL_TRACES_SAMPLER is 'broken', which fails with OSError: no connection" in done.err


def test_names_that_nobody_has_are_said_once_each_and_the_rest_works() -> None:
    settings = {
        "OTEL_TRACES_SAMPLER": "nobody",
        "OTEL_PYTHON_ID_GENERATOR": "nobody",
        "OTEL_LOGS_EXPORTER": "nobody,otlp",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "smoke-signals",
        "OTEL_METRICS_EXPORTER": "otlp,carrier",
        "OTEL_BLRP_MAX_QUEUE_SIZE": "none",
        "OTEL_SPAN_LINK_COUNT_LIMIT": "many",
        "OTEL_EXPORTER_OTLP_HEADERS": "Bearer s3cret",
    }
    with HttpSink() as sink:
        done = run(CALLS, env={**sink.environment(), **settings}).ok()
        assert len(sink.spans()) == 20
        assert sink.metrics() >= {"gen_ai.client.operation.duration"}
        assert [log.body for log in sink.logs()] == ["said"]
    lines = [line for line in done.err.splitlines() if line != "said"]
    assert len(lines) == len(settings), lines
    for name in settings:
        (line,) = (line for line in lines if line.startswith(f"genai-otel: {name} "))
        assert "allowed" in line
    assert "s3cret" not in done.err


def test_a_program_that_limits_its_queue_below_the_sdks_batch() -> None:
    with HttpSink() as sink:
        done = run(CALLS, env={**sink.environment(), "OTEL_BSP_MAX_QUEUE_SIZE": "30"}).ok()
        assert len(sink.spans()) == 20
    assert done.err == "said\n"


@pytest.mark.seed_rows("000-12")
def test_console_exporters_and_the_view_that_is_there_by_itself() -> None:
    view = run(CALLS).ok()
    assert view.out == ""  # a program's output is its own
    assert view.err.count("chat 7") == 1
    standard = {f"OTEL_{signal}_EXPORTER": "console" for signal in ("TRACES", "METRICS", "LOGS")}
    console = run(CALLS, env=standard).ok()  # the standard exporter writes where the standard says
    assert '"name": "chat 7"' in console.out
    assert "gen_ai.client.operation.duration" in console.out
    assert '"body": "said"' in console.out
    assert "chat 7" not in console.err


CONFIGURED = """
file_format: "1.0"
resource:
  attributes:
    - {name: service.name, value: by-file}
tracer_provider:
  processors:
    - simple:
        exporter:
          otlp_http: {endpoint: "ENDPOINT/v1/traces"}
"""


STAND_IN = """
# As the package that reads the file: it sets the global providers.
def load_config_file(path):
    return open(path).read().split("endpoint: ")[1].split('"')[1]

def configure_sdk(endpoint):
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    provider = TracerProvider(resource=Resource.create({"service.name": "by-file"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint)))
    trace.set_tracer_provider(provider)
"""


@pytest.mark.parametrize("package", [pytest.param("the project's", marks=pytest.mark.rivals), "a stand-in"])
def test_a_configuration_file_says_what_the_providers_are(package: str, tmp_path: Path) -> None:
    script = CALLS + "assert handle.exporters == []"
    if package == "a stand-in":
        (tmp_path / "stand_in.py").write_text(STAND_IN)
        script = "import sys, stand_in; sys.modules['opentelemetry.configuration'] = stand_in\n" + script
    with HttpSink() as sink:
        (tmp_path / "otel.yaml").write_text(CONFIGURED.replace("ENDPOINT", sink.endpoint))
        env = {
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{tmp_path}",
            "OTEL_CONFIG_FILE": str(tmp_path / "otel.yaml"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        }
        done = run(script, env=env).ok()
        assert len(sink.spans()) == 20
        assert sink.spans()[0].resource["service.name"] == "by-file"
        assert done.err == "said\n"


@pytest.mark.parametrize(
    ("package", "told"),
    [
        (None, "the package that reads it is not installed"),
        (
            "def load_config_file(path): raise ValueError('line 3')\nconfigure_sdk = print",
            "ValueError: line 3",
        ),
    ],
    ids=["without the package", "a bad file"],
)
def test_a_configuration_file_that_cannot_be_used_is_said_and_the_variables_hold(
    package: str | None, told: str, tmp_path: Path
) -> None:
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{tmp_path}", "OTEL_CONFIG_FILE": "otel.yaml"}
    hide = "import sys; sys.modules['opentelemetry.configuration'] = None\n" if package is None else ""
    if package is not None:
        (tmp_path / "stand_in.py").write_text(package)
        hide = "import sys, stand_in; sys.modules['opentelemetry.configuration'] = stand_in\n"
    with HttpSink() as sink:
        done = run(hide + CALLS, env={**sink.environment(), **env}).ok()
        assert len(sink.spans()) == 20
    (line,) = (line for line in done.err.splitlines() if "genai-otel" in line)
    assert "OTEL_CONFIG_FILE is 'otel.yaml'" in line
    assert told in line
