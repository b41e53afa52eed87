"""`opentelemetry-instrument python app.py` gives what `setup()` gives: alone, with it, beside other distributions."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from genai_otel.testing import ModelServer
from tests.harness.distribution import distribution
from tests.harness.process import ROOT, Finished, run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

LAUNCHER = (str(Path(sys.executable).parent / "opentelemetry-instrument"), sys.executable)
HTTP = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
CHOICE = {"OTEL_PYTHON_DISTRO": "genai_otel", "OTEL_PYTHON_CONFIGURATOR": "genai_otel"}

CALL = """
import os
from openai import OpenAI
client = OpenAI(base_url=os.environ["MODEL_SERVER"], api_key="key")
answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
assert answer.choices[0].message.content
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as model_server:
        yield model_server


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as http_sink:
        yield http_sink


def launch(
    script: str,
    server: ModelServer,
    sink: HttpSink,
    *folders: Path,
    launcher: tuple[str, ...] = LAUNCHER,
    env: Mapping[str, str] | None = None,
) -> Finished:
    # What stands first on the path is found first.
    path = os.pathsep.join([*map(str, folders), str(ROOT / "src"), str(ROOT)])
    environment = {"PYTHONPATH": path, "MODEL_SERVER": server.base_url, **sink.environment(), **(env or {})}
    return run(script, env=environment, launcher=launcher).ok()


def other_distro(folder: Path) -> None:
    """A distribution like opentelemetry-distro: environment defaults, and the SDK's own configurator."""
    distribution(
        folder,
        "aaa-other-distro",
        modules={
            "other_distro": """
            import os
            from opentelemetry.instrumentation.distro import BaseDistro
            from opentelemetry.sdk._configuration import _OTelSDKConfigurator

            class Configurator(_OTelSDKConfigurator):
                pass

            class Distro(BaseDistro):
                def _configure(self, **kwargs):
                    for signal in ("TRACES", "METRICS", "LOGS"):
                        os.environ.setdefault(f"OTEL_{signal}_EXPORTER", "otlp")
            """
        },
        entry_points={
            "opentelemetry_distro:distro": "other_distro:Distro",
            "opentelemetry_configurator:configurator": "other_distro:Configurator",
        },
    )


def raising_instrumentor(folder: Path, when: str) -> None:
    """An instrumentor of a library that is always there, which raises when it is imported or used."""
    body = {"imported": "raise RuntimeError('theirs')", "used": "pass"}[when]
    distribution(
        folder,
        "aaa-broken-instrumentation",
        modules={
            "broken_instrumentation": f"""
            {body}
            from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

            class Instrumentor(BaseInstrumentor):
                def instrumentation_dependencies(self):
                    return ()
                def _instrument(self, **kwargs):
                    raise RuntimeError("theirs")
                def _uninstrument(self, **kwargs):
                    pass
            """
        },
        entry_points={"opentelemetry_instrumentor:aaa_broken": "broken_instrumentation:Instrumentor"},
    )


def shapes(sink: HttpSink) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """The spans without what differs between two runs."""
    return sorted((span.name, span.kind, span.scope, tuple(sorted(span.attributes))) for span in sink.spans())


def calls(sink: HttpSink) -> int:
    """How many calls the metrics counted."""
    return sum(point.count for point in sink.latest("gen_ai.client.operation.duration"))


def assert_one_call(sink: HttpSink) -> None:
    (span,) = [span for span in sink.spans() if "gen_ai.operation.name" in span.attributes]
    (child,) = [each for each in sink.spans() if each.parent_id == span.span_id]
    assert (span.name, child.name) == ("chat gpt-4o-mini", "POST")
    assert calls(sink) == 1


def test_the_launcher_gives_what_setup_gives(server: ModelServer) -> None:
    seen: list[object] = []
    for launcher, prologue in ((LAUNCHER, ""), ((sys.executable,), "import genai_otel; genai_otel.setup()")):
        with HttpSink() as sink:
            done = launch(prologue + CALL, server, sink, launcher=launcher)
            assert done.err == ""
            assert_one_call(sink)
            resource = {k: v for k, v in sink.spans()[0].resource.items() if k != "service.instance.id"}
            assert resource["telemetry.distro.name"] == "genai-otel"
            seen.append((shapes(sink), sorted(sink.metrics()), sorted(resource)))
    assert seen[0] == seen[1]


def test_with_both_there_is_one_of_everything(server: ModelServer, sink: HttpSink) -> None:
    script = """
import genai_otel, threading
before = threading.active_count()
handle = genai_otel.setup()
assert handle is genai_otel.setup()
assert threading.active_count() == before
from opentelemetry import trace
assert trace.get_tracer_provider() is handle.tracer_provider
"""
    assert launch(script + CALL, server, sink).err == ""
    assert_one_call(sink)


def test_what_the_program_does_not_use_is_not_imported(server: ModelServer, sink: HttpSink) -> None:
    script = """
import os, sys
print([name for name in ("openai", "httpx", "httpx2", "fastapi", "pydantic", "grpc") if name in sys.modules])
print(os.environ.get("OTEL_PYTHON_CONFIGURATOR"))
"""
    assert launch(script, server, sink).out.splitlines() == ["[]", "None"]


def test_with_another_distro_calls_are_traced_and_one_line_says_how_to_choose_ours(
    server: ModelServer, sink: HttpSink, tmp_path: Path
) -> None:
    other_distro(tmp_path)
    done = launch(CALL, server, sink, tmp_path)
    assert_one_call(sink)
    lines = [line for line in done.err.splitlines() if line.startswith("genai-otel:")]
    assert len(lines) == 1
    assert "OTEL_PYTHON_DISTRO=genai_otel" in lines[0]
    assert "OTEL_PYTHON_CONFIGURATOR=genai_otel" in lines[0]
    assert "already instrumented" not in done.err


@pytest.mark.parametrize(
    "choice",
    [CHOICE, {"OTEL_PYTHON_DISTRO": "genai_otel"}, {"OTEL_PYTHON_CONFIGURATOR": "genai_otel"}],
    ids=["both", "distro", "configurator"],
)
def test_the_variables_choose_ours(
    choice: dict[str, str], server: ModelServer, sink: HttpSink, tmp_path: Path
) -> None:
    other_distro(tmp_path)
    done = launch(CALL, server, sink, tmp_path, env=choice)
    assert_one_call(sink)
    assert sink.spans()[0].resource["telemetry.distro.name"] == "genai-otel"
    assert [line for line in done.err.splitlines() if line.startswith("genai-otel:")] == []
    assert "already instrumented" not in done.err


def test_the_distro_of_the_opentelemetry_project(server: ModelServer, sink: HttpSink, tmp_path: Path) -> None:
    version = importlib.metadata.version("opentelemetry-instrumentation")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path)]
    found = subprocess.run(
        [*install, f"opentelemetry-distro=={version}"], capture_output=True, text=True, check=False
    )
    if found.returncode != 0:
        pytest.skip(f"opentelemetry-distro cannot be installed here: {found.stderr.strip()[-200:]}")
    done = launch(CALL, server, sink, tmp_path, env=HTTP)
    assert_one_call(sink)
    assert sink.spans()[0].resource.get("telemetry.distro.name") != "genai-otel"
    assert "OTEL_PYTHON_DISTRO=genai_otel" in done.err
    sink.clear()
    launch(CALL, server, sink, tmp_path, env={**HTTP, **CHOICE})
    assert_one_call(sink)
    assert sink.spans()[0].resource["telemetry.distro.name"] == "genai-otel"


@pytest.mark.rivals
def test_other_instrumentors_of_the_client_are_not_started_by_our_distro(
    server: ModelServer, sink: HttpSink
) -> None:
    assert launch(CALL, server, sink).err == ""
    assert_one_call(sink)


@pytest.mark.rivals
def test_other_instrumentors_that_another_distro_starts_make_us_count_no_call_twice(
    server: ModelServer, sink: HttpSink, tmp_path: Path
) -> None:
    other_distro(tmp_path)
    launch(CALL, server, sink, tmp_path)
    (ours,) = [span for span in sink.spans() if span.scope == "genai_otel"]
    assert ours.parent_id  # it is inside one of theirs, which counts
    assert ours.attributes["genai_otel.owner"] is False
    # What the others count themselves is between them and the meter provider, which is not ours.
    durations = sink.latest("gen_ai.client.operation.duration")
    assert [point.count for point in durations if point.scope == "genai_otel"] == [1]


@pytest.mark.parametrize("when", ["imported", "used"])
@pytest.mark.parametrize("beside", ["alone", "beside another distro"])
def test_an_instrumentor_that_raises_takes_nothing_of_ours_down(
    when: str, beside: str, server: ModelServer, sink: HttpSink, tmp_path: Path
) -> None:
    raising_instrumentor(tmp_path, when)
    if beside != "alone":
        other_distro(tmp_path)
    done = launch(CALL, server, sink, tmp_path, env={"GENAI_OTEL_STRICT": "0"})
    assert calls(sink) == 1
    if beside == "alone":  # then the HTTP instrumentation, which comes later, is on too
        assert_one_call(sink)
        (line,) = done.err.splitlines()
        assert "aaa_broken" in line
        assert "RuntimeError" in line


def test_a_bad_setting_is_one_warning_and_the_rest_works(server: ModelServer, sink: HttpSink) -> None:
    done = launch(CALL, server, sink, env={"GENAI_OTEL_SPAN_BYTES": "a lot"})
    (line,) = done.err.splitlines()
    assert "GENAI_OTEL_SPAN_BYTES" in line
    assert "a lot" in line
    assert_one_call(sink)


def test_disabled_means_that_nothing_runs(server: ModelServer, sink: HttpSink) -> None:
    script = """
import threading
print(threading.enumerate() == [threading.main_thread()])
from openai.resources.chat.completions import Completions
print(hasattr(Completions.create, "_self_wrapper"))
import sys
http = sys.modules.get("httpx2") or sys.modules["httpx"]  # the client's, by its version
print(hasattr(http.HTTPTransport.handle_request, "_self_wrapper"))
"""
    done = launch(script + CALL, server, sink, env={"OTEL_SDK_DISABLED": "true"})
    assert done.out.splitlines() == ["True", "False", "False"]
    assert (done.err, sink.attempts) == ("", 0)


def test_instrumentations_can_be_disabled_by_name_or_all(server: ModelServer, sink: HttpSink) -> None:
    launch(CALL, server, sink, env={"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx,httpx2"})
    assert [span.name for span in sink.spans()] == ["chat gpt-4o-mini"]
    sink.clear()
    launch(CALL, server, sink, env={"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"})
    assert sink.spans() == []


def test_the_instrumentor_switches_the_clients_off_and_on(server: ModelServer) -> None:
    script = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from genai_otel.launcher import Instrumentor
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
Instrumentor().instrument(tracer_provider=provider)
""" + "".join(
        CALL + f"print([span.name for span in exporter.get_finished_spans()])\nexporter.clear()\n{then}\n"
        for then in ("Instrumentor().uninstrument()", "Instrumentor().instrument()", "")
    )
    with HttpSink("refuse") as nobody:
        env = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
        done = launch(script, server, nobody, launcher=(sys.executable,), env=env)
    on = "['POST', 'chat gpt-4o-mini']"
    assert done.out.splitlines() == [on, "['POST']", on]
