"""The stack that the launcher starts is the one that compose.yaml describes: flags, configs, ports, nothing else."""

from __future__ import annotations

import psutil
import pytest
from programs.launcher import compose, programs

from tests.harness.containers import plugin_or_fetch, read, without_variables
from tests.harness.stack import CONFIG, Stack


@pytest.fixture(scope="module")
def containers(stack: Stack) -> dict[str, compose.Service]:
    """What Compose itself makes of compose.yaml with the ports of the running stack."""
    return read(CONFIG, plugin_or_fetch(), _ports(stack))


def _ports(stack: Stack) -> dict[str, str]:
    return {name: str(port) for name, port in stack.ports.items()}


def test_the_launcher_reads_the_file_as_compose_does(
    stack: Stack, containers: dict[str, compose.Service]
) -> None:
    ours = compose.read(CONFIG, _ports(stack))

    assert {name: without_variables(service) for name, service in ours.items()} == containers


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_flags_and_environment_are_those_of_the_container(
    stack: Stack, containers: dict[str, compose.Service], name: str
) -> None:
    process = psutil.Process(stack.pid(name))
    root = str(stack.folder / "roots" / name)
    environment = process.environ()
    values = [*process.cmdline()[1:], *(environment[variable] for variable in containers[name].environment)]

    wanted = [*containers[name].command, *containers[name].environment.values()]
    assert [value.replace(root, "") for value in values] == [_on_loopback(value) for value in wanted]
    assert set(environment) - set(containers[name].environment) <= {"PATH", "HOME"}


def _on_loopback(value: str) -> str:
    for name in ("0.0.0.0", *(f"{program}" for program in programs.PROGRAMS)):
        value = value.replace(f"{name}:", "127.0.0.1:")
    return "127.0.0.1" if value == "0.0.0.0" else value


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_configs_are_the_shipped_files(
    stack: Stack, containers: dict[str, compose.Service], name: str
) -> None:
    root = stack.folder / "roots" / name
    for mount in containers[name].mounts:
        place = root / mount.target.lstrip("/")
        if mount.folder:
            assert place.resolve() == mount.folder
        elif mount.volume:
            assert place.resolve() == stack.folder / "volumes" / mount.volume
        else:
            assert place.read_text() == _on_loopback(mount.content)


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_a_program_listens_on_its_ports_on_loopback_and_nowhere_else(
    stack: Stack, containers: dict[str, compose.Service], name: str
) -> None:
    listening = [one for one in psutil.Process(stack.pid(name)).net_connections() if one.status == "LISTEN"]

    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
    assert {one.laddr.port for one in listening} == {port.number for port in containers[name].ports}
