"""compose.yaml keeps its promises: loopback only, no root, limits that fit, exact versions, health of all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from programs.launcher import compose, programs

from tests.harness.containers import plugin, read, without_variables
from tests.harness.stack import CONFIG, copy_config, free_ports

RAW: dict[str, Any] = yaml.safe_load((CONFIG / "compose.yaml").read_text())
SERVICES: dict[str, Any] = RAW["services"]
LASTING = {name: service for name, service in SERVICES.items() if service["restart"] != "no"}
VALUES = compose.dotenv(CONFIG / ".env")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    confined = service.get("read_only") or service.get("configs") or service.get("secrets")

    assert confined, "Compose can only give an inline config or secret to a file system that is not read-only"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert service["logging"]["options"]["max-size"]
    assert service["user"] != "0:0" or service["command"][0] == "chown"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert all(volume.endswith(":ro") for volume in service.get("volumes", ()) if volume.startswith("."))


@pytest.mark.parametrize("name", LASTING)
def test_a_service_that_stays_is_restarted_and_asked_for_its_health(name: str) -> None:
    checks = {
        other: " ".join(service.get("healthcheck", {}).get("test", ())) for other, service in LASTING.items()
    }

    assert LASTING[name]["restart"] == "unless-stopped"
    assert checks[name] or any(f"http://{name}:" in check for check in checks.values())


def test_go_gives_memory_back_before_the_limit_of_its_container() -> None:
    checked = 0
    for service in SERVICES.values():
        soft = service.get("environment", {}).get("GOMEMLIMIT")
        if soft:
            checked += 1
            assert 0.79 < _mib(soft) / _mib(service["mem_limit"]) < 0.81, service
    assert checked >= len(programs.PROGRAMS)


def _mib(size: str) -> float:
    number, unit = re.fullmatch(r"(\d+)([mg]|MiB)", size).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if unit == "g" else 1)


def test_every_image_has_an_exact_version_of_its_own() -> None:
    images = [service["image"] for service in SERVICES.values()]
    variables = {image.partition(":")[2] for image in images}

    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", VALUES[variable[2:-1]]) for variable in variables)


def test_no_password_is_shipped() -> None:
    assert RAW["secrets"] == {"grafana_password": {"environment": "GRAFANA_PASSWORD"}}
    assert not any("PASSWORD" in name for name in VALUES)


@pytest.mark.parametrize(
    ("variable", "module", "form"),
    [
        ("OTELCOL_VERSION", "go.opentelemetry.io/collector/otelcol", "v{}"),
        ("JAEGER_VERSION", "github.com/jaegertracing/jaeger", "v1.76.0"),  # which Jaeger calls 2.13.0
        ("PROMETHEUS_VERSION", "github.com/prometheus/prometheus", "v0.316.0"),  # 3.16.0 in its releases
        ("ALERTMANAGER_VERSION", "github.com/prometheus/alertmanager", "{}"),
        ("LOKI_VERSION", "github.com/grafana/loki/v3", "v{}"),
    ],
)
def test_recipes_build_the_versions_of_the_images(variable: str, module: str, form: str) -> None:
    recipes = [(programs.RECIPES / name / "go.mod").read_text() for name in programs.PROGRAMS]
    required = {
        match[1] for text in recipes for match in re.finditer(rf"\t?{module} (v\S+)$", text, re.MULTILINE)
    }

    assert form.format(VALUES[variable]) in required


def test_the_manifest_of_the_collector_and_its_lock_name_the_same_components() -> None:
    manifest = yaml.safe_load((programs.RECIPES / "otelcol" / "builder.yaml").read_text())
    wanted = [entry["gomod"] for kind, entries in manifest.items() if kind != "dist" for entry in entries]
    locked = (programs.RECIPES / "otelcol" / "go.mod").read_text()

    assert len(wanted) > 30
    assert [entry for entry in wanted if f"\t{entry}\n" not in locked] == []


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_a_recipe_names_its_programs_and_holds_their_checksums(name: str) -> None:
    recipe = (programs.RECIPES / name / "go.mod").read_text()
    sums = (programs.RECIPES / name / "go.sum").read_text()
    tools = re.findall(r"^(?:tool |\t)(\S+/cmd/\S+)$", recipe, re.MULTILINE)
    built = {tool.rpartition("/")[2] for tool in tools} - {"builder"} or {"otelcol"}

    assert built == set(programs.PROGRAMS[name].binaries)
    assert all(re.fullmatch(r"\S+ v\S+ h1:\S{43}=", line) for line in sums.splitlines())


_OVERRIDE = """
services:
  otelcol:
    command: [--config=/etc/otelcol/mine.yaml]
    environment: {MY_TOKEN: "${MY_TOKEN:-none}", GOMEMLIMIT: 1GiB}
    volumes: ["./mine.yaml:/etc/otelcol/mine.yaml:ro"]
    ports: ["127.0.0.1:9999:9999"]
  grafana:
    environment: {GF_LOG_LEVEL: debug}
"""
_NEEDS_COMPOSE = pytest.mark.skipif(
    plugin() is None, reason="needs Compose's plugin; make stack-test brings it"
)


@_NEEDS_COMPOSE
def test_additions_of_ones_own_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    folder = copy_config(tmp_path)
    (folder / "compose.override.yaml").write_text(_OVERRIDE)
    found = plugin()
    assert found

    ours = {
        name: without_variables(service) for name, service in compose.read(folder, {"MY_TOKEN": "a"}).items()
    }
    assert ours["otelcol"].command == ("--config=/etc/otelcol/mine.yaml",)
    assert ours == read(folder, found, {"MY_TOKEN": "a"})


@_NEEDS_COMPOSE
def test_compose_reads_the_file_as_the_launcher_does() -> None:
    found = plugin()
    assert found
    moved = {name: str(port) for name, port in free_ports().items()}

    ours = compose.read(CONFIG, moved)
    assert {name: without_variables(service) for name, service in ours.items()} == read(CONFIG, found, moved)
