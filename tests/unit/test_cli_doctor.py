"""genai-otel doctor: each finding appears where it should, says what to do, and shows no secret."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from genai_otel import fence
from genai_otel.cli import inside, main
from genai_otel.cli.doctor import findings
from genai_otel.cli.finding import Finding
from genai_otel.clients import SPECS
from genai_otel.config import Config
from genai_otel.runtime.handle import Handle
from genai_otel.testing import ModelServer
from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import GrpcSink, HttpSink

SECRET = "sk-abcdefghijklmnopqrstuvwxyz123456"


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Errors that other tests provoked are none of this process's for doctor."""
    fence.reset()


def found(environ: Mapping[str, str] | None = None, area: str | None = None) -> list[Finding]:
    return [finding for finding in findings(environ or {}) if area in (None, finding.area)]


def one(text: str, environ: Mapping[str, str] | None = None) -> Finding:
    every = found(environ)
    (finding,) = [finding for finding in every if text in finding.text] or [
        Finding("none", "ok", repr(every))
    ]
    return finding


def problems(environ: Mapping[str, str]) -> list[str]:
    return [finding.text for finding in found(environ) if finding.level == "problem"]


# --- what is installed ------------------------------------------------------------------------------------


def test_says_what_is_installed() -> None:
    assert one("on Python 3.").area == "installed"
    assert one("opentelemetry-sdk 1.").level == "ok"
    traced = [finding.text for finding in found() if "endpoints are traced" in finding.text]
    assert [text for text in traced if text.startswith("openai ")]


def test_clients_that_are_not_there_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai_otel.cli.packages.installed", {"openai": "3.0", "anthropic": "2.0"}.get)
    names = [spec.name for spec in SPECS if spec.name not in ("openai", "anthropic")]
    assert one("not installed: ").text == f"not installed: {', '.join(names)}"


def test_a_client_outside_the_tested_range_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "openai", version="0.28.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    finding = one("openai 0.28.0")
    assert finding.level == "problem"
    assert finding.advice.startswith("pip install 'openai>=")


@pytest.mark.parametrize(
    ("version", "level"), [("1.66.0", "ok"), ("3.9.1rc2", "ok"), ("1.65.9", "problem"), ("4.0.0", "problem")]
)
def test_the_tested_range_has_two_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, level: str
) -> None:
    distribution(tmp_path, "openai", version=version)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert one(f"openai {version}").level == level


def test_a_client_that_we_do_not_trace_is_a_note() -> None:
    assert one("is not traced", {"GENAI_OTEL_CLIENTS_OFF": "openai"}).level == "note"


def test_the_other_owner_of_our_import_name_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(tmp_path, "genai-otel-instrument", version="9.9")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    finding = one("genai-otel-instrument 9.9")
    assert finding.level == "problem"
    assert "pip uninstall -y genai-otel-instrument genai-otel" in finding.advice


def test_packages_of_opentelemetry_that_do_not_fit_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(
        tmp_path,
        "opentelemetry-odd",
        requires=["opentelemetry-api==1.2.3", "absent>1", "other; extra == 'x'"],
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    texts = [finding.text for finding in found(area="installed") if "opentelemetry-odd" in finding.text]
    assert len(texts) == 2
    assert "needs opentelemetry-api==1.2.3, but 1." in texts[0]
    assert "needs absent>1, but it is not installed" in texts[1]


def test_another_instrumentor_of_the_same_client_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(
        tmp_path,
        "rival-openai",
        entry_points={"opentelemetry_instrumentor:openai": "rival_openai:Instrumentor"},
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    finding = one("rival-openai instruments openai too")
    assert finding.level == "note"
    assert "add openai to OTEL_PYTHON_DISABLED_INSTRUMENTATIONS" in finding.advice


def test_disabled_instrumentations_are_not_said_to_be_active() -> None:
    assert "httpx" in one("instrumentations of libraries").text
    off = one("instrumentations of libraries", {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx, fastapi"})
    assert "fastapi" not in off.text
    assert {"httpx", "fastapi"} <= set(off.json()["disabled"])  # pyright: ignore[reportArgumentType] - a list


@pytest.mark.parametrize("launched", [False, True])
def test_a_distro_that_wins_over_ours_is_named_with_the_two_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: bool
) -> None:
    from genai_otel.cli.packages import distros

    groups = ("opentelemetry_distro", "opentelemetry_configurator")
    ours, rival = tmp_path / "ours", tmp_path / "rival"
    distribution(
        ours, "ours", entry_points={f"{group}:genai_otel": "genai_otel.launcher:X" for group in groups}
    )
    distribution(rival, "rival", entry_points={f"{group}:rival": "rival:X" for group in groups})
    monkeypatch.setattr(sys, "path", [str(ours), *sys.path])
    monkeypatch.setattr(sys, "path", [str(rival), *sys.path])

    first, second = distros({}, launched=launched)
    assert first.text == "opentelemetry-instrument uses the distro rival, not ours"
    assert first.level == second.level == ("problem" if launched else "note")
    assert first.advice == "set OTEL_PYTHON_DISTRO=genai_otel and OTEL_PYTHON_CONFIGURATOR=genai_otel"
    chosen = {"OTEL_PYTHON_DISTRO": "genai_otel", "OTEL_PYTHON_CONFIGURATOR": "genai_otel"}
    assert [finding.level for finding in distros(chosen, launched=launched)] == ["ok", "ok"]


# --- where telemetry goes ---------------------------------------------------------------------------------


def test_nothing_configured_is_healthy_and_says_what_to_set() -> None:
    (finding,) = found(area="export")
    assert finding.text == "traces: console view on stderr"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in finding.advice


def test_a_receiver_that_answers_is_healthy(sink: HttpSink) -> None:
    every = found(sink.environment(), "export")
    assert [finding.text for finding in every] == [
        f"{signal}: OTLP/http to {sink.endpoint}/v1/{signal}: answers"
        for signal in ("traces", "metrics", "logs")
    ]
    assert {finding.level for finding in every} == {"ok"}


def test_a_grpc_receiver_that_answers_is_healthy(grpc_sink: GrpcSink) -> None:
    every = found(grpc_sink.environment(), "export")
    assert {(finding.level, finding.text.rpartition(": ")[2]) for finding in every} == {("ok", "answers")}


def test_no_header_and_no_telemetry_is_sent(sink: HttpSink) -> None:
    found({**sink.environment(), "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}"})
    assert SECRET.encode() not in sink.everything()
    assert sink.spans() == []


def test_a_receiver_that_is_away_is_a_problem_that_names_the_variable() -> None:
    sink = HttpSink()
    with sink:
        environ = sink.environment()
    texts = problems(environ)
    assert len(texts) == 3
    assert all(text.endswith(": refused") for text in texts)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in one("traces: OTLP", environ).advice


def test_the_wrong_one_of_the_two_ports_is_named(sink: HttpSink, grpc_sink: GrpcSink) -> None:
    at_grpc = one("traces: OTLP", {"OTEL_EXPORTER_OTLP_ENDPOINT": grpc_sink.endpoint})
    assert (at_grpc.level, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in at_grpc.advice) == ("problem", True)
    at_http = one("traces: OTLP", {**sink.environment(), "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert (at_http.level, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in at_http.advice) == ("problem", True)


def test_a_server_without_the_path_is_a_note() -> None:
    with ModelServer() as server:
        assert one("traces: OTLP", {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}).level == "note"


def test_each_signal_has_its_own_endpoint_and_exporter(sink: HttpSink) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{sink.endpoint}/custom",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "console",
    }
    assert [finding.text for finding in found(environ, "export")] == [
        f"traces: OTLP/http to {sink.endpoint}/custom: answers",
        "logs: console",
    ] or [finding.text for finding in found(environ, "export")] == [
        "logs: console",
        f"traces: OTLP/http to {sink.endpoint}/custom: answers",
    ]


def test_an_exporter_that_is_not_installed_is_a_problem() -> None:
    assert one("'jaeger'", {"OTEL_TRACES_EXPORTER": "jaeger"}).level == "problem"


def test_a_protocol_and_an_endpoint_that_cannot_be() -> None:
    environ = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
    assert one("is 'http/json'", environ).level == "problem"
    assert one("is no URL", {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://host:x"}).level == "problem"


def test_a_proxy_is_told_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:{SECRET}@proxy.example:3128")
    finding = one("traces: OTLP", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318"})
    assert "through the proxy" in finding.text
    assert SECRET not in finding.text


def test_headers_in_the_open_are_a_note() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://no-such-host.invalid:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}",
    }
    assert one("unencrypted", environ).level == "note"


def test_the_prometheus_port_is_free_or_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environ = {
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(listener.getsockname()[1]),
        }
        assert one("is taken", environ).level == "problem"
    assert one("which is free", environ).level == "ok"


def test_the_prometheus_port_of_a_program_of_ours_is_fine() -> None:
    from prometheus_client import CollectorRegistry, Gauge, start_http_server

    registry = CollectorRegistry()
    Gauge("genai_otel_info", "x", registry=registry).set(1)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        environ = {
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(server.server_port),
        }
        assert one("by a program with genai-otel", environ).level == "ok"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_switched_off_is_a_note() -> None:
    assert one("everything is off", {"OTEL_SDK_DISABLED": "true"}).level == "note"


# --- settings and content ---------------------------------------------------------------------------------


def test_content_is_said_to_be_on_or_off() -> None:
    assert one("content is off").level == "ok"
    on = one("content is on", {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"})
    assert (on.level, on.text.endswith("on spans")) == ("note", True)


def test_variables_are_shown_without_their_secrets() -> None:
    environ = {
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"authorization=Bearer {SECRET}, x-team={SECRET}",
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name=prod,note={SECRET}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:hunter2222@localhost:1",
        "OTEL_SOME_API_KEY": "plainword",
        "OPENAI_API_KEY": SECRET,
    }
    text = "\n".join(f"{finding.text} {finding.json()}" for finding in found(environ))
    assert "OTEL_SERVICE_NAME=shop" in text
    assert "OTEL_EXPORTER_OTLP_TRACES_HEADERS=authorization=***,x-team=***" in text
    for secret in (SECRET, "hunter2222", "plainword"):
        assert secret not in text


def test_a_value_that_cannot_be_and_a_name_that_is_none_are_problems() -> None:
    environ = {"GENAI_OTEL_CONSOLE": "maybe", "GENAI_OTEL_CONSOL": "on"}
    assert one("GENAI_OTEL_CONSOLE is 'maybe'", environ).level == "problem"
    assert one("GENAI_OTEL_CONSOL is not", environ).advice == "did you mean GENAI_OTEL_CONSOLE?"


# --- the process that asks --------------------------------------------------------------------------------


def test_a_programs_own_providers_are_told_what_they_lack() -> None:
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    handle = Handle(Config(), None, ["traces: somewhere"], ["a port is taken"])
    handle.tracer_provider, handle.meter_provider = tracer_provider, MeterProvider(shutdown_on_exit=False)
    by_text = {finding.text: finding for finding in inside.handle(handle)}
    assert by_text["a port is taken"].level == "problem"
    advice = " ".join(finding.advice for finding in by_text.values())
    for way in (
        "genai_otel.sampler(",
        "genai_otel.pipeline(",
        'View(instrument_name="gen_ai.*", meter_name=',
    ):
        assert way in advice


def test_errors_and_losses_of_this_process_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "strict", False)
    with fence.contain("test.doctor"):
        raise ValueError
    fence.dropped("spans", "queue_full", 3)
    assert one("internal errors in test.doctor: 1").level == "problem"
    assert one("spans lost, queue_full: 3").level == "note"
    fence.reset()


def test_an_area_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Finding]:
        raise RuntimeError

    monkeypatch.setattr(fence, "strict", False)
    monkeypatch.setattr("genai_otel.cli.packages.versions", broken)
    areas = {finding.area for finding in found()}
    assert {"clients", "export", "content"} <= areas
    assert one("internal errors in doctor: ").level == "problem"


# --- the command ------------------------------------------------------------------------------------------


def test_the_exit_code_says_healthy_or_not() -> None:
    script = "import sys; from genai_otel.cli import main; sys.exit(main(['doctor']))"
    healthy = run(script).ok()
    assert healthy.out.splitlines()[-1].startswith("healthy")
    ill = run(script, env={"OTEL_TRACES_EXPORTER": "jaeger"})
    assert ill.code == 1
    assert "problem  OTEL_TRACES_EXPORTER names 'jaeger'" in ill.out


def test_json_holds_the_same_facts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "jaeger")
    assert main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] is False
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert all(finding["text"] in printed for finding in told["findings"])
    (openai,) = (
        finding
        for finding in told["findings"]
        if (finding["area"], finding.get("client")) == ("clients", "openai")
    )
    assert openai["tested"] == ">= 1.66, < 4"


def test_doctor_imports_no_client_starts_no_thread_and_opens_no_port() -> None:
    run(
        """
        import os, sys, threading
        from genai_otel.cli import main
        os.environ["OTEL_METRICS_EXPORTER"] = "prometheus"
        main(["doctor", "--json"])
        unwanted = {"openai", "fastapi", "httpx", "httpx2", "pydantic", "grpc", "prometheus_client"} & set(sys.modules)
        assert not unwanted, unwanted
        assert threading.active_count() == 1, threading.enumerate()
        sockets = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")
                   and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")]
        assert not sockets, sockets
        """
    ).ok()


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    done = run(
        """
        import subprocess, sys
        command = f"{sys.executable} -m genai_otel.cli doctor | head -c 1"
        print(subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True))
        """
    ).ok()
    assert "returncode=0" in done.out
    assert "stderr=''" in done.out
