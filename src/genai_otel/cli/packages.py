"""What is installed: ourselves, OpenTelemetry, the model clients, and who else instruments."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, PackageNotFoundError, distributions, entry_points, version

from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

from genai_otel.cli.finding import Finding
from genai_otel.clients import Client
from genai_otel.engine.patch import Patch, release
from genai_otel.spec import ClientSpec, Mode

OURS = "genai-otel"
FOREIGN_OWNER = "genai-otel-instrument"
_NAME = "genai_otel"
_DISTRO = "OTEL_PYTHON_DISTRO"
_CONFIGURATOR = "OTEL_PYTHON_CONFIGURATOR"
_CHOICES = ((_DISTRO, "opentelemetry_distro"), (_CONFIGURATOR, "opentelemetry_configurator"))


def versions() -> Iterator[Finding]:
    """Ourselves, Python and OpenTelemetry, and whether these fit each other."""
    ours = installed(OURS)
    facts = {"version": ours, "python": platform.python_version(), "implementation": sys.implementation.name}
    yield Finding(
        "installed",
        "ok" if ours else "note",
        f"genai-otel {ours or 'without package metadata'} on Python {facts['python']}",
        "" if ours else "install it with pip, else the launcher cannot find it",
        facts,
    )
    if owner := installed(FOREIGN_OWNER):
        yield Finding(
            "installed",
            "problem",
            f"{FOREIGN_OWNER} {owner} installs the same import name, genai_otel, and overwrites our files",
            f"pip uninstall -y {FOREIGN_OWNER} {OURS} && pip install {OURS}",
        )
    core = {
        name: installed(name)
        for name in ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-instrumentation")
    }
    yield Finding(
        "installed",
        "ok" if all(core.values()) else "problem",
        ", ".join(f"{name} {found or 'is missing'}" for name, found in core.items()),
        "" if all(core.values()) else f"pip install {OURS}",
        {"packages": core},
    )
    yield from _conflicts()


def clients(
    specs: Iterable[ClientSpec], mode: Callable[[str], Mode], patches: Iterable[Patch]
) -> Iterator[Finding]:
    """Each model client that we know: its version against the tested range, and whether its calls are traced."""
    absent: list[str] = []
    for spec in specs:
        found = installed(spec.requires.partition(" ")[0])
        if found is None:
            absent.append(spec.name)
        else:
            yield _client(
                spec, found, mode(spec.name), [each for each in patches if each.client == spec.name]
            )
    if absent:
        yield Finding("clients", "ok", f"not installed: {', '.join(absent)}", facts={"absent": absent})


def others(clients: Iterable[Client], disabled: Sequence[str]) -> Iterator[Finding]:
    """The instrumentations of others, and those of them that see the same calls as we."""
    found = [entry for entry in entry_points(group="opentelemetry_instrumentor") if not _is_ours(entry)]
    rivals = {name: client.name for client in clients for name in client.instrumentors}
    libraries = sorted({entry.name for entry in found if entry.name not in rivals})
    on = [name for name in libraries if name not in disabled and "*" not in disabled]
    yield Finding(
        "instrumentation",
        "ok",
        f"instrumentations of libraries: {', '.join(on) or 'none'} (each starts when its library is imported)",
        facts={"active": on, "disabled": [name for name in libraries if name not in on]},
    )
    for entry in found:
        if entry.name in rivals:
            owner = entry.dist.name if entry.dist else entry.module
            yield Finding(
                "instrumentation",
                "note",
                f"{owner} instruments {rivals[entry.name]} too; we do not start it, and each call counts once anyway",
                f"add {entry.name} to OTEL_PYTHON_DISABLED_INSTRUMENTATIONS to save its cost under another launcher",
                {"distribution": owner, "client": rivals[entry.name]},
            )
    if installed("httpx2") and not any(entry.name == "httpx2" for entry in found):
        yield Finding(
            "instrumentation",
            "note",
            "requests made with httpx2 (which the newest OpenAI client uses) have no HTTP span of their own",
            "pip install -U 'opentelemetry-instrumentation-httpx>=0.66b2'",
        )


def distros(environ: Mapping[str, str], *, launched: bool) -> Iterator[Finding]:
    """Whose distro and configurator ``opentelemetry-instrument`` chooses."""
    for variable, group in _CHOICES:
        names = [entry.name for entry in entry_points(group=group)]
        asked = environ.get(variable)
        winner = (asked if asked in names else None) if asked else next(iter(names), None)
        word = group.removeprefix("opentelemetry_")
        facts: dict[str, object] = {"group": group, "installed": names, "winner": winner}
        if winner == _NAME:
            rest = ", ".join(name for name in names if name != _NAME)
            text = f"opentelemetry-instrument uses our {word}" + (
                f" (also installed: {rest})" if rest else ""
            )
            settled = asked or not rest
            advice = (
                "" if settled else f"set {variable}={_NAME} to be sure of it: the order of several is chance"
            )
            yield Finding("launcher", "ok" if settled else "note", text, advice, facts)
        else:
            yield Finding(
                "launcher",
                "problem" if launched else "note",
                f"opentelemetry-instrument uses the {word} {winner or 'of OpenTelemetry'}, not ours",
                f"set {_DISTRO}={_NAME} and {_CONFIGURATOR}={_NAME}"
                if _NAME in names
                else f"pip install {OURS}",
                facts,
            )


def installed(name: str) -> str | None:
    """The installed version of a distribution, None without it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _client(spec: ClientSpec, found: str, mode: Mode, patches: Sequence[Patch]) -> Finding:
    tested = spec.requires.partition(" ")[2]
    facts: dict[str, object] = {"client": spec.name, "version": found, "tested": tested}
    if mode == "off" or (mode == "native" and spec.native is not None):
        said = "is not traced" if mode == "off" else "traces itself"
        return Finding(
            "clients",
            "note",
            f"{spec.name} {found} {said}, as GENAI_OTEL_CLIENTS_{mode.upper()} says",
            facts=facts,
        )
    facts["endpoints"] = {
        state: sum(patch.state == state for patch in patches) for state in ("patched", "waiting", "skipped")
    }
    if not _within(found, tested):
        return Finding(
            "clients",
            "problem",
            f"{spec.name} {found} is outside the tested range {tested}",
            f"pip install '{spec.requires.replace(' ', '')}', or update genai-otel",
            facts,
        )
    return Finding(
        "clients",
        "ok",
        f"{spec.name} {found} (tested {tested}): {_state(spec, patches)}",
        facts=facts,
    )


def _within(found: str, tested: str) -> bool:
    """Whether a version lies in a range as specs write it (``>= 1.66, < 4``), pre-releases with their release."""
    have = release(found)
    bounds = re.findall(r"(>=|<)\s*([\d.]+)", tested)
    return all((have >= release(bound)) == (sign == ">=") for sign, bound in bounds)


def _state(spec: ClientSpec, patches: Sequence[Patch]) -> str:
    done = [patch for patch in patches if patch.state == "patched"]
    skipped = [patch for patch in patches if patch.state == "skipped"]
    if not done:
        return f"{len(spec.endpoints)} endpoints are traced once the program imports it"
    return f"{len(done)} endpoints are traced" + (
        f", {len(skipped)} skipped: {skipped[0].reason}" if skipped else ""
    )


def _is_ours(entry: EntryPoint) -> bool:
    return entry.value.startswith(f"{_NAME}.")


def _conflicts() -> Iterator[Finding]:
    """OpenTelemetry's packages pin each other; what an installation against these pins left behind."""
    for each in distributions():
        if each.name == OURS or (each.name or "").startswith("opentelemetry-"):
            for wanted in each.requires or ():
                # What has a marker is for an extra or a platform; pins of each other have none.
                conflict = None if ";" in wanted else get_dependency_conflicts([wanted])
                if conflict is not None:
                    have = conflict.found.split()[-1] if conflict.found else "it"
                    state = "is installed" if conflict.found else "is not installed"
                    yield Finding(
                        "installed",
                        "problem",
                        f"{each.name} {each.version} needs {wanted}, but {have} {state}",
                        f"pip install -U {each.name}",
                    )
